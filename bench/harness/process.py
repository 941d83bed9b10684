"""Processes: cores to run on, blo, and the peers that stay alive between measurements."""
import json
import os
import pathlib
import subprocess
import time

BENCH = pathlib.Path(__file__).resolve().parent.parent
ROOT = BENCH.parent


class Trouble(Exception):
    """A side that cannot be measured, with the reason for the table."""


def idle_cores(count):
    """The `count` cores that were least busy over the last fifth of a second."""

    def idle():
        with open("/proc/stat") as lines:
            rows = [line.split() for line in lines if line.startswith("cpu") and line[3].isdigit()]
        return {int(row[0][3:]): int(row[4]) + int(row[5]) for row in rows}

    mine = sorted(os.sched_getaffinity(0))
    if count >= len(mine):
        return set(mine)
    before = idle()
    time.sleep(0.2)
    after = idle()
    return set(sorted(mine, key=lambda core: before.get(core, 0) - after.get(core, 0))[:count])


def start(command, cores, **pipes):
    """A process on these cores."""
    environment = dict(os.environ, RAYON_NUM_THREADS=str(len(cores)))
    return subprocess.Popen(command, preexec_fn=lambda: os.sched_setaffinity(0, cores), env=environment, cwd=BENCH, **pipes)


def whole(command, cores, good=(0,)):
    """Runs a process to its end: what it printed, its wall seconds and its peak memory in MiB."""
    began = time.perf_counter()
    process = start(command, cores, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out = process.stdout.read()
    complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in good:
        raise Trouble(f"{pathlib.Path(command[0]).name} ended with {process.returncode}: {(complaint or out)[-300:].strip()}")
    return out, seconds, usage.ru_maxrss / 1024


class Blo:
    """The compiled program under test."""

    def __init__(self, path):
        self.path = str(path)
        options = subprocess.run([self.path, "run", "--help"], capture_output=True, text=True, check=True).stdout
        self.has = lambda option: option in options

    def command(self, model, method, precision, threads, iterations, sizes):
        """`blo run` of a workload."""
        command = [self.path, "run", str(BENCH / "workloads" / model), "--json", "--precision", precision]
        for name, size in sizes.items():
            command += ["--set", f"{name}={size}"]
        if method:
            command += ["--method", method]
        if iterations is not None:
            command += ["--iterations", str(iterations)]
        if self.has("--threads"):
            command += ["--threads", str(threads)]
        return command

    def run(self, command, cores):
        """The result of a run. Status 1 says that the point is not a solution, which few iterations do not reach."""
        out, _, _ = whole(command, cores, good=(0, 1))
        return json.loads(out)


class Peer:
    """A peer program that answers requests, idle in between."""

    def __init__(self, python, script, workload, precision, threads, cores):
        command = [str(python), "-W", "ignore", str(BENCH / "peers" / script), workload, precision, str(threads)]
        self.process = start(command, cores, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise Trouble(f"the peer ended with {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise Trouble(answer["error"])
        return answer

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()
