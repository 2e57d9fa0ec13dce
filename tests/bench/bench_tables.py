#!/usr/bin/env python3
"""bench_tables.py - what bench_limit, bench_false_halts, bench_cohort or bench_outcomes printed, as a table.

usage: bench_tables.py [--guide FILE] BENCH [OPTION…]

Runs it. On standard output; --guide writes the table between the two comments `<!-- limit -->` and `<!-- end of limit -->` of that file instead (or `false_halts`, ...).
"""
import argparse, json, pathlib, subprocess

from guide_tables import number, span, table_of, write_table


def limit(bench):
    rows = [[case["case"], number(case["ratio"]), f"{case['weight']:.3g}", number(case["controls"]), number(case["runs"]), f"{case['hurt']:.2f} ± {case['error']:.2f}", f"{case['limit']:.2f}",
             f"{case['goal']:.2f}", "yes" if case["hurt"] <= case["goal"] else "**no**"] for case in bench["cases"]]
    return f"p0 = {bench['baseline']:g}, alpha = {bench['alpha']:g}.\n\n" + table_of(["fault", "r", "weight", "control for each", "runs", "hurt: mean", "limit", "at most", "holds"], rows)


def false_halts(bench):
    titles = ["what", "weather", "B", "alpha", "rollouts", "halted by the gate", "held by the budget", "share", "99 % interval", "looks", "evidence changed", "above 10", "above 100", "highest"]
    rows = [[trial["trial"], trial["weather"], number(trial["budget"]), f"{trial['alpha']:g}", number(trial["rollouts"]), number(trial["halted_by_gate"]), number(trial["held_by_budget"]),
             f"{trial['rate']:.2g}", f"{trial['low']:.2g} to {trial['high']:.2g}", number(trial["looks"]), number(trial["evidence_changes"]), f"{100 * trial['evidence_over_10']:.2f} %",
             f"{100 * trial['evidence_over_100']:.2f} %", f"{trial['evidence_highest']:.3g}"] for trial in bench["trials"]]
    return f"{bench['fleet']:,} devices. Share: of those that the gate halted; of the budget's trials, that the budget held.\n\n" + table_of(titles, rows)


def cohort(bench):
    rows = [[run["case"], number(run["seed"]), number(run["susceptible"]), number(run["hurt"]), number(run["out_at_once"]), number(run["goal"]), "yes" if run["holds"] else "**no**",
             number(run["cohort_exposed"]), number(run["exposed"]), run["stopped_by"], span(run["stop_s"] if run["stop_s"] >= 0 else None)] for run in bench["runs"]]
    titles = ["fault", "seed", "susceptible", "hurt", "out at once", "at most", "holds", "of it exposed", "exposed", "stopped by", "after"]
    return f"{bench['fleet']:,} devices, the fault in {1e6 * bench['cohort']:.0f} of a million, B = {bench['budget']}, p0 = {bench['baseline']:g}.\n\n" + table_of(titles, rows)


def outcomes(bench):
    rows = [[number(case["attributes"]), number(case["outcomes"]), number(case["per_second"]), case["decisions"]] for case in bench["cases"]]
    return f"{bench['strata']:,} strata.\n\n" + table_of(["strata of each device", "outcomes", "a second", "decisions"], rows)


parser = argparse.ArgumentParser(add_help=False, usage=__doc__)
parser.add_argument("--guide", type=pathlib.Path)
parser.add_argument("command", nargs=argparse.REMAINDER)
wish = parser.parse_args()
if not wish.command:
    parser.error("which bench?")
bench = json.loads(subprocess.run(wish.command, text=True, check=True, stdout=subprocess.PIPE).stdout)
table = {"limit": limit, "false_halts": false_halts, "cohort": cohort, "outcomes": outcomes}[bench["bench"]](bench)
if wish.guide:
    write_table(wish.guide, bench["bench"], table)
else:
    print(table)
