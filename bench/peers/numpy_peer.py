"""What the machine can do, by NumPy's OpenBLAS: products of large matrices, and matrix times vector, which reads its matrix once.
Usage: numpy_peer.py machine f64|f32 THREADS."""
import serve  # noqa: I001 (fixes the threads; must come first)
import numpy as np

REAL = np.float64 if serve.PRECISION == "f64" else np.float32


class Product:
    """`work` flops or bytes in one call."""

    def __init__(self, rows, columns, inner):
        rng = np.random.default_rng(0)
        self.a = rng.random((rows, inner), dtype=REAL)
        self.b = rng.random((inner, columns) if columns else inner, dtype=REAL)

    def advance(self, count):
        for _ in range(count):
            self.a @ self.b


CASES = {"product": (1500, 1500, 1500), "read B": (5000, 0, 784), "read far": (40000, 0, 784)}
serve.main(lambda name: Product(*CASES[name]))
