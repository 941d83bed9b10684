"""Runs the same workloads in blo and in its peers, in turns, and prints the ratios. See README.md beside this file."""
import argparse
import os
import pathlib
import subprocess
import sys
import time

from harness import ceilings, table
from harness.measure import Bench
from harness.process import BENCH, ROOT, Blo
from harness.races import races

# Which environment holds a peer.
ENVIRONMENTS = {"jax": "jax", "casadi": "jax", "numpy": "jax", "torch": "torch", "boat": "torch"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="workloads, such as B,D, or parts of rows, such as B:MEHA:f32")
    parser.add_argument("--peers", default="", help="only these peers, such as jax,torch")
    parser.add_argument("--quick", action="store_true", help="three short rounds each")
    parser.add_argument("--rounds", type=int, default=9, help="most rounds of a race (default 9)")
    parser.add_argument("--budget", type=float, default=600, help="seconds for everything (default 600); a race has at least 3 rounds")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--blo", default=str(ROOT / "target/release/blo"))
    for name in ("jax", "torch"):
        default = os.environ.get(f"BLO_BENCH_{name.upper()}", str(BENCH / f".venv-{name}/bin/python"))
        parser.add_argument(f"--{name}", default=default, help="the Python of this environment (default: what setup.py made)")
    return parser.parse_args()


def wanted(race, only):
    """Whether a race was asked for: `B`, or `B:MEHA` with parts that all occur in its name."""
    return not only or any(
        race.workload == part.split(":")[0] and all(p in race.name for p in part.split(":")[1:]) for part in only.split(","))


def conditions(args, seconds):
    """Under what the figures were found."""
    with open("/proc/cpuinfo") as lines:
        cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown processor")
    revision = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    day = time.strftime("%Y-%m-%d", time.gmtime())
    return (
        f"{cpu}, {os.cpu_count()} cores, {day}, revision {revision}, at most {args.rounds} rounds, {seconds:.0f} s in all. "
        "Times are medians of the rounds; the ratio is the median of blo / peer within a round, with its quartiles.\n")


def main():
    args = arguments()
    pythons = {peer: getattr(args, home) for peer, home in ENVIRONMENTS.items() if pathlib.Path(getattr(args, home)).exists()}
    if not (BENCH / "data/cleaning_x.npy").exists():
        python = pythons.get("jax") or pythons.get("torch") or sys.executable
        subprocess.run([python, str(BENCH / "peers/data.py")], check=True)
    chosen = [race for race in races() if wanted(race, args.only)]
    if args.peers:
        for race in chosen:
            for peer in set(race.goals) - set(args.peers.split(",")):
                del race.goals[peer]
    bench = Bench(Blo(args.blo), pythons, 0.15 if args.quick else 0.4, 3 if args.quick else args.rounds)
    began = time.monotonic()
    print(table.line(table.HEAD), flush=True)
    rows, findings = [], []
    for position, race in enumerate(chosen):
        left = began + args.budget - time.monotonic()
        deadline = time.monotonic() + left / (len(chosen) - position)
        for finding in bench.race(race, deadline):
            findings.append(finding)
            rows.append(table.row(finding))
            print(table.line(rows[-1]), flush=True)
    bench.close()
    seconds = time.monotonic() - began
    print(f"\n{len(rows)} rows in {seconds:.0f} s")
    machine = list(ceilings.rows(pythons["numpy"])) if "numpy" in pythons and (args.write or not args.only) else []
    more = []
    if machine:
        more.append(("What the machine can do", ceilings.HEAD, ceilings.cells(machine)))
        more.append(("Distance from the floor", ceilings.ROOFLINE, list(ceilings.roofline(findings, machine))))
    for title, head, cells in more:
        print(f"\n{title}\n\n{table.markdown(head, cells)}")
    if args.write:
        page = table.page(rows, more, conditions(args, seconds))
        table.write(ROOT / "docs/performance.md", page)
    if any("DIFFERENT" in row[-1] for row in rows):
        raise SystemExit("the sides do not compute the same; see above")


main()
