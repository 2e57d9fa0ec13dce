#!/usr/bin/env python3
"""nft_hostile - firebreak-nft where everything else is against it: no nft, no disk, a damaged record, a slow path, a second stream in its folder.

usage: nft_hostile.py --build DIR

As in streams.py: a device in a network of its own, and a listener here that its rules may cut off; no agent and no server. Mounts are in a name
space of ours and are gone with it.
"""
import argparse, contextlib, os, pathlib, shutil, subprocess, sys, tempfile, time, types

from claims import Claims
from streams import Alone, GOOD_TABLE, Network, SLACK_S, isolate, run, wait_back

# What it makes of this must be the same text each time, or it is not known again.
TIMED_TABLE = """\
table inet acme {
  set some {
    type ipv4_addr
    timeout 1h
    elements = { 192.0.2.1, 192.0.2.2 timeout 2h }
  }
  chain input {
    type filter hook input priority 0; policy accept;
    counter packets 3 bytes 5
    ip saddr @some drop
    tcp dport 22 accept
  }
}
"""
# In a name space where no further network is to be had, and no device but lo; that one is the machine's, and somebody has a table there.
NO_NETWORK = """\
ip link set lo up
nft add table ip docker
echo 0 >/proc/sys/user/max_net_namespaces
"$1" check --rules "$2" --owns "inet acme"
echo "exit $?"
nft list ruleset
"""


class Hostile(Alone):
    def __init__(self, claims, place, network):
        super().__init__(claims, place, network)
        self.state = self.folder / "state"
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        self.has_nft(True)
        os.environ["PATH"] = f"{self.bin}:/usr/bin:/bin"                # nft is in sbin, and so only here
        (self.folder / "timed").mkdir()
        (self.folder / "timed/rules.nft").write_text(TIMED_TABLE)

    def has_nft(self, is_there):
        (self.bin / "nft").unlink(missing_ok=True)
        if is_there:
            (self.bin / "nft").symlink_to(self.nft)

    nft = shutil.which("nft", path="/usr/sbin:/sbin:/usr/bin:/bin")

    def said(self, name):
        """A start until it says how it went, and its end."""
        one = self.start(name)
        status = self.status()
        self.end(one)
        return status

    def boot_says(self):
        return subprocess.run([*self.network.inside, self.program, "boot", "--state", self.state], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def flush(self):
        run(*self.network.inside, self.nft, "flush", "ruleset")

    def without_nft(self):
        """The case that `case` of streams.py does not know: who brings back has no nft to start, and then it is there again."""
        one = self.start("bad")
        self.wait_for_cut()
        began = time.monotonic()
        self.has_nft(False)
        took = wait_back(self.network, self.port, 6)
        self.claims.claim(f"nft is taken away while the switch waits: back after {time.monotonic() - began:.1f} s", took and time.monotonic() - began < 2 + SLACK_S)
        self.has_nft(True)
        self.status()
        self.end(one)
        self.claims.claim("and the rules of before stand", self.is_old())

    def damaged(self):
        good = (self.state / "good").read_bytes()
        for text, armed in (("damaged", b"table inet acme {{\n"), ("empty", b"")):
            (self.state / "armed").write_bytes(armed)
            self.flush()
            done = self.boot_says()
            self.claims.claim(f"a {text} record of a change: at boot the rules that answered last stand: {done.stdout.strip()}",
                              done.returncode == 0 and self.is_old() and not (self.state / "armed").exists())
        (self.state / "armed").write_bytes(b"table inet acme {{\n")
        status = self.said("good")
        self.claims.claim(f"and at a start, too: {status.split()[0]}", "state=ok" in status and self.is_old() and not (self.state / "armed").exists())
        self.said("timed")
        (self.state / "good").write_text("table inet {{{\n")
        self.flush()
        done = self.boot_says()
        self.claims.claim("where the rules that answered last cannot be loaded, those before them stand at boot", done.returncode == 0 and self.is_old())
        (self.state / "good").write_bytes(good)

    def disks(self):
        """Rules that are known, from a disk that takes nothing: read-only, then full."""
        self.said("timed")
        self.said("good")
        (self.state / "armed").write_text("# firebreak-nft: brings back what stood. until_ms=5 boot=another\ntable inet acme\n")
        run("mount", "--bind", self.state, self.state)
        run("mount", "-o", "remount,bind,ro", self.state)
        self.flush()
        done = self.boot_says()
        self.claims.claim(f"a read-only disk: at boot the rules that answered last stand {done.stdout.strip()}", done.returncode == 0 and self.is_old())
        for name in ("timed", "good"):
            status = self.said(name)
            self.claims.claim(f"a read-only disk: known rules ({name}) come into force: {status.strip()}", "state=ok" in status and ("@some" in self.network.rules()) == (name == "timed"))
        run("umount", self.state)
        (self.state / "armed").unlink()
        with tempfile.TemporaryDirectory(prefix="firebreak-") as aside:
            shutil.copytree(self.state, f"{aside}/state")
            run("mount", "-t", "tmpfs", "-o", "size=128k", "none", self.state)
            shutil.copytree(f"{aside}/state", self.state, dirs_exist_ok=True)
        self.fill()
        status = self.said("timed")
        self.claims.claim(f"a full disk: a roll-back to known rules needs no room: {status.strip()}", "state=ok" in status and "@some" in self.network.rules())
        self.flush()
        self.boot_says()
        self.claims.claim("a full disk: and at boot those come that were last", "@some" in self.network.rules())
        self.fill()
        status = self.said("bad")
        self.claims.claim(f"a full disk: nothing that is not known is tried: {status.strip()}", "state=error" in status and "no answer" not in status and "@some" in self.network.rules())
        run("umount", self.state)

    def fill(self):
        with contextlib.suppress(OSError), open(self.state / "filler", "ab", buffering=0) as filler:
            while filler.write(bytes(4096)):
                pass

    def offline(self):
        """Known rules are not asked for again, also those that have elements with a time to live."""
        self.said("timed")
        self.said("good")
        port, self.port = self.port, 1
        status = self.said("timed")
        self.port = port
        self.claims.claim(f"rules with elements that live for a time are known again without a network: {status.strip()}", "state=ok" in status and "@some" in self.network.rules())
        self.said("good")

    def slow(self):
        """A path that takes longer than the first try."""
        script = self.folder / "slow"
        script.write_text("#!/bin/sh\nsleep 2\n")
        script.chmod(0o755)
        (self.folder / "new").mkdir()
        (self.folder / "new/rules.nft").write_text(GOOD_TABLE.format(port=24))
        one = subprocess.Popen([*self.network.inside, self.program, "run", "--rules", self.folder / "new/rules.nft", "--owns", "inet acme", "--answer", f"run:{script}",
                                "--within", "10", "--status", self.folder / "new/status", "--state", self.state], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 25
        while not (self.folder / "new/status").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        status = (self.folder / "new/status").read_text() if (self.folder / "new/status").exists() else "silent"
        self.end(one)
        self.claims.claim(f"a path that needs two seconds to answer: {status.strip()}", "state=ok" in status)
        self.said("good")

    def two(self):
        one = self.start("good")
        self.status()
        other = self.start("timed")
        status = self.status(20)
        self.claims.claim(f"a second stream with the same folder is told so, and changes nothing: {status.strip()}", "another stream has this --state" in status and self.is_old())
        for process in (one, other):
            self.end(process)

    def no_network(self):
        done = subprocess.run(["unshare", "--user", "--map-root-user", "--net", "sh", "-c", NO_NETWORK, "sh", self.program, self.folder / "good/rules.nft"], text=True,
                              env={**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.claims.claim(f"where no empty network is to be had, nothing is loaded into the machine's: {done.stdout.splitlines()[:1]}",
                          "exit 69" in done.stdout and "table ip docker" in done.stdout and "acme" not in done.stdout and "witness" not in done.stdout)

    def play(self):
        self.claims.claim("rules that answer stand", "state=ok" in self.said("good") and self.is_old())
        for part in (self.without_nft, self.damaged, self.disks, self.offline, self.slow, self.two, self.no_network):
            part()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    build = pathlib.Path(options.parse_args().build).resolve()
    isolate("nft", "ip", "nsenter", "unshare")
    claims, network = Claims(), Network()
    try:
        with tempfile.TemporaryDirectory(prefix="firebreak-") as folder:
            Hostile(claims, types.SimpleNamespace(root=pathlib.Path(folder), build=build), network).play()
    finally:
        network.close()
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
