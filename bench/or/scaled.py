"""The records of problems.json that can be had at any size, as models with a `dim n`, and their best known values at a size.

`models()` gives (name, text); `known(name, n)` the optimum, or None where nobody computed it: 0 for the SMD problems, by their construction, and for the others what numpy
finds by a route that has nothing in common with blo's methods: a linear system, or the follower solved in closed form and the leader's
function minimised over what is left. The leaders of SMD start at 0.3, since at 0 they would start at the answer."""

import json
from pathlib import Path

import numpy

KEPT = Path(__file__).parent / "scaled.json"

SMD = {
    "SMD3_p1q1r1": ("[-5, 10]", ["y1: real[n] in [-5, 10]", "y2: real[n] in [-1.5707, 1.5707]"],
        "sumsq(x1) + sumsq(y1) + sumsq(x2) + sum((x2[i]^2 - tan(y2[i]))^2 for i in n)",
        "sumsq(x1) + sum(1 + y1[i]^2 - cos(2 * pi * y1[i]) for i in n) + sum((x2[i]^2 - tan(y2[i]))^2 for i in n)"),
    "SMD4_p1q1r1": ("[-1, 1]", ["y1: real[n] in [-5, 10]", "y2: real[n] in [0, 2.718281828]"],
        "sumsq(x1) - sumsq(y1) + sumsq(x2) - sum((abs(x2[i]) - log(1 + y2[i]))^2 for i in n)",
        "sumsq(x1) + sum(1 + y1[i]^2 - cos(2 * pi * y1[i]) for i in n) + sum((abs(x2[i]) - log(1 + y2[i]))^2 for i in n)"),
    "SMD5_p1q2r1": ("[-5, 10]", ["y1: real[n] in [-5, 10]", "y2: real[n] in [-5, 10]"],
        "sumsq(x1) - valley(y1) + sumsq(x2) - sum((abs(x2[i]) - y2[i]^2)^2 for i in n)",
        "sumsq(x1) + valley(y1) + sum((abs(x2[i]) - y2[i]^2)^2 for i in n)"),
    "SMD6_p1q0r1s2": ("[-5, 10]", ["y1: real[n] in [-5, 10]", "s: real[2, n] in [-5, 10]", "y2: real[n] in [-5, 10]"],
        "sumsq(x1) - sumsq(y1) + sumsq(s) + sumsq(x2) - sum((x2[i] - y2[i])^2 for i in n)",
        "sumsq(x1) + sumsq(y1) + sum((s[1, i] - s[0, i])^2 for i in n) + sum((x2[i] - y2[i])^2 for i in n)"),
    "SMD7_p1q1r1": ("[-5, 1]", ["y1: real[n] in [-5, 10]", "y2: real[n] in [0.001, 2.718281828]"],
        "1 + sumsq(x1) / 400 - prod(cos(x1[i] / sqrt(i + 1)) for i in n) - sumsq(y1) + sumsq(x2)"
        " - sum((x2[i] - log(y2[i]))^2 for i in n)",
        "sum(x1[i]^3 for i in n) + sumsq(y1) + sum((x2[i] - log(y2[i]))^2 for i in n)"),
    "SMD8_p1q2r1": ("[-5, 10]", ["y1: real[n] in [-5, 10]", "y2: real[n] in [-5, 10]"],
        "20 + exp(1) - 20 * exp(-0.2 * norm(x1) / sqrt(n)) - exp(mean(cos(2 * pi * x1[i]) for i in n)) - valley(y1) + sumsq(x2)"
        " - sum((x2[i] - y2[i]^3)^2 for i in n)",
        "sum(abs(x1[i]) for i in n) + valley(y1) + sum((x2[i] - y2[i]^3)^2 for i in n)"),
}

VALLEY = "fn valley(y) = sum((y[i + 1] - y[i]^2)^2 + (y[i] - 1)^2 for i in 0..n - 1)"

TRACKING = """upper {
  var x: real[n]
  minimize sum((y[i] - (i + 1))^2 for i in n) + 0.5 * sumsq(x)
}
lower {
  var y: real[n]
  minimize sum((y[i] - x[i])^2 for i in n) + 0.5 * sum((y[i + 1] - y[i])^2 for i in 0..n - 1)
}
"""

# Rows of training and of validation data that look random, with an answer of which two thirds are 0.
RIDGE = """dim m = 2 * n

data A: real[m, n] = [sin(0.7 * (i + 1) * (j + 1) + 1.3 * (i + 1)^2) for i in m, j in n]
data C: real[m, n] = [sin(1.1 * (i + 1) * (j + 2) + 0.9 * (i + 1)^2) for i in m, j in n]
data w: real[n] = [if mod(j, 3) == 0 then cos(j) else 0 for j in n]
data b: real[m] = [A[i] @ w + 0.5 * sin(2.3 * (i + 1)^2) for i in m]
data d: real[m] = [C[i] @ w + 0.5 * sin(1.9 * (i + 1)^2) for i in m]

upper {
  var x: real%s in [-8, 5]
  minimize sumsq(C @ y - d)
}
lower {
  var y: real[n]
  minimize sumsq(A @ y - b) + %s
}
"""

SIMPLEX = """upper {
  var x: real[n] in [-2, 2]
  minimize sumsq(x) / 20 + (y[0] - 1 / 5)^2 + (y[1] - 7 / 10)^2
}
lower {
  var y: real[n] in nonneg
  minimize 0.5 * sumsq(y) - x @ y
  subject to sum(y) == 1
}
"""


def smd(name):
    """One of the SMD problems with `p = q = r = n` (and `s = 2 n`)."""
    second, lower, leader, follower = SMD[name]
    lines = (["let pi = 3.141592653589793"] if " pi " in leader + follower else []) + ([VALLEY] if "valley" in leader else [])
    lines += ["", "upper {", "  var x1: real[n] in [-5, 10] = 0.3", f"  var x2: real[n] in {second} = 0.3", f"  minimize {leader}", "}"]
    lines += ["lower {", *(f"  var {variable}" for variable in lower), f"  minimize {follower}", "}"]
    return "\n".join(lines) + "\n"


def models(records):
    """Every scalable record, as (name, text)."""
    for record in records:
        name = record["name"]
        if "scalable" not in record:
            continue
        if name in SMD:
            body = smd(name)
        elif name == "quadratic_tracking_n3":
            body = TRACKING
        elif name == "ridge_hyperparameter_1":
            body = RIDGE % ("", "exp(x) * sumsq(y)")
        elif name == "ridge_hyperparameter_2":
            body = RIDGE % ("[n]", "sum(exp(x[j]) * y[j]^2 for j in n)")
        else:
            body = SIMPLEX
        yield name, f"# {name} at size n. Source: {record['source']}.\n\ndim n = 10\n{body}\nsolve auto()\n"


def tracking(n):
    """`(I + L / 2) y = x` with L of the path, so `min |y - t|² + |A y|² / 2` is a linear system."""
    a = numpy.eye(n)
    for i in range(n - 1):
        a[i, i] += 0.5
        a[i + 1, i + 1] += 0.5
        a[i, i + 1] -= 0.5
        a[i + 1, i] -= 0.5
    target = numpy.arange(1.0, n + 1)
    y = numpy.linalg.solve(2 * numpy.eye(n) + a.T @ a, 2 * target)
    return float(sum((y - target) ** 2) + 0.5 * sum((a @ y) ** 2))


def simplex(n):
    """The follower projects x on the simplex: `y = max(0, x - t)`. Given t and how many of the equal last n - 2 are above it, the leader's
    problem is a small convex program; here by coordinates that solve it, over all counts."""
    best = numpy.inf
    for k in range(0, n - 1):
        for positive in ([True, False] if k else [True]):
            best = min(best, piece(n, k, positive))
    return best


def piece(n, k, positive):
    """The least value with `k` of the last above t and t >= 0 (or <= 0): a program in (y1, y2, t) with s = 1 - y1 - y2 >= 0."""
    rest = 0 if positive else n - 2 - k

    def least(t):
        # Over y1, y2 >= 0 with s = 1 - y1 - y2 >= 0 (= 0 without others): a convex quadratic, by its stationary point or on its borders.
        def value(y1, y2):
            s = 1 - y1 - y2
            return (0.05 * ((y1 + t) ** 2 + (y2 + t) ** 2 + (k * (s / k + t) ** 2 if k else 0) + rest * t * t)
                + (y1 - 0.2) ** 2 + (y2 - 0.7) ** 2)

        if not k:
            # y2 = 1 - y1.
            y1 = numpy.clip(0.5 * (1 + (0.2 - 0.7) / 1.05), 0, 1)
            return value(y1, 1 - y1)
        # (1.05 + 0.05 / k) on the diagonal, 0.05 / k beside it; the terms of t cancel between y and s.
        a = numpy.array([[1.05 + 0.05 / k, 0.05 / k], [0.05 / k, 1.05 + 0.05 / k]])
        y = numpy.linalg.solve(a, numpy.array([0.2, 0.7]) + 0.05 / k)
        if y.sum() > 1:
            y1 = numpy.clip(0.5 * (1 + (0.2 - 0.7) / 1.05), 0, 1)
            y = numpy.array([y1, 1 - y1])
        return value(*y)

    # In t: a quadratic with terms 0.05 (2 + k + rest) t² + 0.1 t, whose least value is at -1 / (2 + k + rest), cut at 0.
    t = 0.0 if positive else -1.0 / (2 + k + rest)
    return float(least(t))


def data(n):
    """The data of the ridge models."""
    m = 2 * n
    i, j = numpy.arange(1, m + 1)[:, None] * 1.0, numpy.arange(n)[None, :] * 1.0
    a = numpy.sin(0.7 * i * (j + 1) + 1.3 * i**2)
    c = numpy.sin(1.1 * i * (j + 2) + 0.9 * i**2)
    w = numpy.where(numpy.arange(n) % 3 == 0, numpy.cos(numpy.arange(n) * 1.0), 0.0)
    b = a @ w + 0.5 * numpy.sin(2.3 * i[:, 0] ** 2)
    d = c @ w + 0.5 * numpy.sin(1.9 * i[:, 0] ** 2)
    return a, b, c, d


def ridge_one(n):
    """One weight: the eigenvectors of AᵀA make every follower a division, so the leader's function is drawn and its least value found by thirds."""
    a, b, c, d = data(n)
    values, vectors = numpy.linalg.eigh(a.T @ a)
    right, turned = vectors.T @ (a.T @ b), c @ vectors

    def leader(x):
        return float(numpy.sum((turned @ (right / (values + numpy.exp(x))) - d) ** 2))

    grid = numpy.linspace(-8, 5, 400)
    at = int(numpy.argmin([leader(x) for x in grid]))
    low, high = grid[max(at - 1, 0)], grid[min(at + 1, len(grid) - 1)]
    for _ in range(80):
        one, two = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, two) if leader(one) < leader(two) else (one, high)
    return leader(0.5 * (low + high))


def ridge_all(n):
    """One weight per feature, not convex: Newton's steps on the exact dense Hessian of the leader's function, damped until Cholesky's method
    takes it and projected onto the bounds, from several starts; the best is kept. At size 1000 one start, some minutes."""
    # Nothing else here needs it.
    import scipy.linalg

    a, b, c, d = data(n)
    gram, right, square = a.T @ a, a.T @ b, c.T @ c
    low, high = -8.0, 5.0

    def leader(x):
        weights = numpy.exp(x)
        factor = scipy.linalg.cho_factor(gram + numpy.diag(weights))
        y = scipy.linalg.cho_solve(factor, right)
        off = c @ y - d
        adjoint = 2 * scipy.linalg.cho_solve(factor, c.T @ off)
        return float(off @ off), -weights * y * adjoint, (weights, factor, y, adjoint)

    def hessian(gradient, weights, factor, y, adjoint):
        moves = -scipy.linalg.cho_solve(factor, numpy.diag(weights * y))
        mixed = (weights * adjoint)[:, None] * moves
        return numpy.diag(gradient) - mixed - mixed.T + 2 * moves.T @ (square @ moves)

    def descend(x):
        value, slope, state = leader(x)
        damping = 1e-3
        for _ in range(300):
            left = numpy.linalg.norm(numpy.clip(x - slope, low, high) - x)
            if left < 1e-9 * max(1, value):
                break
            near = min(1e-3, left)
            free = ~((x <= low + near) & (slope > 0) | (x >= high - near) & (slope < 0))
            curved = hessian(slope, *state)[numpy.ix_(free, free)]
            for _ in range(30):
                try:
                    factor = scipy.linalg.cho_factor(curved + damping * numpy.eye(free.sum()))
                except scipy.linalg.LinAlgError:
                    damping = max(4 * damping, 1e-6)
                    continue
                step = -slope.copy()
                step[free] = -scipy.linalg.cho_solve(factor, slope[free])
                moved = numpy.clip(x + step, low, high)
                step = moved - x
                now = leader(moved)
                if slope @ step < 0 and now[0] < value + 1e-4 * slope @ step:
                    break
                damping = max(4 * damping, 1e-6)
            else:
                break
            ratio = (value - now[0]) / -(slope @ step + 0.5 * step[free] @ curved @ step[free])
            damping *= 0.2 if ratio > 0.75 else 2 if ratio < 0.25 else 1
            x, (value, slope, state) = moved, now
        return value

    starts = (0.0, 3.0, -3.0, 5.0) if n <= 200 else (3.0,)
    return min(descend(numpy.full(n, start)) for start in starts)


def found(name, n):
    """The best value at size `n`, computed anew."""
    if name in SMD:
        return 0.0
    return {
        "quadratic_tracking_n3": tracking,
        "ridge_hyperparameter_1": ridge_one,
        "ridge_hyperparameter_2": ridge_all,
        "simplex_response": simplex,
    }[name](n)


def known(name, n):
    """The best value at size `n`, from scaled.json where it was computed before."""
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    key = f"{name} {n}"
    if key not in kept:
        kept[key] = found(name, n)
        KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    return kept[key]
