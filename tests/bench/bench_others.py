#!/usr/bin/env python3
"""bench_others - the same release by firebreak-agent and by casync, swupdate, rauc and mender-client of Debian 12, in turn, on this machine.

usage: bench_others.py --build DIR [--rounds N] [--shape whole|spread] [--only NAME] [--files N] [--smoke]

A tree of 20 MB in 2,000 files of which 1 % changes (payload.py), served on this machine. Of each: the time from the first byte that is asked for, or the
start of its command, until the new tree stands on disk and is synced; the most memory that all its processes had at once (PSS, looked at without a pause);
the bytes that it was sent; its programs' size. Prints a line for each to standard error and one JSON object; medians of the rounds.
`tools/install-deps --peers` brings the others.
"""
import argparse, contextlib, http.server, json, multiprocessing, os, pathlib, random, re, shutil, signal, statistics, subprocess, sys, time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import payload, peers
from claims import Claims
from delta import STREAM, Relayed
from fleet import Fleet

WAIT_S, LOOK_S = 120, 0.002


class Handler(http.server.BaseHTTPRequestHandler):
    """Files of one folder, also pieces of them, over connections that stay; counts what it sends."""
    protocol_version = "HTTP/1.1"
    folder, sent = None, None
    wbufsize = 1 << 16

    def log_message(self, *words):
        pass

    def count(self, length):
        with self.sent.get_lock():
            self.sent.value += length

    def answer(self, status, body, **fields):
        head = f"HTTP/1.1 {status}\r\n" + "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items()) + f"Content-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + (body if self.command == "GET" else b""))
        self.wfile.flush()
        self.count(len(head) + (len(body) if self.command == "GET" else 0))

    def do_GET(self):
        path = self.folder / self.path.split("?")[0].lstrip("/")
        if not path.is_file():
            self.answer("404 Not Found", b"")
            return
        data, asked = path.read_bytes(), self.headers.get("Range")
        if not asked:
            self.answer("200 OK", data)
            return
        ranges = [(int(first), min(int(last or len(data)), len(data) - 1)) for first, last in (text.split("-") for text in asked.split("=")[1].split(","))]
        if len(ranges) == 1:
            first, last = ranges[0]
            self.answer("206 Partial Content", data[first:last + 1], Content_Range=f"bytes {first}-{last}/{len(data)}")
            return
        border = b"\r\n--between"
        parts = b"".join(border + f"\r\nContent-Range: bytes {first}-{last}/{len(data)}\r\n\r\n".encode() + data[first:last + 1] for first, last in ranges)
        self.answer("206 Partial Content", parts + border + b"--\r\n", Content_Type="multipart/byteranges; boundary=between")

    do_HEAD = do_GET


def serve(folder, port, sent):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Handler.folder, Handler.sent = folder, sent
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port.value = server.server_address[1]
    server.serve_forever()


class Served:
    def __init__(self, folder):
        folder.mkdir()
        port, self.sent = multiprocessing.Value("i"), multiprocessing.Value("L")
        self.process = multiprocessing.Process(target=serve, args=(folder, port, self.sent), daemon=True)
        self.process.start()
        while not port.value:
            time.sleep(0.01)
        self.folder, self.url = folder, f"http://127.0.0.1:{port.value}"


def pss_kb(pid):
    with contextlib.suppress(OSError):
        for line in open(f"/proc/{pid}/smaps_rollup"):
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def words_of(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def descent(roots, without):
    """Processes that were started by these, with them; not those whose command has this word."""
    found, frontier = [], list(roots)
    while frontier:
        pid = frontier.pop()
        if without and without in words_of(pid):
            continue
        found.append(pid)
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                frontier += map(int, pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return found


def look(roots, without, pipe):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    looks = []
    while not pipe.poll(LOOK_S):
        looks.append((time.time(), sum(map(pss_kb, descent(roots, without)))))
    pipe.send(looks)


class Memory:
    """Of some processes and all that they start, together, at each look; the most between two times. Looked at from a process of its own, not to hold up
    whatever this one serves."""

    def __init__(self, roots, without=b""):
        self.pipe, there = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=look, args=(roots, without, there), daemon=True)
        self.process.start()

    def most(self, begin, end):
        self.pipe.send("enough")
        looks = self.pipe.recv()
        self.process.join()
        return max((kb for at, kb in looks if begin <= at <= end), default=0)


def run_peer(peer, served):
    peer.reset()
    os.sync()
    service = peer.begin()
    sent, began = served.sent.value, time.time()
    try:
        process = subprocess.Popen([str(word) for word in peer.command()], env=peer.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   start_new_session=True, text=True, errors="replace")
        memory = Memory([pid for pid in (process.pid, service) if pid])
        said = process.communicate(timeout=WAIT_S)[0]
        quiet = subprocess.run(["sync", "-f", str(peer.target())], check=False)
        ended = time.time()
        kb = memory.most(began, ended)
    finally:
        peer.end()
    is_done = peer.is_done()
    if not peer.is_well(process.returncode, said) or quiet.returncode or not is_done:
        raise RuntimeError(f"{peer.name}: exit {process.returncode}; the tree {'is' if is_done else 'is not'} there\n{said[-2000:]}")
    return {"seconds": ended - began, "memory_kb": kb, "bytes": served.sent.value - sent}


class Ours:
    """A device of a real server: begun at the first byte of the exchange in which it hears of the release, done when the log says that it is unpacked, which is
    when it is synced. Preflight, lease and trial come after, and the others have none of them."""
    name = "firebreak-agent"

    def __init__(self, fleet, trees):
        self.fleet, self.counter, self.deltas, self.folder, self.splits = fleet, 0, 0, fleet.root / "set", []
        fleet.init()
        fleet.start_server()
        self.device = Relayed(fleet, 0)
        fleet.devices.append(self.device)
        self.device.prepare(fleet.ask("token", "new", "--group", "demo", "--uses", 1, "--expires", "1h")["token"])
        self.device.start()
        shutil.copytree(HERE.parent.parent / "content/yara/sets/1-good", self.folder)
        self.ship(trees["old"])

    def said_at(self, phrase):
        found = re.findall(rf"^(\S+)Z level=\w+ event=release stream={STREAM} what=\"{phrase}", self.device.log(), flags=re.M)
        return time.mktime(time.strptime(found[-1].split(".")[0], "%Y-%m-%dT%H:%M:%S")) - time.timezone + float("0." + found[-1].split(".")[1]) if found else 0

    def ship(self, tree):
        payload.write(self.folder, tree)
        self.counter += 1
        (self.folder / "VERSION").write_text(f"{self.counter}\n")
        spec = self.folder / "release.yaml"
        spec.write_text("".join(line for line in spec.read_text().splitlines(True) if not line.startswith(("version:", "counter:"))) + f"version: {self.counter}\ncounter: {self.counter}\n")
        self.device.relay.looks = []
        self.fleet.ship(self.folder, self.counter, start=False)
        self.deltas += 1 + min(3, self.counter - 1)            # the whole of it, and from three before it: published, they are made in the background
        self.fleet.wait(lambda: len(list(self.fleet.root.glob("server/artifacts/*/[0-9a-f]*.delta"))) >= self.deltas, WAIT_S, "the deltas to be made")
        self.fleet.start_rollout(self.counter)
        self.fleet.wait(lambda: self.device.runs(self.counter), WAIT_S, f"release {self.counter} to be proven:\n{self.device.log()[-2000:]}")

    def run(self, tree):
        """None: the device was a control first, and had the note from then, so that the parts of it do not add up to one installation."""
        os.sync()
        memory = Memory([self.device.process.pid], b"yarad")       # the engine's memory is its own affair
        self.ship(tree)
        offered, unpacked = self.said_at("offered"), self.said_at("unpacked")
        looks = [at for at in self.device.relay.looks if at[0] <= unpacked]
        began = self.begin_of_talk([at for at, _ in looks if at <= offered], offered)
        kb = memory.most(began, unpacked)
        if self.device.log().count(f'"offered, idle -> fetching: release {self.counter}"') != 1:
            return None
        self.splits.append((offered - began, self.said_at("fetched") - offered, unpacked - self.said_at("fetched")))
        return {"seconds": unpacked - began, "memory_kb": kb, "bytes": sum(length for at, length in looks if at >= began)}

    @staticmethod
    def begin_of_talk(times, offered, pause_s=0.25):          # a busy device asks again after 0.3 s
        """The exchanges before the offer, without a longer pause between them."""
        began = offered
        for at in reversed(times):
            if began - at > pause_s:
                break
            began = at
        return began


def libraries(program):
    """Bytes of the shared libraries that a program needs, but for the C library's own."""
    said = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    paths = {os.path.realpath(path) for path in re.findall(r"=> (/\S+)", said) if not re.search(r"/(libc|libm|libpthread|libdl|librt|libresolv|ld-linux\S*)\.so", path)}
    return paths


def sizes(programs, scratch):
    """Without debug information, as packages bring them."""
    total = 0
    for program in programs:
        subprocess.run(["strip", "-o", str(scratch), str(program)], check=True)
        total += scratch.stat().st_size
    shared = set().union(*(libraries(program) for program in programs))
    return total, sum(os.path.getsize(path) for path in shared)


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def show(rows):
    print(f"{'':16} {'seconds':>8} {'memory':>9} {'on the wire':>12} {'programs':>9} {'libraries':>10}", file=sys.stderr)
    for row in rows:
        print(f"{row['name']:16} {row['seconds']:8.2f} {row['memory_kb'] / 1024:5.1f} MiB {row['bytes'] / 1000:9,.0f} KB {row['program_bytes'] / 1000:6,.0f} KB {row['library_bytes'] / 1000:7,.0f} KB", file=sys.stderr)


def measure(claims, fleet, options):
    dice = random.Random(20)
    old = payload.files(dice, options.files)
    trees = {"old": old, "new": payload.SHAPES[options.shape](dice, old)}
    root = fleet.root / "others"
    root.mkdir()
    for name, tree in trees.items():
        payload.write(root / name, tree)
    served = Served(root / "served")
    each = [kind(root, root / "old", root / "new", served.folder, served.url) for kind in peers.PEERS if not options.only or kind.name in options.only]
    for peer in each:
        peer.prepare()
    ours = Ours(fleet, trees)
    runs = {name: [] for name in (ours.name, *(peer.name for peer in each))}
    tree = old
    for turn in range(options.rounds):
        jobs = [(ours.name, None), *((peer.name, peer) for peer in each)]
        for name, peer in jobs[turn % len(jobs):] + jobs[:turn % len(jobs)]:
            if peer:
                runs[name].append(run_peer(peer, served))
            else:
                found = None
                while not found:
                    tree = payload.SHAPES[options.shape](dice, tree)
                    found = ours.run(tree)
                runs[name].append(found)
            print(f"round {turn + 1} of {options.rounds}: {name}: {runs[name][-1]}", file=sys.stderr)
    rows = []
    programs = {ours.name: [fleet.build / "firebreak-agent"], **{peer.name: [*peer.programs, *peer.beside] for peer in each}}
    for name, found in runs.items():
        program, library = sizes([path for path in programs[name] if os.path.exists(path)], root / "stripped")
        rows.append({"name": name, "rounds": len(found), **{key: median(found, key) for key in ("seconds", "memory_kb", "bytes")}, "program_bytes": program, "library_bytes": library})
    show(rows)
    hears, fetches, unpacks = (statistics.median(split) for split in zip(*ours.splits))
    print(f"{ours.name}: {hears:.2f} s until the offer was verified, {fetches:.2f} s to fetch what it lacked, {unpacks:.2f} s until all of it was on disk", file=sys.stderr)
    print(json.dumps({"bench": "others", "shape": options.shape, "files": len(old), "tree_bytes": sum(map(len, old.values())), "hears_s": hears, "fetches_s": fetches, "unpacks_s": unpacks, "rows": rows}))
    claims.claim("everybody brought the tree", all(len(found) == options.rounds for found in runs.values()))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--shape", choices=sorted(payload.SHAPES), default="whole")
    options.add_argument("--only", action="append")
    options.add_argument("--files", type=int, default=payload.FILES)
    options = options.parse_args()
    claims = Claims()
    with Fleet(options.build, 1) as fleet:
        fleet.play(claims, measure, options)
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
