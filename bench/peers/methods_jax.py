"""Outer iterations of the methods in JAX, as blo does them: same starts, formulas and order. `f(x, w)` is the lower objective, `F(x, w)`
the upper; `w` is any tree of arrays. Each function returns `step(state) -> (state, value of F)`, to be compiled as a whole."""
import jax
import jax.numpy as jnp
from jax import lax

tree = jax.tree_util.tree_map


def axpy(a, x, y):
    return tree(lambda p, q: a * p + q, x, y)


def dot(a, b):
    leaves = jax.tree_util.tree_leaves
    return sum(jnp.vdot(p, q) for p, q in zip(leaves(a), leaves(b)))


def descend(f, x, w, steps, size):
    gradient = jax.grad(f, 1)
    return lax.fori_loop(0, steps, lambda _, w: axpy(-size, gradient(x, w), w), w)


def rhg(F, f, start, steps, last, size, upper_step):
    gradient = jax.grad(f, 1)

    def unrolled(x):
        w = start
        if steps > last:
            w = lax.stop_gradient(descend(f, lax.stop_gradient(x), w, steps - last, size))
        w = lax.scan(lambda w, _: (axpy(-size, gradient(x, w), w), None), w, None, length=last)[0]
        return F(x, w)

    def step(x):
        value, g = jax.value_and_grad(unrolled)(x)
        return x - upper_step * g, value

    return step


def implicit(F, f, start, steps, size, upper_step, solve):
    gradient = jax.grad(f, 1)

    def step(x):
        w = descend(f, x, start, steps, size)
        value, (direct, right) = jax.value_and_grad(F, (0, 1))(x, w)
        _, hessian = jax.linearize(lambda w: gradient(x, w), w)
        v = solve(hessian, right)
        cross = jax.grad(lambda x: dot(gradient(x, w), v))(x)
        return x - upper_step * (direct - cross), value

    return step


def conjugate_gradients(steps):
    def solve(hessian, b):
        def body(_, carry):
            v, r, p, rr = carry
            q = hessian(p)
            a = rr / dot(p, q)
            v, r = axpy(a, p, v), axpy(-a, q, r)
            new = dot(r, r)
            return v, r, axpy(new / rr, p, r), new

        zero = tree(jnp.zeros_like, b)
        return lax.fori_loop(0, steps, body, (zero, b, b, dot(b, b)))[0]

    return solve


def neumann(steps, size):
    """`size` times the sum of `(I − size H)^k b` for k from 0 to `steps`."""

    def solve(hessian, b):
        def body(_, carry):
            v, p = carry
            p = axpy(-size, hessian(p), p)
            return axpy(1.0, p, v), p

        v, _ = lax.fori_loop(0, steps, body, (b, b))
        return tree(lambda t: size * t, v)

    return solve


def bome(F, f, inner, size, upper_step, y_step, eta=0.5, epsilon=1e-8):
    def step(state):
        x, w = state
        copy = descend(f, x, w, inner, size)
        value, (Fx, Fw) = jax.value_and_grad(F, (0, 1))(x, w)
        fx, fw = jax.grad(f, (0, 1))(x, w)
        qx = fx - jax.grad(f)(x, copy)
        square = jnp.vdot(qx, qx) + dot(fw, fw)
        weight = jnp.maximum(eta - (jnp.vdot(Fx, qx) + dot(Fw, fw)) / (square + epsilon), 0.0)
        w = tree(lambda w, a, b: w - y_step * (a + weight * b), w, Fw, fw)
        return (x - upper_step * (Fx + weight * qx), w), value

    return step


def meha(F, f, c, gamma, eta, alpha, beta):
    def step(state):
        x, y, theta = state
        ft = jax.grad(f, 1)(x, theta)
        theta = tree(lambda t, q, y: t - eta * (q + (t - y) / gamma), theta, ft, y)
        x = x - alpha * (jax.grad(F)(x, y) / c + jax.grad(f)(x, y) - jax.grad(f)(x, theta))
        value, Fy = jax.value_and_grad(F, 1)(x, y)
        fy = jax.grad(f, 1)(x, y)
        y = tree(lambda y, a, b, t: y - beta * (a / c + b - (y - t) / gamma), y, Fy, fy, theta)
        return (x, y, theta), value

    return step
