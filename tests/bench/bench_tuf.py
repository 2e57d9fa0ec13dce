#!/usr/bin/env python3
"""bench_tuf - a TUF refresh that finds nothing new: ours beside npm's tuf-js, in turns; and how large the client is.

usage: bench_tuf.py BUILD_DIR NPM_DIR [--smoke]     NPM_DIR is filled by tools/npm-packages

Neither reads a network; tuf-js reads what it trusts from a folder, ours is given it. Prints JSON: for each size of repository CPU microseconds of
one refresh (medians over rounds), their ratio (median of the rounds'), our allocations and the most heap that one refresh of ours took,
OpenSSL's included; and the sizes of the programs and their resident memory over a whole refresh.
"""
import json, os, pathlib, statistics, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent
SIZES = (1, 100, 1000)


def out(*command, more=None):
    return json.loads(subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **(more or {})}).stdout)


def measure(build, npm, targets, rounds, each):
    bench = build / "tests/bench/bench_tuf"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([bench, "make", folder, str(targets)], check=True)
        size = sum(path.stat().st_size for path in pathlib.Path(folder).iterdir())
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(out(bench, "run", folder, each * 10))
            if npm:
                theirs.append(out("node", HERE / "bench_tuf.js", folder, each, more={"NODE_PATH": str(npm / "node_modules")}))
    row = {"targets": targets, "bytes": size, "cpu_us": round(statistics.median(run["cpu_us"] for run in ours), 1), "allocations": ours[0]["allocations"],
           "heap_bytes_most": max(run["heap_bytes_most"] for run in ours)}
    if theirs:
        row["tuf_js_cpu_us"] = round(statistics.median(run["cpu_us"] for run in theirs), 1)
        row["ratio"] = round(statistics.median(one["cpu_us"] / other["cpu_us"] for one, other in zip(ours, theirs)), 4)
    return row


def main():
    words = [word for word in sys.argv[1:] if word != "--smoke"]
    is_smoke = "--smoke" in sys.argv
    build, npm = pathlib.Path(words[0]), pathlib.Path(words[1]) if len(words) > 1 else None
    sizes = {name: (build / name).stat().st_size for name in ("firebreak-tuf", "src/tuf/library/libfirebreak-tuf.a")}
    rows = [measure(build, npm, targets, 1 if is_smoke else 7, 5 if is_smoke else 50) for targets in (SIZES[:1] if is_smoke else SIZES)]
    print(json.dumps({"bench": "tuf", "refresh_with_nothing_new": rows, "program_bytes": sizes}, indent=1))


main()
