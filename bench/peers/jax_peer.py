"""The workloads in JAX, each whole outer iteration compiled as one function. Usage: jax_peer.py WORKLOAD f64|f32 THREADS [--once CASE:K]."""
import serve  # noqa: I001 (fixes the threads; must come first)
import jax
import jax.numpy as jnp
import numpy as np
import data
import methods_jax as m

jax.config.update("jax_enable_x64", serve.PRECISION == "f64")
REAL = jnp.float64 if serve.PRECISION == "f64" else jnp.float32


class Loop:
    """Iterations driven from Python, one call each. `make(F, f)` gives the step; the data are arguments of the compiled function."""

    def __init__(self, make, F, f, arrays, start, from_state):
        self.start, self.arrays = start, arrays
        bind = lambda a: (lambda v, w: F(v, w, a), lambda v, w: f(v, w, a))
        self.step = jax.jit(lambda s, a: make(*bind(a))(s)).lower(start, arrays).compile()
        # A method that solves the lower level tells the objective there; for the others it is that of the point.
        self.objective = jax.jit(lambda s, a: F(s[0], s[1], a)) if from_state else None

    def advance(self, count):
        state = self.start
        for _ in range(count):
            state, value = self.step(state, self.arrays)
            float(value)
        jax.block_until_ready(state)

    def value(self, steps):
        state = self.start
        for _ in range(steps if self.objective else steps + 1):
            state, value = self.step(state, self.arrays)
        return float(self.objective(state, self.arrays) if self.objective else value)


class Fused:
    """All iterations in one compiled loop, in blocks of 10,000."""

    BLOCK = 10_000

    def __init__(self, step, start, objective):
        self.start, self.objective = start, objective
        run = lambda s, n: jax.lax.fori_loop(0, n, lambda _, s: step(s)[0], s)
        self.block = jax.jit(lambda s: run(s, self.BLOCK)).lower(start).compile()
        self.run = jax.jit(run, static_argnums=1)

    def advance(self, count):
        for _ in range(count):
            jax.block_until_ready(self.block(self.start))

    def value(self, steps):
        return float(self.objective(self.run(self.start, steps)))


class Calls:
    """Blocks of 10,000 iterations, one call from Python each: what a loop costs that has to look at every iterate."""

    def __init__(self, step, start):
        self.start, self.step = start, jax.jit(lambda s: step(s)[0])

    def advance(self, count):
        for _ in range(count):
            state = self.start
            for _ in range(Fused.BLOCK):
                state = self.step(state)
            jax.block_until_ready(state)


def cross_entropy(scores, hot):
    return jax.nn.logsumexp(scores, axis=1) - (scores * hot).sum(axis=1)


def cleaning(workload, scores, start, lower_steps):
    """The cases of B and C."""
    x, y, xv, yv = data.load(workload, "x y xv yv")
    hot = np.eye(10)
    arrays = tuple(jnp.asarray(a, REAL) for a in (x, hot[y], xv, hot[yv]))
    ridge = data.RIDGE[workload]

    def f(v, w, a):
        squares = sum((p * p).sum() for p in jax.tree_util.tree_leaves(w))
        return (jax.nn.sigmoid(v) * cross_entropy(scores(w, a[0]), a[1])).mean() + ridge * squares

    def F(v, w, a):
        return cross_entropy(scores(w, a[2]), a[3]).mean()

    v, w = jnp.zeros(len(y), REAL), start
    loop = lambda make, state, from_state: lambda: Loop(make, F, f, arrays, state, from_state)
    solved = lambda solve: lambda F, f: m.implicit(F, f, w, lower_steps, 0.1, 1.0, solve)
    unrolled = lambda last: lambda F, f: m.rhg(F, f, w, lower_steps, last, 0.1, 1.0)
    return {
        "bome10": loop(lambda F, f: m.bome(F, f, 10, 0.1, 1.0, 0.1), (v, w), True),
        "meha": loop(lambda F, f: m.meha(F, f, 1.0, 10.0, 0.1, 1.0, 0.1), (v, w, w), True),
        "cg20": loop(solved(m.conjugate_gradients(20)), v, False),
        "neumann20": loop(solved(m.neumann(20, 0.1)), v, False),
        "trhg20": loop(unrolled(20), v, False),
        "rhg100": loop(unrolled(lower_steps), v, False),
    }


def toy():
    F = lambda x, y: (x - 2.0) ** 2 + ((y - 4.0) ** 2).sum()
    f = lambda x, y: jnp.sin(x + y - 2.0).sum()
    at = lambda s: F(s[0], s[1])
    step = {"meha": m.meha(F, f, 2.0, 10.0, 0.1, 0.02, 0.02), "bome10": m.bome(F, f, 10, 0.1, 0.02, 0.02)}
    made = {}
    for n in (1, 10, 100):
        x, y = jnp.zeros((), REAL), jnp.zeros(n, REAL)
        for method, state in (("meha", (x, y, y)), ("bome10", (x, y))):
            made[f"{method}, n = {n}"] = lambda a=step[method], s=state: Fused(a, s, at)
            made[f"{method}, n = {n}, call by call"] = lambda a=step[method], s=state: Calls(a, s)
    return made


def ridge():
    """Workload A: conjugate gradients for the lower level and for the adjoint, with products by automatic differentiation."""
    arrays = tuple(jnp.asarray(a, REAL) for a in data.load("ridge", "x y xv yv"))

    def f(v, w, a):
        r = a[0] @ w - a[1]
        return r @ r / len(a[1]) + jnp.exp(v) * (w @ w)

    def F(v, w, a):
        r = a[2] @ w - a[3]
        return r @ r / len(a[3])

    def make(F, f):
        solve = m.conjugate_gradients(30)

        def step(v):
            zero = jnp.zeros(200, REAL)
            gradient = jax.grad(f, 1)
            b, hessian = jax.linearize(lambda w: gradient(v, w), zero)
            w = solve(hessian, -b)
            value, right = jax.value_and_grad(F, 1)(v, w)
            u = solve(hessian, right)
            return v + 0.1 * jax.grad(lambda v: gradient(v, w) @ u)(v), value

        return step

    return {"cg30": lambda: Loop(make, F, f, arrays, jnp.asarray(-2.0, REAL), False)}


class Compile:
    """Tracing and compiling `function` for arguments of these shapes."""

    def __init__(self, function, *shapes):
        self.function, self.shapes = function, shapes
        jax.jit(lambda x: x + 1).lower(jnp.zeros(3)).compile()  # Starts the back end.

    def advance(self, count):
        for _ in range(count):
            jax.clear_caches()
            jax.jit(self.function).lower(*self.shapes).compile()


class Evaluate:
    """Calls of a compiled function."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = jax.jit(function).lower(*arguments).compile(), arguments

    def advance(self, count):
        for _ in range(count):
            jax.block_until_ready(self.function(*self.arguments))

    def value(self, steps):
        return float(self.function(*self.arguments)[0])


def compiling():
    """Workload E: value, gradient and second-order product of the lower objectives of B and C; a chain of 1000 variables."""
    array = lambda *shape: jax.ShapeDtypeStruct(shape, REAL)

    def products(scores):
        def f(v, w, X, Y):
            squares = sum((p * p).sum() for p in jax.tree_util.tree_leaves(w))
            return (jax.nn.sigmoid(v) * cross_entropy(scores(w, X), Y)).mean() + 0.001 * squares

        def all_three(v, w, u, X, Y):
            value, gradient = jax.value_and_grad(f, 1)(v, w, X, Y)
            return value, gradient, jax.jvp(lambda w: jax.grad(f, 1)(v, w, X, Y), (w,), (u,))[1]

        return all_three

    linear = products(lambda w, X: X @ w.T)
    network = products(lambda w, X: jnp.tanh(X @ w[0] + w[1]) @ w[2] + w[3])
    w = array(10, 784)
    ws = [array(784, 200), array(200), array(200, 10), array(10)]

    def chain(x):
        a, b = x[:-1], x[1:]
        return (100 * (b - a**2) ** 2 + (1 - a) ** 2).sum() + jnp.sin(a * b).sum() + jnp.log(1 + x @ x)

    start = jnp.linspace(-1, 1, 1000, dtype=REAL)
    both = jax.value_and_grad(chain)
    return {
        "compile B": lambda: Compile(linear, array(5000), w, w, array(5000, 784), array(5000, 10)),
        "compile C": lambda: Compile(network, array(500), ws, ws, array(500, 784), array(500, 10)),
        "compile chain": lambda: Compile(both, start),
        "chain": lambda: Evaluate(both, start),
    }


def chains():
    """Workload F: sums of elementwise chains with their gradients."""
    kinds = {
        "arithmetic": lambda x: ((x * x + 0.5) * x - 0.25) * (x + 1) + x * (0.125 - x),
        "functions": lambda x: jnp.tanh(x) * jnp.exp(-x * x) + jax.nn.softplus(x),
    }
    made = {}
    for kind, chain in kinds.items():
        both = jax.value_and_grad(lambda x, chain=chain: chain(x).sum())
        for n in (1000, 100_000, 10_000_000):
            start = lambda n=n: 0.5 + jnp.arange(n, dtype=REAL) / n
            made[f"{kind} {n}"] = lambda both=both, start=start: Evaluate(both, start())
    return made


def cases():
    if serve.WORKLOAD == "A":
        return ridge()
    if serve.WORKLOAD == "B":
        return cleaning("cleaning", lambda w, X: X @ w.T, jnp.zeros((10, 784), REAL), 100)
    if serve.WORKLOAD == "C":
        start1, start2 = data.load("network", "start1 start2")
        w = [jnp.asarray(a, REAL) for a in (start1, np.zeros(200), start2, np.zeros(10))]
        return cleaning("network", lambda w, X: jnp.tanh(X @ w[0] + w[1]) @ w[2] + w[3], w, 10)
    return {"D": toy, "E": compiling, "F": chains}[serve.WORKLOAD]()


CASES = cases()
serve.main(lambda name: CASES[name]())
