"""BOME on the toy in one jit: F = (x-2)^2 + ||y-4||^2, f = sum sin(x + y_i - 2), y in R^10.

Usage: jax_toy.py STEPS. Prints one JSON line: the point reached and the time of one iteration, measured on a second call.
"""
import json
import sys
import time

import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)
STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
LOWER_STEPS, LOWER_STEP, STEP, ETA = 10, 0.1, 0.02, 0.5


def upper(x, y):
    return (x - 2.0) ** 2 + ((y - 4.0) ** 2).sum()


def lower(x, y):
    return jnp.sin(x + y - 2.0).sum()


lower_y = jax.grad(lower, 1)


def iteration(_, state):
    x, y = state
    copy = jax.lax.fori_loop(0, LOWER_STEPS, lambda _, z: z - LOWER_STEP * lower_y(x, z), y)
    ux, uy = jax.grad(upper, (0, 1))(x, y)
    lx, ly = jax.grad(lower, (0, 1))(x, y)
    qx = lx - jax.grad(lower)(x, copy)
    square = qx * qx + ly @ ly
    weight = jnp.maximum(ETA - (ux * qx + uy @ ly) / (square + 1e-8), 0.0)
    return x - STEP * (ux + weight * qx), y - STEP * (uy + weight * ly)


run = jax.jit(lambda s: jax.lax.fori_loop(0, STEPS, iteration, s))
start = (jnp.zeros(()), jnp.zeros(10))
x, y = jax.block_until_ready(run(start))
began = time.perf_counter()
jax.block_until_ready(run(start))
micros = (time.perf_counter() - began) / STEPS * 1e6
print(json.dumps({"x": float(x), "y": float(y[0]), "micros_per_iteration": micros}))
