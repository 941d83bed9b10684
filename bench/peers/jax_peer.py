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

    def f(v, w, a):
        squares = sum((p * p).sum() for p in jax.tree_util.tree_leaves(w))
        return (jax.nn.sigmoid(v) * cross_entropy(scores(w, a[0]), a[1])).mean() + 0.001 * squares

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


def cases():
    if serve.WORKLOAD == "B":
        return cleaning("cleaning", lambda w, X: X @ w.T, jnp.zeros((10, 784), REAL), 100)
    if serve.WORKLOAD == "C":
        start1, start2 = data.load("network", "start1 start2")
        w = [jnp.asarray(a, REAL) for a in (start1, np.zeros(200), start2, np.zeros(10))]
        return cleaning("network", lambda w, X: jnp.tanh(X @ w[0] + w[1]) @ w[2] + w[3], w, 10)
    return toy()


CASES = cases()
serve.main(lambda name: CASES[name]())
