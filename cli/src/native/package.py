"""NAME: a bilevel model as a library, written by blo VERSION.

ABOUT

>>> import NAME
>>> model = NAME.Model()
>>> x, y = model.start()
>>> value, gx, gy = model.upper_gradients(x, y)
>>> solution = model.solve()

A model works for one thread at a time and makes others wait; several models work at the same time.
"""

import ctypes
import json
import pathlib

import numpy

_LIBRARY = ctypes.CDLL(str(pathlib.Path(__file__).with_name("NAME.so")))
_VECTOR = ctypes.POINTER(ctypes.c_double)


class Error(Exception):
    """What the library says when it cannot do something."""


class _Options(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("x", _VECTOR),
        ("y", _VECTOR),
        ("time_limit", ctypes.c_double),
        ("count", ctypes.c_size_t),
        ("names", ctypes.POINTER(ctypes.c_char_p)),
        ("values", _VECTOR),
    ]


class _Solution(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("x", _VECTOR),
        ("y", _VECTOR),
        ("reports", _VECTOR),
        ("verdict", ctypes.c_char_p),
        ("verdict_room", ctypes.c_size_t),
        ("termination", ctypes.c_char * 32),
        ("status", ctypes.c_int32),
        ("feasible", ctypes.c_int32),
        ("iterations", ctypes.c_uint64),
        ("evaluations", ctypes.c_uint64),
        ("upper_objective", ctypes.c_double),
        ("lower_objective", ctypes.c_double),
        ("lower_gap", ctypes.c_double),
        ("lower_stationarity", ctypes.c_double),
        ("hypergradient_norm", ctypes.c_double),
        ("violation", ctypes.c_double),
    ]


class Solution:
    """What was found: `x`, `y`, `reports` (by name), `verdict`, `status`, `objective` and the other fields of the C struct."""

    def __init__(self, **fields):
        self.__dict__.update(fields)

    def __repr__(self):
        return f"<{self.verdict} F = {self.upper_objective:.6g}>"


def _function(name, result=ctypes.c_int32):
    function = getattr(_LIBRARY, "NAME_" + name)
    function.restype = result
    return function


_open, _close, _message, _solve = (_function(name) for name in ("open", "close", "message", "solve"))
_manifest = _function("manifest", ctypes.c_char_p)
_set_data = _function("set_data")
_LENGTHS = ("upper_len", "lower_len", "reports_len", "upper_rows", "lower_rows")
_CALLS = (
    "start project_upper project_lower upper_value upper_gradients upper_second_order lower_value lower_gradient "
    "lower_gradients lower_hessian lower_second_order lower_cross reports upper_constraints lower_constraints "
    "lower_constraints_transposed"
).split()
_FUNCTIONS = {name: _function(name) for name in _CALLS}


def _pointer(array):
    return array.ctypes.data_as(_VECTOR)


def _read(values, length):
    array = numpy.ascontiguousarray(values, dtype=numpy.float64).reshape(-1)
    if array.size != length:
        raise ValueError(f"{array.size} numbers where the model has {length}")
    return array


class Model:
    """The model in memory. Vectors are flat arrays of numpy; `split` gives the variables in their shapes."""

    def __init__(self):
        self._handle = ctypes.c_void_p()
        why = ctypes.create_string_buffer(1000)
        if _open(ctypes.byref(self._handle), why, ctypes.c_size_t(1000)) != 0:
            raise Error(why.value.decode())
        self.manifest = json.loads(_manifest(self._handle).decode())
        lengths = (_function(name, ctypes.c_size_t)(self._handle) for name in _LENGTHS)
        self.n, self.m, self.k, self.upper_rows, self.lower_rows = lengths
        lower = self.manifest["lower"] or {"variables": []}
        self._variables = sum(part["len"] for part in lower["variables"])

    def close(self):
        """Frees the memory; nothing else may be done afterwards."""
        _close(self._handle)
        self._handle = ctypes.c_void_p()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if getattr(self, "_handle", None):
            self.close()

    def _ask(self, code):
        if code != 0:
            text = ctypes.create_string_buffer(1000)
            _message(self._handle, text, ctypes.c_size_t(1000))
            raise Error(text.value.decode())

    def _call(self, name, given, lengths):
        out = [numpy.empty(length) for length in lengths]
        self._ask(_FUNCTIONS[name](self._handle, *map(_pointer, given), *map(_pointer, out)))
        return out

    def _at(self, x, y):
        return [_read(x, self.n), _read(y, self.m)]

    def set_data(self, **arrays):
        """Gives data other values, of their shapes; they stay until they are given others. `data` says what there is, and where
        `samples` is true, which may have any number of rows."""
        known = {datum["name"]: datum for datum in self.manifest["data"]}
        for name, values in arrays.items():
            array = numpy.array(values, dtype=numpy.float64, order="C")
            if name in known:
                free = 1 if known[name].get("samples") else 0
                shape = known[name]["shape"]
                if array.ndim != len(shape) or list(array.shape[free:]) != shape[free:]:
                    raise ValueError(f"`{name}` has the shape {shape}, and these values {list(array.shape)}")
            self._ask(_set_data(self._handle, name.encode(), _pointer(array), ctypes.c_size_t(array.size)))

    @property
    def data(self):
        """The data: names, elements, shapes, and which are fixed, and why."""
        return self.manifest["data"]

    def start(self):
        """The model's start: x, y."""
        return tuple(self._call("start", [], [self.n, self.m]))

    def split(self, vector, level="upper"):
        """The variables of a level in their shapes, by name."""
        parts = self.manifest[level]["variables"]
        piece = lambda p: numpy.asarray(vector)[p["offset"] : p["offset"] + p["len"]].reshape(p["shape"])
        return {part["name"]: piece(part) for part in parts}

    def project_upper(self, x):
        """The nearest point of the domains of the upper level."""
        x = _read(x, self.n).copy()
        self._call("project_upper", [x], [])
        return x

    def project_lower(self, y):
        """The nearest point of the domains of the lower level."""
        y = _read(y, self.m).copy()
        self._call("project_lower", [y], [])
        return y

    def upper_value(self, x, y):
        """F(x, y)."""
        return float(self._call("upper_value", self._at(x, y), [1])[0][0])

    def upper_gradients(self, x, y):
        """F and its gradients by x and y."""
        value, gx, gy = self._call("upper_gradients", self._at(x, y), [1, self.n, self.m])
        return float(value[0]), gx, gy

    def upper_second_order(self, x, y, v):
        """d2F/dydy v and d2F/dxdy v."""
        return tuple(self._call("upper_second_order", [*self._at(x, y), _read(v, self.m)], [self.m, self.n]))

    def lower_value(self, x, y):
        """f(x, y)."""
        return float(self._call("lower_value", self._at(x, y), [1])[0][0])

    def lower_gradient(self, x, y):
        """f and its gradient by y: what `scipy.optimize.minimize(..., jac=True)` takes."""
        value, gy = self._call("lower_gradient", self._at(x, y), [1, self.m])
        return float(value[0]), gy

    def lower_gradients(self, x, y):
        """f and its gradients by x and y."""
        value, gx, gy = self._call("lower_gradients", self._at(x, y), [1, self.n, self.m])
        return float(value[0]), gx, gy

    def lower_hessian(self, x, y, v):
        """d2f/dydy v."""
        return self._call("lower_hessian", [*self._at(x, y), _read(v, self.m)], [self.m])[0]

    def lower_second_order(self, x, y, v):
        """d2f/dydy v and d2f/dxdy v."""
        return tuple(self._call("lower_second_order", [*self._at(x, y), _read(v, self.m)], [self.m, self.n]))

    def lower_cross(self, x, y, u):
        """d2f/dydx u."""
        return self._call("lower_cross", [*self._at(x, y), _read(u, self.n)], [self.m])[0]

    def reports(self, x, y):
        """What the model reports, by name."""
        values = self._call("reports", self._at(x, y), [self.k])[0]
        return dict(zip(self.manifest["reports"], values.tolist()))

    def upper_constraints(self, x, y):
        """The rows of the upper level: at most 0, or 0 for equalities."""
        return self._call("upper_constraints", self._at(x, y), [self.upper_rows])[0]

    def lower_constraints(self, x, y):
        """The rows of the lower level: at most 0, or 0 for equalities."""
        return self._call("lower_constraints", self._at(x, y), [self.lower_rows])[0]

    def lower_constraints_transposed(self, x, y, w):
        """J' w, with J the Jacobian of the lower rows by the lower variables."""
        given = [*self._at(x, y), _read(w, self.lower_rows)]
        return self._call("lower_constraints_transposed", given, [self._variables])[0]

    def solve(self, x=None, y=None, time_limit=0.0, **options):
        """Solves the model, from its start or another; `options` are numbers for options of the method."""
        given = _Options(size=ctypes.sizeof(_Options), time_limit=time_limit, count=len(options))
        start = [None if v is None else _read(v, length) for v, length in ((x, self.n), (y, self.m))]
        given.x, given.y = (None if v is None else _pointer(v) for v in start)
        names = (ctypes.c_char_p * len(options))(*(name.encode() for name in options))
        values = numpy.array(list(options.values()), dtype=numpy.float64)
        given.names, given.values = names, _pointer(values)
        found = [numpy.empty(length) for length in (self.n, self.m, self.k)]
        verdict = ctypes.create_string_buffer(2000)
        out = _Solution(size=ctypes.sizeof(_Solution), verdict_room=2000)
        out.x, out.y, out.reports = map(_pointer, found)
        out.verdict = ctypes.cast(verdict, ctypes.c_char_p)
        self._ask(_solve(self._handle, ctypes.byref(given), ctypes.byref(out)))
        plain = {name: getattr(out, name) for name, _ in _Solution._fields_[6:]}
        plain["termination"] = plain["termination"].decode()
        status = {-1: "unknown", 0: "not_solved", 1: "feasible", 2: "stationary", 3: "optimal"}
        plain["status"], plain["feasible"] = status[plain["status"]], bool(plain["feasible"])
        reports = dict(zip(self.manifest["reports"], found[2].tolist()))
        return Solution(x=found[0], y=found[1], reports=reports, verdict=verdict.value.decode(), **plain)
