"""Writes the data of the workloads as .npy files into bench/data, from fixed seeds. Usage: data.py (needs numpy)."""
import pathlib

import numpy as np

# The lower level of C is penalised more, so that conjugate gradients meet positive curvature on both sides.
RIDGE = {"cleaning": 0.001, "network": 0.1}
FOLDER = pathlib.Path(__file__).resolve().parent.parent / "data"


def ridge(n=2000, d=200):
    """Features of both halves and targets of a sparse linear model with noise."""
    rng = np.random.default_rng(1)
    weights = rng.standard_normal(d) * (rng.random(d) < 0.25)
    x, xv = rng.standard_normal((2, n, d))
    noise, noise_v = 0.5 * rng.standard_normal((2, n))
    return {"x": x, "y": x @ weights + noise, "xv": xv, "yv": xv @ weights + noise_v}


def images(seed, n, d=784, k=10):
    """Pictures in [0, 1] around one prototype for each class; half of the training labels are drawn anew."""
    rng = np.random.default_rng(seed)
    prototypes = rng.random((k, d)) * (rng.random((k, d)) < 0.2)
    labels, labels_v = rng.integers(0, k, (2, n))
    x, xv = (np.clip(prototypes[l] + 0.25 * rng.standard_normal((n, d)), 0.0, 1.0) for l in (labels, labels_v))
    dirty = np.where(rng.random(n) < 0.5, rng.integers(0, k, n), labels)
    return {"x": x, "y": dirty, "xv": xv, "yv": labels_v}


def starts(seed=3, d=784, h=200, k=10):
    """Start weights of the network."""
    rng = np.random.default_rng(seed)
    return {"start1": rng.standard_normal((d, h)) / d**0.5, "start2": rng.standard_normal((h, k)) / h**0.5}


def load(workload, names):
    """Arrays of one workload as they were written."""
    return [np.load(FOLDER / f"{workload}_{name}.npy") for name in names.split()]


def write():
    """Writes every file that is not there yet."""
    FOLDER.mkdir(exist_ok=True)
    made = {
        "ridge": ridge,
        "cleaning": lambda: images(2, 5000),
        "network": lambda: images(4, 500) | starts(),
    }
    for workload, make in made.items():
        if not (FOLDER / f"{workload}_x.npy").exists():
            for name, array in make().items():
                np.save(FOLDER / f"{workload}_{name}.npy", np.ascontiguousarray(array))


if __name__ == "__main__":
    write()
