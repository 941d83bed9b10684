"""The workloads in eager PyTorch. Usage: torch_peer.py WORKLOAD f64|f32 THREADS [--once CASE:K]."""
import serve  # noqa: I001 (fixes the threads; must come first)
import numpy as np
import torch
import torch.nn.functional as nn
import data
import methods_torch as m

torch.set_num_threads(serve.THREADS)
REAL = torch.float64 if serve.PRECISION == "f64" else torch.float32


class Loop:
    """Iterations driven from Python."""

    def __init__(self, step, start, objective=None):
        self.step, self.start, self.objective = step, start, objective

    def advance(self, count):
        state = self.start
        for _ in range(count):
            state, value = self.step(state)
            float(value)

    def value(self, steps):
        state = self.start
        for _ in range(steps if self.objective else steps + 1):
            state, value = self.step(state)
        return float(self.objective(state) if self.objective else value)


def tensor(array):
    return torch.from_numpy(np.ascontiguousarray(array)).to(REAL)


def cleaning(workload, scores, start, lower_steps):
    """The cases of B and C."""
    x, y, xv, yv = data.load(workload, "x y xv yv")
    ridge = data.RIDGE[workload]
    X, XV, Y, YV = tensor(x), tensor(xv), torch.from_numpy(y), torch.from_numpy(yv)

    def f(v, w):
        loss = nn.cross_entropy(scores(w, X), Y, reduction="none")
        return (torch.sigmoid(v) * loss).mean() + ridge * sum((p * p).sum() for p in w)

    def F(v, w):
        return nn.cross_entropy(scores(w, XV), YV)

    v, w = torch.zeros(len(y), dtype=REAL), start
    at = lambda state: F(state[0], state[1])
    solved = lambda solve: m.implicit(F, f, w, lower_steps, 0.1, 1.0, solve)
    return {
        "bome10": Loop(m.bome(F, f, 10, 0.1, 1.0, 0.1), (v, w), at),
        "meha": Loop(m.meha(F, f, 1.0, 10.0, 0.1, 1.0, 0.1), (v, w, w), at),
        "cg20": Loop(solved(m.conjugate_gradients(20)), v),
        "neumann20": Loop(solved(m.neumann(20, 0.1)), v),
        "trhg20": Loop(m.rhg(F, f, w, lower_steps, 20, 0.1, 1.0), v),
        "rhg100": Loop(m.rhg(F, f, w, lower_steps, lower_steps, 0.1, 1.0), v),
    }


def cases():
    if serve.WORKLOAD == "B":
        return cleaning("cleaning", lambda w, X: nn.linear(X, w[0]), [torch.zeros(10, 784, dtype=REAL)], 100)
    start1, start2 = data.load("network", "start1 start2")
    w = [tensor(a) for a in (start1.T, np.zeros(200), start2.T, np.zeros(10))]
    return cleaning("network", lambda w, X: nn.linear(torch.tanh(nn.linear(X, w[0], w[1])), w[2], w[3]), w, 10)


CASES = cases()
serve.main(lambda name: CASES[name])
