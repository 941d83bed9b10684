"""Outer iterations of the methods in eager PyTorch, as blo does them. `f(x, w)` is the lower objective, `F(x, w)` the upper; `w` is a
list of tensors. Each function returns `step(state) -> (state, value of F)`."""
import torch

grad = torch.autograd.grad


def leaf(tensors):
    return [t.detach().requires_grad_(True) for t in tensors]


def dot(a, b):
    return sum((p * q).sum() for p, q in zip(a, b))


def axpy(a, x, y):
    return [q + a * p for p, q in zip(x, y)]


def by_x(value, x):
    """The gradient, zero where the value does not read `x`."""
    g, = grad(value, x, allow_unused=True)
    return torch.zeros_like(x) if g is None else g


def descend(f, x, w, steps, size):
    for _ in range(steps):
        w = leaf(w)
        w = axpy(-size, grad(f(x, w), w), w)
        w = [t.detach() for t in w]
    return w


def rhg(F, f, start, steps, last, size, upper_step):
    def step(x):
        x = x.detach().requires_grad_(True)
        w = leaf(descend(f, x.detach(), start, steps - last, size))
        for _ in range(last):
            w = axpy(-size, grad(f(x, w), w, create_graph=True), w)
        value = F(x, w)
        return x.detach() - upper_step * by_x(value, x), value.detach()

    return step


def implicit(F, f, start, steps, size, upper_step, solve):
    def step(x):
        x = x.detach().requires_grad_(True)
        w = leaf(descend(f, x.detach(), start, steps, size))
        value = F(x, w)
        direct, *right = grad(value, [x, *w], allow_unused=True)
        gradient = grad(f(x, w), w, create_graph=True)
        v = solve(lambda p: grad(gradient, w, grad_outputs=p, retain_graph=True), right)
        cross, = grad(gradient, x, grad_outputs=v)
        g = -cross if direct is None else direct - cross
        return x.detach() - upper_step * g, value.detach()

    return step


def conjugate_gradients(steps):
    def solve(hessian, b):
        v, r, p = [torch.zeros_like(t) for t in b], list(b), list(b)
        rr = dot(r, r)
        for _ in range(steps):
            q = hessian(p)
            a = rr / dot(p, q)
            v, r = axpy(a, p, v), axpy(-a, q, r)
            new = dot(r, r)
            p, rr = axpy(new / rr, p, r), new
        return v

    return solve


def neumann(steps, size):
    def solve(hessian, b):
        v = p = list(b)
        for _ in range(steps):
            p = axpy(-size, hessian(p), p)
            v = axpy(1.0, p, v)
        return [size * t for t in v]

    return solve


def bome(F, f, inner, size, upper_step, y_step, eta=0.5, epsilon=1e-8):
    def step(state):
        x, w = state
        x = x.detach().requires_grad_(True)
        copy = descend(f, x.detach(), w, inner, size)
        w = leaf(w)
        value = F(x, w)
        Fx, *Fw = grad(value, [x, *w], allow_unused=True)
        Fx = torch.zeros_like(x) if Fx is None else Fx
        fx, *fw = grad(f(x, w), [x, *w])
        qx = fx - by_x(f(x, copy), x)
        square = (qx * qx).sum() + dot(fw, fw)
        weight = torch.clamp(eta - ((Fx * qx).sum() + dot(Fw, fw)) / (square + epsilon), min=0.0)
        w = [p.detach() - y_step * (a + weight * b) for p, a, b in zip(w, Fw, fw)]
        return (x.detach() - upper_step * (Fx + weight * qx), w), value.detach()

    return step


def meha(F, f, c, gamma, eta, alpha, beta):
    def step(state):
        x, y, theta = state
        x, theta = x.detach(), leaf(theta)
        ft = grad(f(x, theta), theta)
        theta = [(t - eta * (q + (t - p) / gamma)).detach() for t, q, p in zip(theta, ft, y)]
        x = x.requires_grad_(True)
        x = (x - alpha * by_x(F(x, y) / c + f(x, y) - f(x, theta), x)).detach()
        y = leaf(y)
        value = F(x, y)
        gy = grad(value / c + f(x, y), y)
        y = [(p - beta * (q - (p - t) / gamma)).detach() for p, q, t in zip(y, gy, theta)]
        return (x, y, theta), value.detach()

    return step
