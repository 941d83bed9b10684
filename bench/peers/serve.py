"""What the peer programs share: threads fixed before any library starts, and a loop that answers requests.

A peer reads JSON objects, one a line, and answers each with one line: `{"do": "value", "case": c, "steps": k}` with the upper
objective after k iterations from the start, `{"do": "time", "case": c, "seconds": s}` with the seconds of one iteration, measured over
about s seconds. It is idle while it waits, so blo and its peers take turns on the same core. `--once CASE:K` runs K iterations and ends.
"""
import os
import sys

WORKLOAD, PRECISION, THREADS = sys.argv[1], sys.argv[2], int(sys.argv[3])
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"):
    os.environ[name] = str(THREADS)
os.environ["JAX_PLATFORMS"] = "cpu"
# Settings that pin an old kernel do not belong into a comparison.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)

import json  # noqa: E402
import time  # noqa: E402

clock = time.perf_counter


def timed(advance, seconds):
    """Seconds of one iteration: the mean over as many as fit into `seconds`, after one to warm up, unless that fills them."""
    began = clock()
    advance(1)
    one = clock() - began
    if one > seconds:
        return {"seconds": one, "iterations": 1}
    count = max(1, int(seconds / max(one, 1e-6)))
    began = clock()
    advance(count)
    took = clock() - began
    if took < 0.5 * seconds:  # The first one was slower than the rest.
        count = max(count + 1, int(count * seconds / max(took, 1e-6)))
        began = clock()
        advance(count)
        took = clock() - began
    return {"seconds": took / count, "iterations": count}


def main(build):
    """Serves the cases that `build(case)` makes: objects with `advance(n)` and `value(k)`."""
    made = {}

    def case(name):
        if name not in made:
            made[name] = build(name)
        return made[name]

    # Libraries that chat do so on standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if len(sys.argv) > 5 and sys.argv[4] == "--once":
        name, steps = sys.argv[5].split(":")
        print(case(name).value(int(steps)), file=answers, flush=True)
        return
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "value":
                answer = {"value": case(request["case"]).value(request["steps"])}
            else:
                answer = timed(case(request["case"]).advance, request["seconds"])
        except Exception as trouble:  # A case that a library cannot do is a finding, not the end of the run.
            answer = {"error": f"{type(trouble).__name__}: {trouble}"[:300]}
        print(json.dumps(answer), file=answers, flush=True)
