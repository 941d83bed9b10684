"""A compiled model beside `blo run`: the same solve, in turns, on one core; and how long the library takes to open.

    taskset -c 0 python3 bench/native.py [PROGRAM] [MODEL]

PROGRAM is target/release/blo unless given, MODEL examples/digits_cleaning.blo. Python needs numpy. The time of `blo run` is what its result
says about solving and checking; that of the library is the whole call from Python. Both must reach the same bits. Prints the median of
seven ratios (above 1 the library is faster), and the median of twenty openings.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time


def main():
    program = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "target/release/blo")
    model = sys.argv[2] if len(sys.argv) > 2 else "examples/digits_cleaning.blo"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "compile", model, "-o", f"{folder}/measured", "--python"], check=True, stdout=subprocess.DEVNULL)
        print(f"library: {os.path.getsize(f'{folder}/measured.so') / 2**20:.1f} MiB")
        sys.path.insert(0, f"{folder}/measured-python")
        import measured

        def opened():
            began = time.perf_counter()
            kernel = measured.Model()
            return kernel, 1e3 * (time.perf_counter() - began)

        print(f"open: {statistics.median(opened()[1] for _ in range(20)):.2f} ms")
        kernel, _ = opened()

        def run():
            answer = subprocess.run([program, "run", model, "--json", "--threads", "1"], capture_output=True, text=True)
            return json.loads(answer.stdout)

        run()
        ratios = []
        for _ in range(7):
            result = run()
            began = time.perf_counter()
            found = kernel.solve()
            ratios.append(result["seconds"]["solve"] / (time.perf_counter() - began))
            assert found.upper_objective == result["upper"]["objective"], (found.upper_objective, result["upper"])
        print(f"blo run / library: {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


main()
