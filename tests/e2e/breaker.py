#!/usr/bin/env python3
"""breaker - a rule set that flags every file of /usr/bin with quarantine, on real devices: what is moved, what is not, and what the server hears.

usage: breaker.py --build DIR [--keep]

The engines really watch /usr/bin and may really move its files, so all of it happens in a mount namespace of its own, in which a layer lies over
/usr/bin that takes every change; nothing begins before it was seen that a change inside is none outside. Must be root.

At the end the same rules run without the breaker: they must then move what packages own, or nothing was shown.
"""
import argparse, json, os, pathlib, shutil, signal, socket, subprocess, sys, tempfile, threading, time

from claims import Claims
from fleet import SETS, Device, Failed, Fleet

BIN = pathlib.Path("/usr/bin")
ACTIONS_MAX = 5
WINDOW_S = 3600
MARK = "FIREBREAK-E2E-UNWANTED-51c2"
GOOD = f'rule unwanted {{ meta: action = "quarantine" strings: $a = "{MARK}" condition: $a }}\n'
BAD = 'rule everything { meta: action = "quarantine" condition: filesize > 0 }\n'
PROGRAM, ADMIN = 0, 1                    # device 0 watches /usr/bin, device 1 a folder of the administrator's; the others watch what they do elsewhere
PRIVATE_KB_MAX = 6 << 10


def isolate():
    """Run again in a mount namespace of our own; the program that stays outside is our parent."""
    if os.environ.get("BREAKER_OUTSIDE"):
        return
    listing, layer = listing_of(BIN), tempfile.mkdtemp(prefix="firebreak-layer-")
    code = subprocess.run(["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv],
                          env={**os.environ, "BREAKER_OUTSIDE": str(os.getpid()), "BREAKER_LAYER": layer}).returncode
    os.rmdir(layer)                      # what was mounted there went with the namespace
    if listing_of(BIN) != listing:
        print("/usr/bin of this machine CHANGED: look at it at once\n0 passed, 1 failed", flush=True)
        code = 1
    sys.exit(code)


def listing_of(folder):
    return sorted((e.name, e.inode(), e.stat(follow_symlinks=False).st_mtime_ns, e.stat(follow_symlinks=False).st_size) for e in os.scandir(folder))


def lay_over(claims):
    """A layer over /usr/bin; False, and nothing may begin, unless it was seen to take what is written."""
    layer = pathlib.Path(os.environ["BREAKER_LAYER"])
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", layer], check=True)
    for name in ("upper", "work"):
        (layer / name).mkdir()
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={BIN},upperdir={layer}/upper,workdir={layer}/work", BIN], check=True)
    marker = BIN / f"firebreak-marker-{os.getpid()}"
    marker.write_text("inside\n")
    outside = pathlib.Path(f"/proc/{os.environ['BREAKER_OUTSIDE']}/root")
    is_safe = marker.exists() and (layer / "upper" / marker.name).exists() and (outside / "usr/bin/env").exists() and not (outside / str(marker)[1:]).exists()
    marker.unlink()
    return claims.claim("what is written to /usr/bin in here is not in the machine's own", is_safe)


def owned():
    """All paths of packages, as they are without the links of /bin and the like."""
    found = set()
    for path in pathlib.Path("/var/lib/dpkg/info").glob("*.list"):
        found.update(path.read_text(errors="surrogateescape").splitlines())
    return {os.path.join(os.path.realpath(os.path.dirname(p)), os.path.basename(p)) for p in found if "/bin" in p}


def regular(folder):
    return {e.name for e in os.scandir(folder) if e.is_file(follow_symlinks=False)}


def release(fleet, counter, rules):
    folder = fleet.root / f"set-{counter}"
    shutil.copytree(SETS / "1-good", folder)
    (folder / "VERSION").write_text(f"{counter}\n")
    spec = (folder / "release.yaml").read_text()
    (folder / "release.yaml").write_text(spec.replace("counter: 1", f"counter: {counter}").replace("2026.11.1-1", f"2026.11.1-{counter}"))
    with open(folder / "rules/base.yar", "a") as file:
        file.write(rules)
    return folder


class Guarded:
    """One device whose engine may quarantine, and asks."""

    def __init__(self, device, watch):
        self.device, self.watch = device, watch
        self.away, self.socket = watch / ".quarantine", device.root / "run/edr-rules.ask"

    def configure(self):
        self.away.mkdir()
        path = self.device.root / "agent.yaml"
        before = path.read_text()
        asked = f'"--quarantine", {self.away}, "--ask", {self.socket}]\n      reload_signal'
        after = before.replace("]\n      reload_signal", ", " + asked, 1).replace(f"--watch, {self.device.root}/watched", f"--watch, {self.watch}", 1)
        assert after.count(str(self.watch)) > 1
        path.write_text(after + f"    breaker:\n      socket: {self.socket}\n      group: daemon\n      actions_max: {ACTIONS_MAX}\n      window_s: {WINDOW_S}\n")

    def moved(self):
        return {name.split(".", 1)[1] for name in os.listdir(self.away)}

    def ask(self, path, *words, ok=range(256)):
        return self.device.fleet.run(self.device.fleet.build / "firebreak-agent", "ask", "--socket", self.socket, *words, "quarantine", path, ok=ok)

    def status(self):
        done = self.device.fleet.run(self.device.fleet.build / "firebreak-agent", "status", "--config", self.device.root / "agent.yaml", "--json")
        return json.loads(done.stdout)["streams"][0]

    def log(self):
        return (self.device.root / "agent.log").read_text()

    def knows_the_platform(self):
        breaker = self.status()["breaker"]
        return breaker and breaker["platform_names"] > 1000

    def heard(self, counter):
        """What the server has as harm for this device's exposures to a release."""
        shown = json.loads(self.device.fleet.firebreak("device", "show", self.name(), "--json").stdout)
        return [lease["harm"] for lease in shown["leases"] if lease["counter"] == counter and lease["harm"]]

    def name(self):
        done = self.device.fleet.run(self.device.fleet.build / "firebreak-agent", "status", "--config", self.device.root / "agent.yaml", "--json")
        return json.loads(done.stdout)["device"]


def enrol(fleet):
    token = fleet.ask("token", "new", "--group", "demo", "--uses", fleet.size, "--expires", "1h")["token"]
    guarded = []
    for number in range(fleet.size):
        device = Device(fleet, number)
        device.is_old = False
        fleet.devices.append(device)
        device.prepare(token)
        if number in (PROGRAM, ADMIN):
            guarded.append(Guarded(device, BIN if number == PROGRAM else device.root / "watched"))
            guarded[-1].configure()
        device.start()
    return guarded


def good(claims, fleet, program, admin):
    claims.say("release 1: a good rule set, which quarantines one file of the administrator's on each of two devices")
    for one in (program, admin):
        (one.watch / "unwanted").write_text(f"#!/bin/sh\n# {MARK}\n")
        fleet.wait(one.knows_the_platform, 30, "the platform's files to be known")
    fleet.ship(release(fleet, 1, GOOD), 1)
    fleet.wait(lambda: fleet.rollout(1)["proven"] == fleet.size, 60, "release 1 to be proven everywhere")
    fleet.wait(lambda: program.moved() and admin.moved(), 20, "both files to be put away")
    claims.claim("each is in quarantine, nothing else is, and the release is proven",
                 program.moved() == admin.moved() == {"unwanted"} and not (BIN / "unwanted").exists() and fleet.rollout(1)["hurt"] == 0)


def bad(claims, fleet, program, admin, packages):
    claims.say("release 2: a rule set that flags every file")
    for number in range(3 * ACTIONS_MAX):
        (admin.watch / f"report-{number}").write_text("nothing wrong with this\n")
    before = {one: (regular(one.watch), one.moved()) for one in (program, admin)}
    release(fleet, 2, BAD)
    for words in (("pack", fleet.root / "set-2", "--counter", "2"), ("sign", "edr-rules/2"), ("publish", "edr-rules/2")):
        fleet.firebreak("release", *words, "--publisher", fleet.publisher)
    lab = fleet.firebreak("lab", "run", "edr-rules/2", "--publisher", fleet.publisher, "--engine", fleet.build / "firebreak-yarad", ok=(1,))
    claims.claim("the lab would have refused it; nobody asks the lab, two people start it without", "FAIL" in lab.stdout)
    fleet.firebreak("rollout", "start", "edr-rules/2", "--budget", fleet.size, "--bake", "2s", "--gap", "4s", "--gather", "1s", "--holdout", "0", "--rollback", "5s",
                    "--override-by", "anna", "--override-by", "bert", "--reason", "shows what a device does")
    for one, what in ((program, "/usr/bin"), (admin, "files of the administrator's")):
        fleet.wait(lambda: one.heard(2), 60, f"the device that watches {what} to say what came of release 2")
        fleet.wait(lambda: one.device.loaded().get("version") == "1", 30, "its engine to be back on release 1")
        time.sleep(2)                    # it scans everything again with the rules before
        moved = one.moved() - before[one][1]
        status, harm = one.status(), one.heard(2)
        said = [line for line in one.log().splitlines() if "harmed, " in line]
        claims.say("  " + (said[-1] if said else "the device's log says nothing"))
        claims.claim(f"{what}: {len(moved)} files moved, at most {ACTIONS_MAX}", len(moved) <= ACTIONS_MAX)
        claims.claim(f"{what}: none of them is a package's", not {m for m in moved if str(one.watch / m) in packages})
        claims.claim(f"{what}: every other file is where it was", regular(one.watch) == before[one][0] - moved)
        claims.claim(f"{what}: back to release 1, and release 2 is given up", status["last_good"]["counter"] == status["current"]["counter"] == 1 and 2 in status["given_up"])
        claims.claim(f"{what}: the server has the harm as action_storm ({harm})", harm == ["action_storm"])
    claims.claim(f"files of the administrator's: exactly {ACTIONS_MAX} moved before the rate tripped", len(admin.moved() - before[admin][1]) == ACTIONS_MAX)
    claims.claim("/usr/bin: the log names the file, and that the platform ships it", "which the platform ships" in program.log())


def commands(claims, fleet, program, admin):
    claims.say("the command, outside a trial")
    done = program.ask("/bin/ls")
    claims.claim(f"a file of a package, by the link /bin: denied with 78 ({done.stdout.strip()})", done.returncode == 78 and "which the platform ships" in done.stdout)
    done = program.ask("/usr/bin/ls", "--json")
    claims.claim("the same as JSON", done.returncode == 78 and json.loads(done.stdout)["answer"] == "deny")
    done = program.ask(f"{program.device.root}/state/streams/edr-rules/a/VERSION")
    claims.claim("the agent's own state: denied", done.returncode == 78 and "which the agent keeps" in done.stdout)
    (BIN / "ls").write_bytes((BIN / "ls").read_bytes() + b"trojan")
    done = program.ask("/usr/bin/ls")
    claims.claim(f"the same file with another content, as a trojan would have it: allowed ({done.stdout.strip()})", done.returncode == 0)
    done = program.device.fleet.run(fleet.build / "firebreak-agent", "ask", "--socket", fleet.root / "none", "quarantine", "/srv/x", ok=range(256))
    claims.claim("no agent: 69", done.returncode == 69)


def alone(claims, fleet, packages):
    """The engine without an agent."""
    away, before = BIN / ".alone", regular(BIN)
    away.mkdir()
    rules = release(fleet, 9, BAD)

    def run(*words):
        process = subprocess.Popen([fleet.build / "firebreak-yarad", "--rules", rules, "--watch", BIN, "--quarantine", away, *words], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        timer = threading.Timer(6, process.terminate)
        timer.start()
        out = process.communicate()[0]
        timer.cancel()
        return out

    out = run("--ask", fleet.root / "no-such-socket")
    claims.claim(f"without an agent the engine quarantines nothing ({out.count('left ')} files matched and left)", regular(BIN) == before and not os.listdir(away) and out.count("left ") > 100)
    run()
    moved = {name.split(".", 1)[1] for name in os.listdir(away)}
    stolen = {m for m in moved if str(BIN / m) in packages}
    claims.claim(f"with the breaker out of the way the same rules do move files of packages ({len(stolen)} of {len(moved)}): the run can fail", len(stolen) > 100)


def connect(path):
    end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    end.settimeout(5)
    end.connect(str(path))
    return end


def as_nobody(path, groups):
    """Exit code of a child that is user nobody and tries to connect: 0 it could ask, 1 it could not connect, 2 it was closed."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        os.setgroups(groups)
        os.setgid(65534)
        os.setuid(65534)
        try:
            end = connect(path)
            end.send(b"quarantine\0/usr/bin/true")
            os._exit(0 if end.recv(300) else 2)
        except PermissionError:
            os._exit(1)
        except OSError:
            os._exit(2)
    finally:
        os._exit(3)


def private_kb(pid):
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().split("\n")
    return sum(int(line.split()[1]) for line in rollup if line.startswith(("Private_Clean:", "Private_Dirty:")))


def ours(device):
    return [pid for pid in device.pids() if os.readlink(f"/proc/{pid}/exe").endswith("/firebreak-agent")]


def restarted(claims, fleet, one):
    """The process that is asked is killed."""
    answerer = [pid for pid in ours(one.device) if b"\0answer\0" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(answerer[0], signal.SIGKILL)
    began = time.monotonic()
    while one.ask("/usr/bin/true").returncode != 78 and time.monotonic() - began < 15:
        time.sleep(0.1)
    claims.claim(f"the process that is asked, killed, is there again in {time.monotonic() - began:.1f} s, and knows the platform's files at once",
                 len(answerer) == 1 and time.monotonic() - began < 10 and "which the platform ships" in one.ask("/usr/bin/true").stdout)


def hostile(claims, fleet, one):
    claims.say("who connects and means ill")
    path, pids = one.socket, ours(one.device)
    one.device.root.chmod(0o755), fleet.root.chmod(0o755), (fleet.root / "devices").chmod(0o755)
    claims.claim("another user may not connect", as_nobody(path, []) == 1)
    claims.claim("a member of the group may ask", as_nobody(path, [1]) == 0)
    shapes = (b"quarantine", b"quarantine\0", b"\0/srv/x", b"quarantine\0srv/x", b"Quarantine\0/srv/x", b"quarantine\0/srv/x\0y", b"q" * 33 + b"\0/srv/x", b"\0", b"a" * 5000, b"quarantine\0/" + b"x" * 4096,
              b"quarantine /srv/x", b"counts", b"counts\0/x/../")
    answers = []
    for shape in shapes[:-1]:
        with connect(path) as end:
            end.send(shape)
            answers.append(end.recv(300))
    claims.claim("what is no question is denied as such", set(answers) == {b"deny this is no question\n"})
    with connect(path) as end:
        for _ in range(3):
            end.send(b"quarantine\0/usr/bin/true")
            answers.append(end.recv(300))
    claims.claim("a connection may ask again and again", len([a for a in answers if b"which the platform ships" in a]) == 3)
    with connect(path) as deaf:
        deaf.setblocking(False)
        sent = 0
        try:
            while sent < 20000:
                sent += bool(deaf.send(b"quarantine\0/usr/bin/true"))
        except OSError:
            pass
        held = []
        began = time.monotonic()
        for _ in range(3000):
            end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            end.setblocking(False)
            try:
                end.connect(str(path))
                held.append(end)
            except OSError:
                end.close()
                time.sleep(0.0005)
        claims.say(f"  {len(held)} of 3000 connections in {time.monotonic() - began:.1f} s, one client that never reads what it asked {sent} times")
        began = time.monotonic()
        done = one.ask("/usr/bin/true")
        claims.claim(f"meanwhile who asks in earnest is answered ({time.monotonic() - began:.1f} s)", done.returncode == 78 and time.monotonic() - began < 5)
        for end in held:
            end.close()
    claims.claim("the agent is the same process and well", ours(one.device) == pids and one.device.process.poll() is None)
    time.sleep(2)
    private = sum(private_kb(pid) for pid in ours(one.device))
    claims.claim(f"all of the agent's processes have {private} KiB of memory of their own, less than {PRIVATE_KB_MAX}", private < PRIVATE_KB_MAX)


def play(claims, fleet):
    packages = owned()
    fleet.init()
    fleet.start_server()
    program, admin = enrol(fleet)
    good(claims, fleet, program, admin)
    bad(claims, fleet, program, admin, packages)
    commands(claims, fleet, program, admin)
    hostile(claims, fleet, admin)
    restarted(claims, fleet, admin)
    for device in fleet.devices:
        device.stop()
    alone(claims, fleet, packages)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--build", required=True)
    options.add_argument("--keep", action="store_true")
    options = options.parse_args()
    isolate()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    claims = Claims()
    if not lay_over(claims):
        return claims.finish()
    with Fleet(options.build, 6) as fleet:
        fleet.keep = options.keep
        fleet.play(claims, play)
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
