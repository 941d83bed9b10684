"""Elastic net and sparse group lasso by MEHA: on drawn data, beside the same iterations in NumPy and JAX, all on one thread."""
import os
import pathlib
import statistics
import tempfile
import time

from .run import Table, number, solve

STEPS = {"elastic": 4000, "group": 1500}


def mean(values):
    return statistics.fmean(values)


def elastic_draws(np, count):
    """The published draws, as arrays of the model."""
    luck = np.random.RandomState(42)
    for _ in range(count):
        z = luck.randn(370, 250)
        truth = np.repeat([1.0, 0.0], [15, 235])
        luck.shuffle(truth)
        yield {"z": z, "truth": truth, "noise": luck.randn(370)}


def group_draws(np, count, d):
    luck = np.random.RandomState(42)
    for _ in range(count):
        yield {"x": luck.randn(300, d), "noise": luck.randn(300)}


def rows_of(np, draw, kind):
    """The features and the answers that the model makes of a draw."""
    if kind == "elastic":
        lag = abs(np.subtract.outer(np.arange(250), np.arange(250)))
        x, truth = draw["z"] @ np.linalg.cholesky(0.5**lag).T, draw["truth"]
    else:
        x = draw["x"]
        place = np.arange(x.shape[1]) % (x.shape[1] // 3)
        truth = np.where(place < 5, place + 1.0, 0.0)
    signal = x @ truth
    return x, signal + 0.5 * np.linalg.norm(signal) / np.linalg.norm(draw["noise"]) * draw["noise"]


class Problem:
    """Both levels in an array library `np`, NumPy or that of JAX: gradients and the proximal operator, as one would write them."""

    def __init__(self, np, kind, x, y, groups=30):
        self.np, self.kind, self.groups = np, kind, groups
        cut = [100, 120, 370] if kind == "elastic" else [100, 200, 300]
        self.a, self.b, self.t = (x[i:j] for i, j in zip([0, *cut], cut))
        self.y_a, self.y_b, self.y_t = (y[i:j] for i, j in zip([0, *cut], cut))
        # The means of the sparse group lasso, the sums of the elastic net.
        self.by = [1.0, 1.0] if kind == "elastic" else [1 / 100, 1 / 100]

    def smooth(self, x, w):
        gradient = self.by[0] * (self.a.T @ (self.a @ w - self.y_a))
        return gradient + x[1] * w if self.kind == "elastic" else gradient

    def upper(self, w):
        return self.by[1] * (self.b.T @ (self.b @ w - self.y_b))

    def lengths(self, w):
        return self.np.sqrt((w.reshape(self.groups, -1) ** 2).sum(1))

    def weights(self, w):
        """The gradient of the lower objective by the leader's weights."""
        np = self.np
        one = np.sum(np.abs(w))
        if self.kind == "elastic":
            return np.stack([one, 0.5 * (w @ w)])
        return np.concatenate([self.lengths(w), one[None]])

    def prox(self, x, w, step):
        np = self.np
        one = x[0] if self.kind == "elastic" else x[-1]
        w = np.sign(w) * np.maximum(np.abs(w) - step * one, 0)
        if self.kind == "elastic":
            return w
        length = self.lengths(w)
        shrink = np.maximum(1 - step * x[:-1] / np.maximum(length, 1e-300), 0)
        return (w.reshape(self.groups, -1) * shrink[:, None]).reshape(-1)

    def errors(self, w):
        np = self.np
        return [0.5 * float(np.mean((m @ w - y) ** 2)) for m, y in [(self.b, self.y_b), (self.t, self.y_t)]]

    def step(self, k, x, w, theta, o):
        """One iteration of MEHA."""
        c = o["c"] * (k + 1) ** o["p"]
        move = self.smooth(x, theta) + (theta - w) / o["gamma"]
        theta = self.prox(x, theta - o["eta"] * move, o["eta"])
        x = self.np.maximum(x - o["alpha"] * (self.weights(w) - self.weights(theta)), 0)
        move = self.upper(w) / c + self.smooth(x, w) - (w - theta) / o["gamma"]
        w = self.prox(x, w - o["beta"] * move, o["beta"])
        return x, w, theta


def numpy_run(np, kind, rows, groups, start, options):
    """Errors of the end and seconds."""
    problem = Problem(np, kind, *rows, groups)
    x, w = start.copy(), np.zeros(rows[0].shape[1])
    theta, begin = w, time.perf_counter()
    for k in range(STEPS[kind]):
        x, w, theta = problem.step(k, x, w, theta, options)
    return problem.errors(w), time.perf_counter() - begin


class Jax:
    """The same, all iterations one compiled function, the second call of which is timed."""

    def __init__(self):
        import jax

        jax.config.update("jax_enable_x64", True)
        self.jax, self.compiled = jax, {}

    def __call__(self, kind, rows, groups, start, options):
        jax, np = self.jax, self.jax.numpy

        def run(x, rows, options):
            problem = Problem(np, kind, *rows, groups)
            w = np.zeros(rows[0].shape[1])
            once = lambda k, at: problem.step(k * 1.0, *at, options)
            return jax.lax.fori_loop(0, STEPS[kind], once, (x, w, w))

        run = self.compiled.setdefault((kind, groups, rows[0].shape), jax.jit(run))
        rows = [np.asarray(part) for part in rows]
        arguments = (np.asarray(start), rows, options)
        jax.block_until_ready(run(*arguments))
        begin = time.perf_counter()
        _, w, _ = jax.block_until_ready(run(*arguments))
        return Problem(np, kind, *rows, groups).errors(w), time.perf_counter() - begin


def blo_run(np, model, draw, method, sets=()):
    """Errors of the end and seconds of the iterations."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "draw.npz"
        np.savez(file, **draw)
        data = [word for name in draw for word in ("--data", f"{name}={file}")]
        result, complaint = solve(model, method, ["--threads", "1", *data, *sets])
    if complaint:
        raise SystemExit(complaint)
    reports = result["reports"]
    return [reports["validation"], reports["test"]], result["seconds"]["parts"]["solve"]


def race(made, name, runs):
    """Puts the means over the draws into a table."""
    errors, seconds = zip(*runs)
    validation, test = (mean(each) for each in zip(*errors))
    made.put([name, f"{validation:.2f}", f"{test:.2f}", number(mean(seconds))])


def libraries():
    """NumPy, and JAX if it is there."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    import numpy

    try:
        return numpy, Jax()
    except ImportError:
        print("without JAX")
        return numpy, None


def meha(kind, options):
    """The method's text for blo."""
    steps = f"upper_step={options['alpha']!r}, lower_step={options['eta']!r}, y_step={options['beta']!r}"
    rest = f"gamma={options['gamma']}, c={options['c']}, p={options['p']}, tolerance=0, finish=false"
    return f"meha(steps={STEPS[kind]}, {steps}, {rest})"


def three(made, kind, model, draws, groups, start, choose, sets=()):
    """The same iterations in blo, NumPy and JAX, in turns; `choose` makes the options from the lower level's curvature."""
    np, jax = libraries()
    runs = {"blo": [], "NumPy": [], "JAX": []}
    for draw in draws:
        rows = rows_of(np, draw, kind)
        curvature = np.linalg.norm(rows[0][:100], 2) ** 2 / (1 if kind == "elastic" else 100)
        options = choose(float(curvature))
        runs["blo"].append(blo_run(np, model, draw, meha(kind, options), sets))
        runs["NumPy"].append(numpy_run(np, kind, rows, groups, start, options))
        if jax:
            runs["JAX"].append(jax(kind, rows, groups, start, options))
    for name, each in runs.items():
        if each:
            race(made, name, each)
    return runs


def elastic(only):
    """The steps of the published figures, then those that blo finds."""
    del only
    np, _ = libraries()
    made = Table("run", "validation", "test", "seconds")
    model, draws = "examples/reproductions/elastic_net.blo", list(elastic_draws(np, 10))
    choose = lambda l: {"c": 1.0, "p": 0.3, "gamma": 10.0, "eta": 0.5 / l, "beta": 0.3 / l, "alpha": 0.02}
    three(made, "elastic", model, draws, None, np.array([20.0, 10.0]), choose)
    for c in [1.0, 1.2]:
        method = f"meha(steps=4000, upper_step=0.02, gamma=10, c={c}, p=0.3, tolerance=0, finish=false)"
        race(made, f"blo, `{method}`", [blo_run(np, model, draw, method) for draw in draws])
    return made.text()


def group(only):
    """Three sizes."""
    del only
    np, _ = libraries()
    made = Table("run", "validation", "test", "seconds")
    model = "examples/reproductions/sparse_group_lasso.blo"
    choose = lambda l: {"c": 10.0, "p": 0.3, "gamma": 10.0, "eta": 0.5 / l, "beta": 0.3 / l, "alpha": 0.2}
    for d, groups in [(600, 30), (1200, 150), (2400, 150)]:
        draws = list(group_draws(np, 5, d))
        sets = [word for name, value in [("d", d), ("group", groups), ("size", d // groups)] for word in ("--set", f"{name}={value}")]
        made.put([f"**{d} features, {groups} groups**", "", "", ""])
        three(made, "group", model, draws, groups, np.ones(groups + 1), choose, sets)
        method = "meha(steps=1500, upper_step=0.2, gamma=10, c=10, p=0.3, tolerance=0, finish=false)"
        race(made, f"blo, `{method}`", [blo_run(np, model, draw, method, sets) for draw in draws])
    return made.text()
