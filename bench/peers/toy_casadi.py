"""A fresh process that solves the toy with MEHA in CasADi: a scalar graph, 5000 iterations by its own loop."""
import casadi as ca

x, y, t = ca.SX.sym("x"), ca.SX.sym("y", 10), ca.SX.sym("t", 10)


def F(x, y):
    return (x - 2.0) ** 2 + ca.sumsqr(y - 4.0)


def f(x, y):
    return ca.sum1(ca.sin(x + y - 2.0))


def by(value, old, new, variable):
    """The gradient of `value` by `variable`, with `new` put in for `old` afterwards."""
    return ca.substitute(ca.gradient(value, variable), old, new)


t2 = t - 0.1 * (ca.gradient(f(x, t), t) + (t - y) / 10.0)
x2 = x - 0.02 * by(F(x, y) / 2.0 + f(x, y) - f(x, t), t, t2, x)
y2 = y - 0.02 * (by(F(x, y) / 2.0 + f(x, y), x, x2, y) - (y - t2) / 10.0)
step = ca.Function("step", [ca.vertcat(x, y, t)], [ca.vertcat(x2, y2, t2)])
state = step.fold(5000)(0)
print(float((state[0] - 2.0) ** 2 + ca.sumsqr(state[1:11] - 4.0)))
