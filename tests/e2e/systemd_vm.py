#!/usr/bin/env python3
"""systemd_vm - the units as they are installed, under a real systemd as the first process of a real kernel.

usage: systemd_vm.py --build DIR --vm DIR

As boot_loop.py, and with its claims; but in the machine systemd starts everything: firebreak-guard.service, firebreak-agent.service with its fetcher and
its verifier behind their sockets, and the engine, which is a unit of somebody else (`engine.unit`) and starts with the machine. The systemd is that of
the machine that runs this. The engine is there before its content; a release is proven, one panics the kernel when the engine loads it, one kills the
engine; the machine reboots while one is on trial, the service is started anew, and the sockets are masked. On the kernel's command line `do` is what the
guest does by itself (guest/systemd/report), `mask` the units that it has not.
"""
import argparse, json, re, shutil, signal, subprocess, sys, time

import boot_loop, vm
from fleet import Failed, Fleet

HERE = vm.GUEST / "systemd"
UNITS = ("acmed.service", "vm-enrol.service", "vm-report.service")
OURS = ("firebreak-guard.service", "firebreak-agent.service", "firebreak-fetch@.service", "firebreak-verify@.service", "firebreak-nft-boot.service", "firebreak-nft-switch.service",
        "firebreak-goodbye.service", "firebreak-goodbye-sleep.service")
DOORS = ("firebreak-fetch.socket", "firebreak-verify.socket", "firebreak-nft-switch.path", "firebreak-agent.conf")
WANTED = {"sysinit.target": ("firebreak-guard.service",), "sockets.target": ("firebreak-fetch.socket", "firebreak-verify.socket"),
          "multi-user.target": ("firebreak-agent.service", "firebreak-goodbye.service", "acmed.service", "vm-enrol.service", "vm-report.service")}
MEMORY_MB = 640
GIVEN_UP = ("nobody answered in time", "systemctl does not answer")      # of a goodbye on an emulated processor that has more to do
WAIT_S = 400                     # systemd starts each of our units anew, and the processor is emulated
# Of systemd itself: what a machine without a login needs.
SYSTEM = ("*.target", "*.slice", "systemd-journald*", "systemd-reboot.service", "systemd-poweroff.service")
PROGRAMS = ("systemd", "systemd-journald", "systemd-shutdown")
AGENT_YAML = """\
server: https://{host}:{port}
ca: /etc/ca.pem
state_dir: /var/lib/firebreak
trust: /etc/trust
platform: linux-amd64
poll_ms_max: 1000
busy_poll_ms: 300
streams:
  - name: edr-rules
    factory: /etc/factory
    engine:
      unit: acmed.service
      reload_signal: restart
      status_file: /run/engine.status
      status_every_ms: 5000
    preflight: [sh, -c, "test $(id -u) -gt 0 && ! cat /var/lib/firebreak/identity 2>/dev/null && exec firebreak-yarad --check --rules $0", "{{candidate}}"]
    bake_s: BAKE_S
    crashes_max: 1
    boots_max: BOOTS_MAX
"""


class Kit(vm.Kit):
    """The kernel, busybox, and systemd with its units and ours."""

    def __init__(self, kernel, folder):
        self.kernel, self.root, self.initramfs = kernel, folder / "initramfs", folder / "initramfs.cpio"
        for name in ("usr/bin", "usr/sbin", "usr/lib64", "usr/lib/systemd/system", "usr/local/bin", "usr/local/lib/systemd/system", "usr/local/lib/sysusers.d", "dev", "proc", "sys", "run",
                     "tmp", "var/lib", "etc/firebreak", "etc/systemd/system", "watched", "root"):
            (self.root / name).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            (self.root / name).symlink_to(f"usr/{name}")
        (self.root / "var/run").symlink_to("../run")
        self.add(vm.BUSYBOX, "usr/bin/busybox")
        for name in subprocess.run([vm.BUSYBOX, "--list"], check=True, text=True, stdout=subprocess.PIPE).stdout.split():
            if name not in ("busybox", "init", "reboot", "poweroff", "halt"):
                (self.root / "usr/bin" / name).symlink_to("busybox")
        (self.root / "usr/bin/poweroff").symlink_to("busybox")
        self.add(HERE / "init", "init")
        shutil.copytree(self.kernel / "modules", self.root / "modules")
        self.add_systemd()

    def add_libraries(self, program):
        for library in vm.libraries(program):
            self.add(library, library.lstrip("/"))

    def add_systemd(self):
        system = vm.pathlib.Path("/usr/lib/systemd/system")
        for pattern in SYSTEM:
            for unit in system.glob(pattern):
                shutil.copy(unit, self.root / "usr/lib/systemd/system" / unit.name, follow_symlinks=False)
        for name in PROGRAMS:
            self.add(f"/usr/lib/systemd/{name}", f"usr/lib/systemd/{name}")
            self.add_libraries(f"/usr/lib/systemd/{name}")
        self.add("/usr/bin/systemctl", "usr/bin/systemctl")
        self.add_libraries("/usr/bin/systemctl")
        for wants in ("sysinit.target.wants", "sockets.target.wants"):
            folder = self.root / "usr/lib/systemd/system" / wants
            folder.mkdir()
            for unit in ("systemd-journald.service",) if wants.startswith("sysinit") else ("systemd-journald.socket", "systemd-journald-dev-log.socket"):
                (folder / unit).symlink_to(f"../{unit}")
        (self.root / "etc/systemd/system/default.target").symlink_to("/usr/lib/systemd/system/multi-user.target")
        (self.root / "etc/systemd/journald.conf").write_text("[Journal]\nStorage=volatile\nForwardToConsole=yes\nTTYPath=/dev/console\nMaxLevelConsole=info\n")
        for name, text in {"passwd": "root:x:0:0:root:/root:/bin/sh\n", "group": "root:x:0:\n", "machine-id": "0123456789abcdef0123456789abcdef\n",
                           "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
                           "os-release": "ID=firebreak-vm\nNAME=vm\n", "hostname": "vm\n"}.items():
            (self.root / "etc" / name).write_text(text)

    def add_ours(self, build, source):
        for name in ("firebreak-agent", "firebreak-nft", "firebreak-yarad"):
            self.add(build / name, f"usr/local/bin/{name}")
            self.add_libraries(build / name)
            (self.root / "usr/bin" / name).symlink_to(f"/usr/local/bin/{name}")
        self.add(vm.GUEST / "engine", "usr/local/bin/engine")
        self.add(HERE / "report", "usr/local/bin/report")
        for names, folder in ((OURS, build / "systemd"), (DOORS, source / "systemd"), (UNITS, HERE)):
            for name in names:
                self.add(folder / name, f"usr/local/lib/{'sysusers.d' if name.endswith('.conf') else 'systemd/system'}/{name}")
        for target, names in WANTED.items():
            (self.root / f"etc/systemd/system/{target}.wants").mkdir()
            for name in names:
                (self.root / f"etc/systemd/system/{target}.wants" / name).symlink_to(f"/usr/local/lib/systemd/system/{name}")
        subprocess.run(["systemd-sysusers", f"--root={self.root}"], check=True, stdout=subprocess.DEVNULL)


class Play(boot_loop.Play):
    KIT = Kit

    def __init__(self, fleet):
        super().__init__(fleet)
        self.orders, self.failed_units, self.accepted = [], [], []

    def off(self):
        boot = self.machine.running
        super().off()
        if boot:
            self.orders += [(int(ended), int(began)) for ended, began in re.findall(r"^vm: order (\d+) (\d+)$", boot.console, re.M)]
            self.failed_units += re.findall(r"^vm: units (\S+?),", boot.console, re.M)
            self.accepted += [(int(fetch), int(verify)) for fetch, verify in re.findall(r"^vm: units .*?(\d+) (\d+)$", boot.console, re.M)]

    def fill(self, kit):
        kit.add_ours(self.fleet.build, vm.GUEST.parent.parent.parent)
        (kit.root / "etc/agent.yaml").write_text(AGENT_YAML.format(host=boot_loop.TO_HOST, port=self.fleet.port))

    def comes_before_its_content(self):
        """The machine's first boot: the engine unit is there before the agent has ever run. The states until it was told are no harm."""
        said = [engine.split()[0] for engine, _ in boot_loop.states(self.machine.running.console)]
        self.claim(f"the engine that ran before its content was there was told of it: {', '.join(dict.fromkeys(said))}", "state=error" in said and said[-1] == "state=ok")
        self.off()
        self.broken_states = [state for state in self.broken_states if state[1]["current"]["slot"] != "factory"]

    def is_confined(self, boot, units):
        """By the agent's status, once both have worked: who runs them, and what of their confinement is in force."""
        def all_known(console):
            found = processes(console)
            return found if len(found) == 2 else None
        found = boot.waits_until(all_known, WAIT_S) or {}
        for name in ("fetch", "verify"):
            state = found.get(name, {})
            self.claim(f"{name}{' in a unit of its own' if name in units else ''}: {state}",
                       state.get("unit") is (name in units) and state["user"] > 0 and state["landlock"] > 0 and state["system_calls_limited"] and not state["capabilities"])

    def proves(self, boot, what):
        """A release comes to the machine, which is online and well, and is proven."""
        self.must_be_well(boot, what)
        self.ship("nothing")
        self.is_proven(what)

    def must_be_well(self, boot, what):
        if not boot.waits_until(boot_loop.well, WAIT_S):
            raise Failed(f"{what}: the machine is not well:\n{boot.console[-3000:]}")

    def is_proven(self, what):
        self.fleet.wait(self.lease, WAIT_S, f"the server to hear of release {self.counter}")
        lease, running = self.lease()
        if self.claim(f"{what}: release {self.counter} is {lease['outcome']} {lease['harm'] or ''}", lease["outcome"] == "proven" and running == self.counter):
            self.good = self.counter

    def kills_its_engine(self):
        boot = self.on("boots_max=1", has_network=True)
        self.must_be_well(boot, "a release that kills its engine")
        self.ship("crash")
        self.fleet.wait(self.lease, WAIT_S, f"the server to hear of release {self.counter}")
        lease, running = self.lease()
        state = boot.waits_until(boot_loop.well, WAIT_S)
        self.claim(f"a release that kills its engine: {lease['outcome']} {lease['harm']}, and back on release {running} without a reboot",
                   lease["harm"] == "crash" and state and state["current"]["counter"] == running == self.good)

    def reboots_on_trial(self):
        """Told by systemd, in the order of its own: the engine, the supervisor and its processes at once."""
        boot = self.on("boots_max=1", "bake=60", "do=reboot", has_network=True)
        self.must_be_well(boot, "a reboot on trial")
        self.ship("nothing")
        if not boot.ends(WAIT_S):
            raise Failed(f"the machine does not reboot:\n{boot.console[-3000:]}")
        self.claim(f"the machine reboots while release {self.counter} is on trial", "\nvm: reboots on trial\n" in boot.console and not boot.panicked())
        goodbye = self.fleet.ask("device", "list")[0]["goodbye"]
        has_given_up = any(word in boot.console for word in GIVEN_UP)
        self.claim(f"it said goodbye on its way down, or gave up in time: {goodbye}", (goodbye and goodbye["kind"] == "reboot" and goodbye["back_at"]) or has_given_up)
        self.on("boots_max=1", has_network=True)
        self.is_proven("afterwards, in the one start that it is given")

    def starts_anew(self):
        boot = self.on("boots_max=1", "do=restart", has_network=True)
        found = boot.waits_until(lambda console: re.search(r"^vm: restarted (\S+) (\S+) (\S+) (\d+) (\d+) (\d+)$", console, re.M), WAIT_S)
        stopped, active, result, *engines = found.groups() if found else ("", "", "", 0)
        self.claim(f"systemctl stop: {stopped}, and start: {active}, {result}; the engine ran on as process {engines[0]}",
                   (stopped, active, result) == ("inactive", "active", "success") and int(engines[0]) > 0 and len(set(engines)) == 1)
        goodbye = self.fleet.ask("device", "list")[0]["goodbye"]
        self.claim(f"the unit that is wanted by sleep.target said goodbye, and the other one, stopped by hand, nothing: {goodbye}",
                   (goodbye and goodbye["kind"] == "suspend") or any(word in boot.console for word in GIVEN_UP))
        self.proves(boot, "after it")

    def has_no_sockets(self):
        boot = self.on("boots_max=1", "mask=firebreak-fetch.socket,firebreak-verify.socket", has_network=True)
        self.proves(boot, "with both sockets masked")
        self.is_confined(boot, ())

    def sum_up(self):
        self.off()
        engines = [(ended, began) for ended, began in self.orders if began]
        self.claim(f"the guard had ended before the engine began, each of {len(engines)} times", engines and all(0 < ended <= began for ended, began in engines))
        self.claim(f"the fetcher and the verifier were units behind their sockets: {max(self.accepted, default=(0, 0))}",
                   self.accepted and all(max(column) > 0 for column in zip(*self.accepted)))
        self.claim(f"no unit failed {self.failed_units[:2] or ''}", not self.failed_units)
        self.claim(f"the guard ended well, {len(self.guard_ends)} times", self.guard_ends and set(self.guard_ends) == {"0"})
        self.claim(f"never without a working copy {self.broken_states[:1] or ''}", not self.broken_states)
        self.say(f"{self.machine.boots} boots, {self.machine.misses} MISS: QEMU hung and was started again")


def processes(console):
    """By name, as `firebreak-agent status` has them in the last whole line."""
    found = re.findall(r"^vm: engine .*? (\{.*\})\n", console, re.M)
    return {process["process"]: process for process in json.loads(found[-1])["processes"]} if found else {}


def play(claims, fleet, options):
    boot_loop.WAIT_S = WAIT_S
    with claims.prepare(options) as claims.machine:
        claims.machine.memory_mb = MEMORY_MB
        claims.enrol(1)
        claims.is_confined(claims.machine.running, ("fetch", "verify"))
        claims.comes_before_its_content()
        claims.must_be_well(claims.on("boots_max=1", has_network=True), "a plain boot")
        claims.go(boot_loop.Step("a panic", None, "panic", 1), 0, 1)
        boot = claims.on("boots_max=1")
        state = boot.waits_until(boot_loop.well, WAIT_S)
        claims.claim(f"a plain boot without a network: well on release {state and state['current']['counter']}", state and state["current"]["counter"] == claims.good)
        claims.kills_its_engine()
        claims.reboots_on_trial()
        claims.starts_anew()
        claims.has_no_sockets()
        claims.sum_up()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options.add_argument("--vm", required=True)
    options = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with Fleet(options.build, 0) as fleet:
        claims = Play(fleet)
        fleet.play(claims, play, options)
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
