"""Runs of blo, and tables of them."""
import json
import pathlib
import resource
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BLO = ROOT / "target/release/blo"


def processor():
    """The processor seconds of all runs so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def solve(model, method=None, arguments=()):
    """The result of a run with a method, or with the model's own; None and the first line of its complaint where there is none. Its
    `seconds` have those of the processor too, which say something where only one run is made at a time."""
    before = processor()
    choice = ["--method", method] if method else []
    command = [BLO, "run", "--json", *choice, *arguments, ROOT / model]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        result = json.loads(done.stdout)
        result["seconds"]["processor"] = processor() - before
        return result, None
    except json.JSONDecodeError:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        return None, lines[0] if lines else f"ended with {done.returncode}"


def gap(result):
    """The gap that the method itself left, before its last `y` was polished."""
    lower = result["lower"]
    return lower["gap"] if lower["gap_left"] is None else lower["gap_left"]


def number(value):
    """A figure of a table; texts stay as they are."""
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:.4g}"


def percent(value):
    """A part of 1 as per cent with two digits."""
    return None if value is None else f"{100 * value:.2f}"


class Table:
    """A Markdown table, printed while it grows."""

    def __init__(self, *columns):
        self.lines = []
        self.put(columns)
        self.line("|" + "---|" * len(columns))

    def line(self, text):
        self.lines.append(text)
        print(text, flush=True)

    def put(self, cells):
        self.line("| " + " | ".join(map(number, cells)) + " |")

    def text(self):
        return "\n".join(self.lines) + "\n"


def wanted(method, only):
    """Whether a row is asked for."""
    return only is None or method.split("(")[0] in only
