"""A fresh process that solves the toy with MEHA in eager PyTorch, 5000 iterations."""
import torch
import methods_torch


def F(x, w):
    return (x - 2.0) ** 2 + ((w[0] - 4.0) ** 2).sum()


def f(x, w):
    return torch.sin(x + w[0] - 2.0).sum()


step = methods_torch.meha(F, f, 2.0, 10.0, 0.1, 0.02, 0.02)
zero = torch.zeros(10, dtype=torch.float64)
state = (torch.zeros((), dtype=torch.float64), [zero], [zero])
for _ in range(5000):
    state, _ = step(state)
print(float(F(state[0], state[1])))
