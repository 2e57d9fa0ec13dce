#!/usr/bin/env python3
"""bench_replay.py - what `firebreak replay` comes to over many seeds, as JSON and as tables.

  catalogue   every release of content/scenarios under every policy; with the harm that docs/guide/rollout.md promises beside it
  liars       a good release, a brick and a crash, with devices that lie
  curve       how long a good release takes to reach 8.5 million devices, by harm budget and by how much silence there is anyway
  small       fleets of a test lab and of one company, with budgets of five and of thirty: how often and how far a fault passes them, and what chance holds
  full        July 19 and two more at full size, beside everyone at once; and what one such run costs the machine

usage: bench_replay.py catalogue|liars|curve|small|full [--firebreak FILE] [--seeds N] [--peer-seeds N] [--fleet N] [--jobs N] [--journal FILE] [--guide FILE] [--smoke]

JSON on standard output, progress on standard error. --guide also writes the table between the two comments
`<!-- catalogue -->` and `<!-- end of catalogue -->` of that file (or `liars`, ...). `curve` and `full` take hours: --journal keeps each run as it
ends, and the next call takes from there what the same program has run. --jobs replays run side by side, as many as there are cores; one of 8.5
million devices needs under 1 GiB.
"""
import argparse, json, math, os, pathlib, re, subprocess, sys, time

from guide_tables import number, span, write_table
from replay_runs import Replays

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SCENARIOS = ROOT / "content/scenarios"
BUDGET = 30
MILLIONS = 8500000                                                         # July 19's
PEERS = ["all-at-once", "rings", "error-threshold", "steps", "peeking"]
CRASH = """faults:
  - name: crashes within a minute
    susceptible_ppm: 100000
    onset: random
    after_s: 60
    sign: crash
    heals: revert
    heals_after_s: 60
"""


STOP = """faults:
  - name: silent at once
    {whom}
    onset: load
    after_s: 5
    sign: silence
    heals: revert
    heals_after_s: 60
"""
SMALL_FLEETS = [(60, 5), (2000, 5), (2000, 30)]                           # and their budgets
ROUGH = "weather:\n  dark_ppm: 10000\n  late_ppm: 30000\n  late_s: 1800\n"      # instead of the calm day's
SMALL = [("stops everybody", None, STOP.format(whom="susceptible_ppm: 1000000")), ("stops one system version, a quarter", None, STOP.format(whom="only: [os_version=n-1]")),
         ("stops 10 %", None, STOP.format(whom="susceptible_ppm: 100000")), ("crash in 10 %", None, CRASH), ("good", None, ""), ("good; 1 % drop out of a lease, 3 % are late", ROUGH, "")]


# Of a good release. By how much silence is there anyway: a share a lease, or who goes home. With the name, how silence counts.
CURVE_BUDGETS = [3, 10, 30, 100, 300, 1000, 3000]
CURVE_POLICY = ["--bake", "10m", "--cap", 3000000]
CURVE = [("good-calm", 0, "explicit signals only"), ("good-dark-1e4", 1, "silence of 0.01 %"), ("good-dark-5e3", 1, "of 0.5 %"), ("good-dark-2e2", 1, "of 2 %"),
         ("good-night", 1, "evening"), ("good-weekend", 1, "weekend")]
# McAfee 2010: one system with one version of the product, and it falls silent. Symantec 2007: three attributes together, and silent hours after the bake.
FULL = ["july-19", "2010-04-21-mcafee-5958", "2007-05-18-symantec-netapi32"]


def scenarios():
    done = subprocess.run([str(wish.firebreak), "replay", "--json"], text=True, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def ask(name, *options, seeds, text=None, fleet=None):
    """Futures of runs. What is run is the text that the journal knows it by, not what the program has of that name."""
    return replays.ask(name, text or (SCENARIOS / f"{name}.yaml").read_text(), ["--fleet", fleet or wish.fleet, *options], seeds)


def ask_us(name, *options, budget=BUDGET, text=None, fleet=None):
    return ask(name, "--budget", budget, *options, seeds=wish.seeds, text=text, fleet=fleet)


def ask_peer(name, policy):
    return ask(name, "--policy", policy, seeds=wish.peer_seeds)


def ran(asked):
    return [one.result() for one in asked]


def say(text):
    print(f"{wish.table}: {text} ({time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)


def share(values, of):
    """The least value that so many of all do not pass; "not" (None) comes after everything."""
    ordered = sorted(values, key=lambda value: (value is None, value))
    return ordered[max(0, math.ceil(of * len(ordered)) - 1)]


def bound(run):
    """B + 2 sqrt(n_T p0 (1 + n_T / n_C)) + p1 x (exposures a second x seconds until the answer): these two are the unanswered ones."""
    treated, control = run["exposed"], run["control"]
    noise = 2 * math.sqrt(treated * run["control_hurt"] / control * (1 + treated / control)) if control else 0
    return BUDGET + noise + run["susceptible"] / run["fleet"] * run["unanswered"]


def sum_up(runs):
    stopped = {}
    for run in runs:
        stopped[run["stopped_by"] or "-"] = stopped.get(run["stopped_by"] or "-", 0) + 1
    times = [run["stop_s"] for run in runs]
    return {"seeds": len(runs), "hurt_median": share([run["hurt"] for run in runs], .5), "hurt_95": share([run["hurt"] for run in runs], .95),
            "exposed_median": share([run["exposed"] for run in runs], .5), "stopped_by": stopped, "stop_s_median": share(times, .5), "stop_s_95": share(times, .95),
            "complete_s_median": share([run["complete_s"] for run in runs], .5)}


def of_us(runs):
    row = sum_up(runs)
    row["bound_median"] = round(share([bound(run) for run in runs], .5), 1)
    row["over_bound"] = sum(run["hurt"] > bound(run) for run in runs)
    row["at_stop_95"] = share([run["hurt_at_stop"] if run["stopped_by"] else run["hurt"] for run in runs], .95)
    return row


def stoppers(row):
    """gate; gate 19, - 1"""
    found = sorted(row["stopped_by"].items(), key=lambda item: -item[1])
    return found[0][0] if len(found) == 1 else ", ".join(f"{name} {count}" for name, count in found)


def peer_cell(row):
    """The hurt, and when it was stopped; of a good release, whether it was."""
    return number(row["hurt_median"]) + (f", {span(row['stop_s_median'])}" if row["stop_s_median"] is not None else "")


def catalogue():
    rows = []
    known = scenarios()[-3:] if wish.smoke else scenarios()
    asked = [(ask_us(scenario["name"]), {peer: ask_peer(scenario["name"], peer) for peer in PEERS}) for scenario in known]
    for scenario, (ours, theirs) in zip(known, asked):
        ours = ran(ours)
        row = {key: scenario[key] for key in ("name", "class", "unseen", "contained")}
        row |= {"susceptible_median": share([run["susceptible"] for run in ours], .5), "firebreak": of_us(ours)}
        row |= {peer: sum_up(ran(theirs[peer])) for peer in PEERS}
        rows.append(row)
        say(f"{scenario['name']}: {row['firebreak']['hurt_median']} hurt, stopped by {stoppers(row['firebreak'])}")
    return rows


def catalogue_table(rows):
    bad, good = [row for row in rows if row["class"] != "good"], [row for row in rows if row["class"] == "good"]
    lines = [f"{wish.fleet:,} devices, B = {BUDGET}; {wish.seeds} seeds of Firebreak, {wish.peer_seeds} of the others. Hurt: by the release. At the stop: hurt by then, the 95th percentile. Bound: see 2. Of the others: the median hurt, and when they stopped.", "",
             "| release | susceptible | hurt: median | 95 % | at the stop | bound | stopped by | after | " + " | ".join(PEERS) + " |", "|---|" + "---|" * (7 + len(PEERS))]
    for row in bad:
        ours, mark = row["firebreak"], " \\*" if row["unseen"] else ""
        lines.append(f"| {row['name']}{mark} | {number(row['susceptible_median'])} | {number(ours['hurt_median'])} | {number(ours['hurt_95'])} | {number(ours['at_stop_95'])} | {number(ours['bound_median'])} | "
                     f"{stoppers(ours)} | {span(ours['stop_s_median'])} | " + " | ".join(peer_cell(row[peer]) for peer in PEERS) + " |")
    lines += ["", "\\* No gate could see it in time:", ""]
    lines += [f"* **{row['name']}**: {row['unseen'].strip()} What holds the damage: {row['contained'].strip()}" for row in bad if row["unseen"]]
    lines += ["", "| good release | stopped | complete after | " + " | ".join(f"{peer}: stopped" for peer in PEERS) + " |", "|---|" + "---|" * (2 + len(PEERS))]
    for row in good:
        wrong = [f"{sum(n for by, n in row[policy]['stopped_by'].items() if by != '-')} of {row[policy]['seeds']}" for policy in ["firebreak", *PEERS]]
        lines.append(f"| {row['name']} | {wrong[0]} | {span(row['firebreak']['complete_s_median'])} | " + " | ".join(wrong[1:]) + " |")
    return "\n".join(lines)


def liars():
    calm, july = (SCENARIOS / "good-calm.yaml").read_text(), (SCENARIOS / "july-19.yaml").read_text()
    releases = {"good": calm, "july-19": july, "crash in 10 %": calm + CRASH}
    lies = [(0, None)] + [(ppm, kind) for ppm in (10000, 50000) for kind in ("fine", "hurt", "hurt_when_exposed")]
    asked, rows = [], []
    for release, text in list(releases.items())[1:2] if wish.smoke else releases.items():
        for ppm, kind in lies:
            told = f"fleet:\n  liars_ppm: {ppm}\n  liars: {kind}\n" if kind else "fleet:\n"
            asked.append((release, ppm, kind, ask_us("liars", text=text.replace("fleet:\n", told, 1))))
    for release, ppm, kind, runs in asked:
        runs = ran(runs)
        rows.append({"release": release, "liars_ppm": ppm, "liars": kind, **of_us(runs), "exposed_95": share([run["exposed"] for run in runs], .95)})
        say(f"{release}, {ppm} ppm {kind}: {rows[-1]['hurt_95']} hurt, stopped by {stoppers(rows[-1])}")
    return rows


def liars_table(rows):
    lines = [f"{wish.fleet:,} devices, B = {BUDGET}, {wish.seeds} seeds. Hurt: by the release, liars among them.", "",
             "| release | liars | hurt: median | 95 % | exposed | stopped by | after | complete after |", "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        who = f"{row['liars_ppm'] / 10000:g} %, {row['liars'].replace('_', ' ')}" if row["liars"] else "none"
        lines.append(f"| {row['release']} | {who} | {number(row['hurt_median'])} | {number(row['hurt_95'])} | {number(row['exposed_median'])} | {stoppers(row)} | {span(row['stop_s_median'])} | {span(row['complete_s_median'])} |")
    return "\n".join(lines)


def curve():
    asked = [(budget, name, is_bound, ask_us(name, "--bound-silence", is_bound, *CURVE_POLICY, budget=budget)) for budget in CURVE_BUDGETS for name, is_bound, _ in CURVE]
    rows = []
    for budget, name, is_bound, runs in asked:
        runs = ran(runs)
        stops = [run["stop_s"] for run in runs if run["stopped_by"]]
        rows.append({"budget": budget, "release": name, "bound_silence": is_bound, **sum_up(runs), "complete_s_worst": share([run["complete_s"] for run in runs], 1),
                     "stopped": len(stops), "stop_s_of_stopped": share(stops, .5) if stops else None})
        say(f"B = {budget}, {name}: complete after {span(rows[-1]['complete_s_median'])}, stopped by {stoppers(rows[-1])}")
    return rows


def curve_cell(row):
    """3.1 h, 98 %; and how many were stopped, where any was."""
    cell = f"{span(row['complete_s_median'])}, {100 * row['exposed_median'] / wish.fleet:.0f} %"
    return f"{cell}; stopped {row['stopped']} of {row['seeds']}, after {span(row['stop_s_of_stopped'])}" if row["stopped"] else cell


def curve_table(rows):
    found = {(row["budget"], row["release"]): curve_cell(row) for row in rows}
    lines = [f"{wish.fleet:,} devices, bake 10 min, gap 2 min, at most 3,000,000 new exposures in a bake, four controls for each exposure, 2 % held out, alpha 1e-4; {wish.seeds} "
             f"seed{'s' if wish.seeds > 1 else ''}. Complete after (the median), and how many were exposed in the end; – is not within four days.", "",
             "| B | " + " | ".join(title for _, _, title in CURVE) + " |", "|---|" + "---|" * len(CURVE)]
    lines += [f"| {budget:,} | " + " | ".join(found[budget, name] for name, _, _ in CURVE) + " |" for budget in CURVE_BUDGETS]
    return "\n".join(lines)


def small():
    calm = (SCENARIOS / "good-calm.yaml").read_text()
    asked = []
    for fleet, budget in SMALL_FLEETS:
        for release, weather, fault in SMALL:
            text = (re.sub(r"weather:\n(  .*\n)*", weather, calm) if weather else calm) + fault
            asked.append((fleet, budget, release, ask_us("small", budget=budget, text=text, fleet=fleet)))
    rows = []
    for fleet, budget, release, runs in asked:
        runs = ran(runs)
        rows.append({"devices": fleet, "budget": budget, "release": release, **sum_up(runs), "over_budget": sum(run["hurt"] > budget for run in runs), "hurt_worst": max(run["hurt"] for run in runs),
                     "exposed_worst": max(run["exposed"] for run in runs)})
        say(f"{fleet} devices, budget {budget}, {release}: {rows[-1]['hurt_worst']} hurt at worst, stopped by {stoppers(rows[-1])}")
    return rows


def small_table(rows):
    lines = [f"{wish.seeds} seeds.", "", "| devices | B | release | hurt: median | 95 % | worst | past B | exposed: median | worst | stopped by | complete after |", "|---|" + "---|" * 10]
    for row in rows:
        lines.append(f"| {row['devices']:,} | {row['budget']} | {row['release']} | {number(row['hurt_median'])} | {number(row['hurt_95'])} | {number(row['hurt_worst'])} | {100 * row['over_budget'] / row['seeds']:.1f} % | "
                     f"{number(row['exposed_median'])} | {number(row['exposed_worst'])} | {stoppers(row)} | {span(row['complete_s_median'])} |")
    return "\n".join(lines)


def cost(runs):
    return {"cpu_s_median": share([run["cpu_s"] for run in runs], .5), "peak_mib": max(run["peak_mib"] for run in runs)}


def full():
    asked = [(name, ask_us(name), ask_peer(name, "all-at-once")) for name in FULL]
    rows = []
    for name, ours, theirs in asked:
        ours, theirs = ran(ours), ran(theirs)
        rows.append({"name": name, "susceptible_median": share([run["susceptible"] for run in ours], .5), "firebreak": of_us(ours) | cost(ours) |
                     {"hurt_worst": max(run["hurt"] for run in ours)}, "all-at-once": sum_up(theirs) | cost(theirs)})
        say(f"{name}: {rows[-1]['firebreak']['hurt_worst']} hurt at worst, {rows[-1]['firebreak']['peak_mib']} MiB, {rows[-1]['firebreak']['cpu_s_median']} CPU seconds")
    return rows


def full_table(rows):
    lines = [f"{wish.fleet:,} devices, B = {BUDGET}; {wish.seeds} seeds of Firebreak, {wish.peer_seeds} of everyone at once. Memory: the most of any run of Firebreak; CPU: one run, the median.", "",
             "| release | susceptible | hurt: median | worst | bound | exposed | stopped by | after | all at once: hurt | memory | CPU |", "|---|" + "---|" * 10]
    for row in rows:
        ours = row["firebreak"]
        lines.append(f"| {row['name']} | {number(row['susceptible_median'])} | {number(ours['hurt_median'])} | {number(ours['hurt_worst'])} | {number(ours['bound_median'])} | "
                     f"{number(ours['exposed_median'])} | {stoppers(ours)} | {span(ours['stop_s_median'])} | {number(row['all-at-once']['hurt_median'])} | "
                     f"{ours['peak_mib']:,} MiB | {ours['cpu_s_median']:.0f} s |")
    return "\n".join(lines)


TABLES = {"catalogue": (catalogue, catalogue_table), "liars": (liars, liars_table), "curve": (curve, curve_table), "small": (small, small_table), "full": (full, full_table)}
FEW = {"curve": {"seeds": 1, "fleet": MILLIONS}, "full": {"seeds": 5, "peer_seeds": 1, "fleet": MILLIONS}, "small": {"seeds": 1000}}      # at full size a seed takes minutes

parser = argparse.ArgumentParser(add_help=False, usage=__doc__)
parser.add_argument("table", choices=TABLES)
parser.add_argument("--firebreak", type=pathlib.Path, default=ROOT / "build/firebreak")
parser.add_argument("--seeds", type=int)
parser.add_argument("--peer-seeds", type=int)
parser.add_argument("--fleet", type=int)
parser.add_argument("--jobs", type=int, default=os.cpu_count())
parser.add_argument("--journal", type=pathlib.Path)
parser.add_argument("--guide", type=pathlib.Path)
parser.add_argument("--smoke", action="store_true")
wish = parser.parse_args()
usual = {"seeds": 2, "peer_seeds": 1, "fleet": 2000} if wish.smoke else {"seeds": 20, "peer_seeds": 3, "fleet": 200000} | FEW.get(wish.table, {})
for option, value in usual.items():
    if wish.smoke or getattr(wish, option) is None:
        setattr(wish, option, value)
if min(wish.seeds, wish.peer_seeds, wish.fleet, wish.jobs) < 1:
    parser.error("at least one seed, device and job")
began = time.monotonic()
make_rows, make_table = TABLES[wish.table]
with Replays(wish.firebreak, wish.jobs, wish.journal) as replays:
    rows = make_rows()
table = make_table(rows)
print(json.dumps({"bench": wish.table, "fleet": wish.fleet, "budget": {"curve": CURVE_BUDGETS, "small": sorted({budget for _, budget in SMALL_FLEETS})}.get(wish.table, BUDGET), "rows": rows}))
print(table, file=sys.stderr)
if wish.guide:
    write_table(wish.guide, wish.table, table)
