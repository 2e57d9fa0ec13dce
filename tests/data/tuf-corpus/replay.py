#!/usr/bin/python3
"""replay.py CORPUS CLIENT [-k SUBSTRING] [--learn OUT] [--shim]

Replays recorded conformance scenarios against a client; needs only Python's standard library and, unless
--shim is given, faketime(1).  --shim sets FIREBREAK_TEST_NOW=<unix seconds> rather than preloading libfaketime.
--learn OUT writes the corpus back with every expectation that this client does not meet widened to 'any' (null).
"""
import base64, collections, gzip, hashlib, json, os, subprocess, sys, tempfile, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

args = sys.argv[1:]
opt = {}
for o in ("-k", "--learn"):
    if o in args:
        i = args.index(o); opt[o] = args[i + 1]; del args[i:i + 2]
shim = "--shim" in args
if shim:
    args.remove("--shim")
corpus = json.load((gzip.open if args[0].endswith(".gz") else open)(args[0])); client = args[1:]
# request order is checked only where the suite itself asserts it
STRICT = ("test_basic_refresh_requests", "test_implicit_refresh", "initial_root", "test_graph_traversal",
          "test_targetfile_search", "test_delegation_not_in_snapshot", "_404", "test_timestamp_content_changes")
blobs = {h: base64.b64decode(b) for h, b in corpus["blobs"].items()}
now_serving, log = {}, []


class H(BaseHTTPRequestHandler):
    def do_GET(self):
        p = self.path.lstrip("/"); log.append(p)
        data = blobs.get(now_serving.get(p, ""))
        if data is None:
            self.send_error(404); return
        self.send_response(200); self.send_header("Content-Length", str(len(data))); self.end_headers()
        self.wfile.write(data)

    def log_message(self, *a):
        pass


srv = ThreadingHTTPServer(("127.0.0.1", 0), H)
threading.Thread(target=srv.serve_forever, daemon=True).start()
base = "http://127.0.0.1:%d/" % srv.server_address[1]


def sha(p):
    return hashlib.sha256(open(p, "rb").read()).hexdigest()


def run_step(step, d):
    md, td = os.path.join(d, "metadata"), os.path.join(d, "targets")
    now_serving.clear(); now_serving.update(step.get("serve", {})); log.clear()
    cmd, env = list(client), dict(os.environ)
    if step["cmd"] == "init":
        r = os.path.join(d, "initial_root.json"); open(r, "wb").write(blobs[step["root"]])
        cmd += ["--metadata-dir", md, "init", r]
    else:
        cmd += ["--metadata-url", base + "metadata/", "--metadata-dir", md]
        for t in step.get("targets", []):
            cmd += ["--target-name", t]
        if step["cmd"] == "download":
            cmd += ["--target-dir", td, "--target-base-url", base + "targets/"]
        cmd += [step["cmd"]]
        if shim:
            env["FIREBREAK_TEST_NOW"] = str(step["now"])
        else:
            cmd = ["faketime", "@%d" % step["now"]] + cmd
    try:
        rc = subprocess.run(cmd, env=env, timeout=60, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
    except subprocess.TimeoutExpired:
        rc = 124
    files = [os.path.join(a, f) for a, _, fs in os.walk(td) for f in fs]
    return {"rc": rc, "requests": list(log),
            "trusted": sorted(sha(os.path.join(md, f)) for f in os.listdir(md) if f.endswith(".json")),
            "downloads": [sha(f) for f in sorted(files, key=os.path.getmtime)]}


ok = bad = 0
for name, steps in sorted(corpus["tests"].items()):
    if opt.get("-k", "") not in name:
        continue
    why = []
    with tempfile.TemporaryDirectory() as d:
        os.mkdir(d + "/metadata"); os.mkdir(d + "/targets")
        for n, step in enumerate(steps):
            got, exp = run_step(step, d), step["expect"]
            for k in ("rc", "trusted", "downloads", "requests"):
                if k == "requests" and not any(s in name for s in STRICT):
                    continue
                if exp.get(k) is not None and exp[k] != got[k]:
                    why.append("step %d %s: %s wanted %s got %s" % (n, step["cmd"], k,
                               [x[:12] if len(x) == 64 else x for x in exp[k]] if k != "rc" else exp[k],
                               [x[:12] if len(x) == 64 else x for x in got[k]] if k != "rc" else got[k]))
                    if "--learn" in opt:
                        exp[k] = None
                if k == "downloads" and exp.get("downloads_any") and got[k] not in exp["downloads_any"]:
                    why.append("step %d: downloads %s" % (n, got[k]))
            if "test_artifact_cache" in name and step["cmd"] == "download":
                w = [r for r in exp["requests"] if r.startswith("targets/")]
                g = [r for r in got["requests"] if r.startswith("targets/")]
                if len(w) != len(g):
                    why.append("step %d: %d artifact requests, wanted %d" % (n, len(g), len(w)))
    if why:
        bad += 1; print("FAIL", name); [print("     ", w) for w in why]
    else:
        ok += 1; print("ok  ", name)
if "--learn" in opt:
    json.dump(corpus, open(opt["--learn"], "w"), indent=0, sort_keys=True)
print("%d passed, %d failed" % (ok, bad))
sys.exit(bool(bad))
