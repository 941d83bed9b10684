"""The chain of 1000 variables in CasADi: scalar graphs, evaluated by its virtual machine. Usage: casadi_peer.py E f64 1."""
import serve  # noqa: I001 (fixes the threads; must come first)
import casadi as ca
import numpy as np


def function(n=1000):
    x = ca.SX.sym("x", n)
    a, b = x[:-1], x[1:]
    value = ca.sum1(100 * (b - a**2) ** 2 + (1 - a) ** 2) + ca.sum1(ca.sin(a * b)) + ca.log(1 + ca.sumsqr(x))
    return ca.Function("both", [x], [value, ca.gradient(value, x)])


class Build:
    """Building the expressions and their derivative."""

    def advance(self, count):
        for _ in range(count):
            function()


class Evaluate:
    """Calls without copies, so that the virtual machine is measured and not its wrapper."""

    def __init__(self):
        both = function()
        self.start, self.objective, self.gradient = np.linspace(-1, 1, 1000), np.zeros(1), np.zeros(1000)
        self.buffer, self.call = both.buffer()
        self.buffer.set_arg(0, memoryview(self.start))
        self.buffer.set_res(0, memoryview(self.objective))
        self.buffer.set_res(1, memoryview(self.gradient))

    def advance(self, count):
        for _ in range(count):
            self.call()

    def value(self, steps):
        self.call()
        return float(self.objective[0])


CASES = {"compile chain": Build, "chain": Evaluate}
serve.main(lambda name: CASES[name]())
