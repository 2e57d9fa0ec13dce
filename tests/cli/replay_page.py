#!/usr/bin/env python3
"""replay_page - is the report of `firebreak replay --html` one well-formed file that stands alone and says what --json says? TAP.

usage: tests/cli/replay_page.py FIREBREAK
"""
import json, os, pathlib, re, signal, subprocess, sys, tempfile, time
import xml.etree.ElementTree as tree

X, S = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}"
firebreak = sys.argv[1]
points = failed = 0


def claim(what, holds):
    global points, failed
    points += 1
    failed += not holds
    print(f"{'ok' if holds else 'not ok'} {points} - {what}")


def replay(folder, *words):
    page = pathlib.Path(folder) / "r.html"
    done = subprocess.run([firebreak, "replay", *words, "--json", "--html", page], capture_output=True, text=True, env={**os.environ, "LC_ALL": "de_DE.UTF-8"})
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    return done, runs, page.read_text()


def text_of(node):
    return "".join(node.itertext()).strip()


with tempfile.TemporaryDirectory() as folder:
    done, runs, page = replay(folder, "july-19", "--fleet", "400", "--policy", "all", "--seeds", "2", "--budget", "5,20")
    claim("it runs", done.returncode == 0 and not done.stderr)
    claim("a line of JSON a run, once for who knows no budget", len(runs) == 2 * (2 + 5))
    root = tree.fromstring(page)
    claim("the page is well-formed XML", root.tag == X + "html")
    ids = [node.get("id") for node in root.iter() if node.get("id")]
    claim("no id is there twice", len(ids) == len(set(ids)))
    plots = [node for node in root.iter(S + "svg") if node.get("role") == "img"]
    claim("four plots over time and one over the budget, each with a title and a description that it names",
          len(plots) == 5 and all(set(plot.get("aria-labelledby").split()) <= {n.get("id") for n in plot if n.tag in (S + "title", S + "desc") and text_of(n)} for plot in plots))
    links = [value for node in root.iter() for name, value in node.attrib.items() if name in ("src", "href") or "url(" in value]
    claim("nothing is fetched from elsewhere", not [l for l in links if not l.startswith("#")] and "script" not in {n.tag for n in root.iter()})
    rows = [[text_of(cell) for cell in row] for table in root.iter(X + "div") if table.get("aria-label") == "All runs" for row in table.iter(X + "tr")][1:]
    told = sorted((run["policy"], str(run["seed"]), f"{run['exposed']:,}", f"{run['hurt']:,}") for run in runs)
    claim("the table of all runs says what --json says", sorted((row[0].split(",")[0], row[1], row[3], row[2]) for row in rows) == told)
    heads = [[text_of(cell) for cell in row] for table in root.iter(X + "div") if table.get("aria-label") == "All runs" for row in table.iter(X + "tr")][0]
    claim("what a run came to stands before what it is made of, in heads of two lines", heads.index("In its own words") == 7 and all(len(re.split("[ -]", head)) <= 2 for head in heads[8:]))
    numbers = " ".join(node.get("d", "") for plot in plots for node in plot.iter(S + "path"))
    claim("no locale writes its commas into the plots", not re.search(r"\d,\d|nan|inf", numbers))
    claim("the same words give the same page", replay(folder, "july-19", "--fleet", "400", "--policy", "all", "--seeds", "2", "--budget", "5,20")[2] == page)

    done, runs, page = replay(folder, "good-calm", "--fleet", "400", "--budget", "20,200")
    plots = [node for node in tree.fromstring(page).iter(S + "svg") if node.get("role") == "img"]
    claim("a good release shows what a budget costs in time, too", done.returncode == 0 and len(runs) == 2 and len(plots) == 6)
    beneath = [text_of(figure) for figure in tree.fromstring(page).iter(X + "figure") if "harm budget" in text_of(figure)]
    claim("and both plots of it say what they rest on", len(beneath) == 2 and all("Assumed: 400 devices from tue 08:00 UTC on; " in text for text in beneath))

    kept = pathlib.Path(folder) / "kept.html"
    kept.write_text("old")
    with subprocess.Popen([firebreak, "replay", "july-19", "--fleet", "200000", "--policy", "all", "--html", kept], stdout=subprocess.DEVNULL,
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) as child:      # some who run tests ignore it
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
    claim("interrupted, it leaves the old report and nothing else",
          child.returncode == -signal.SIGINT and kept.read_text() == "old" and sorted(os.listdir(folder)) == ["kept.html", "r.html"])

print(f"1..{points}")
sys.exit(bool(failed))
