"""Makes what `compare.py` needs beside blo: two virtual environments with the peers, pinned, and the data. Usage: python3 bench/setup.py"""
import pathlib
import subprocess
import venv

BENCH = pathlib.Path(__file__).resolve().parent


def main():
    for name in ("jax", "torch"):
        folder = BENCH / f".venv-{name}"
        if not (folder / "bin/python").exists():
            venv.create(folder, with_pip=True)
        requirements = BENCH / f"peers/requirements-{name}.txt"
        subprocess.run([folder / "bin/python", "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
    subprocess.run([BENCH / ".venv-jax/bin/python", BENCH / "peers/data.py"], check=True)
    subprocess.run(["cargo", "build", "--release", "-p", "blo", "-p", "blo-micro"], cwd=BENCH.parent, check=True)


main()
