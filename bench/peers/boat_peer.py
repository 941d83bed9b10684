"""Workload B through BOAT, the toolbox for bilevel optimisation in PyTorch, timed around its `run_iter`, which is what a user waits for.
Usage: boat_peer.py B f64|f32 THREADS."""
import serve  # noqa: I001 (fixes the threads; must come first)
import os
import tempfile
import boat_torch
import torch
import boat_losses
import data
import methods_torch

torch.set_num_threads(serve.THREADS)
REAL = torch.float64 if serve.PRECISION == "f64" else torch.float32
CASES = {
    "bome10": {"fo_op": "VFO", "lower_iters": 10},
    "meha": {"fo_op": "MESO", "lower_iters": 1},
    "cg20": {"gm_op": ["NGD"], "na_op": ["CG"], "lower_iters": 100},
    "neumann20": {"gm_op": ["NGD"], "na_op": ["NS"], "lower_iters": 100},
    "trhg20": {"gm_op": ["NGD"], "na_op": ["RGT", "RAD"], "lower_iters": 100},
    "rhg100": {"gm_op": ["NGD"], "na_op": ["RAD"], "lower_iters": 100},
}


class Weights(torch.nn.Module):
    def __init__(self, n):
        super().__init__()
        self.v = torch.nn.Parameter(torch.zeros(n, dtype=REAL))

    def forward(self, x):
        return x


class Loop:
    """One problem; every call of `advance` and `value` starts it anew."""

    def __init__(self, name):
        x, y, xv, yv = data.load("cleaning", "x y xv yv")
        self.feeds = [{"data": torch.from_numpy(a).to(REAL), "target": torch.from_numpy(b)} for a, b in ((x, y), (xv, yv))]
        self.case = CASES[name]

    def problem(self):
        lower = torch.nn.Sequential(torch.nn.Linear(784, 10, bias=False)).to(REAL)
        torch.nn.init.zeros_(lower[0].weight)
        upper = Weights(len(self.feeds[0]["target"]))
        settings = {
            "fo_op": None, "gm_op": None, "na_op": None, "return_grad": False, "device": "cpu",
            "accumulate_grad": False, "copy_last_param": False, "fo_ol_batch_input": False,
            "loss_log_path": os.path.join(tempfile.mkdtemp(), "log.json"),
            "DI": {"lr": 0.01}, "GDA": {"alpha_init": 0.0, "alpha_decay": 0.9}, "RGT": {"truncate_iter": 80},
            "CG": {"k": 20, "tolerance": 1e-30}, "NS": {"k": 20, "tolerance": 1e-30}, "FD": {"r": 1e-2},
            "VFO": {"eta": 0.5, "u1": 0.5, "y_hat_lr": 0.1},
            "MESO": {"eta": 0.1, "gamma_1": 0.1, "c0": 1.0, "y_hat_lr": 0.1},
            "lower_level_model": lower, "upper_level_model": upper,
            "lower_level_var": list(lower.parameters()), "upper_level_var": list(upper.parameters()),
            "lower_level_opt": torch.optim.SGD(lower.parameters(), lr=0.1),
            "upper_level_opt": torch.optim.SGD(upper.parameters(), lr=1.0),
        }
        losses = {f"{level}_level_loss": {"function": f"boat_losses.{level}", "params": {}} for level in ("lower", "upper")}
        problem = boat_torch.Problem(settings | self.case, losses)
        problem.build_ll_solver()
        problem.build_ul_solver()
        return problem

    def advance(self, count):
        self.problem_after(count)

    def problem_after(self, count):
        problem = self.problem()
        for k in range(count):
            problem.run_iter(*self.feeds, current_iter=k)
        return problem

    def value(self, steps):
        """The upper objective after `steps` iterations; methods that solve the lower level start it at zero again, so this does too."""
        problem = self.problem_after(steps)
        (x, y), (xv, yv) = (feed.values() for feed in self.feeds)
        v, w = problem._ul_model.v.detach(), problem._ll_model[0].weight.detach()
        if "gm_op" in self.case:
            f = lambda v, w: boat_losses.lower({"data": x, "target": y}, Holder(v), lambda x, **_: x @ w[0].T, params=w)
            w = methods_torch.descend(f, v, [torch.zeros_like(w)], 100, 0.1)[0]
        return float(torch.nn.functional.cross_entropy(xv @ w.T, yv))


class Holder:
    """The upper variables under the name that the losses read."""

    def __init__(self, v):
        self.v = v


serve.main(Loop)
