#!/usr/bin/env python3
"""boot_loop - content that panics the kernel when it is loaded: a machine boots in a loop, and comes out of it by itself, offline.

usage: boot_loop.py --build DIR --vm DIR [--loops N] [--cuts N] [--seed N]

DIR of --vm is what tools/vm-kernel filled. One machine (vm.py) with the agent and the sample engine as they were built, and a driver in its
kernel that obeys the content (guest/engine); a real server here. The machine enrols over its network and proves release 1. From then on
each release comes to it over the network, passes the lab and the preflight, is armed, and panics the kernel. The boots after that have no
network device at all: the guard must bring back release 1 within three of them. Then, online again, the server must hear of it.

The second half cuts the power at each step of a release's life and of the guard, and asks the same. Boots are counted in the guest, in
a file that the agent knows nothing of. How long the guard took is printed and not asserted: an emulated processor is slow.
"""
import argparse, collections, json, pathlib, random, re, shutil, signal, statistics, subprocess, sys, time

import vm
from claims import Claims
from fleet import SETS, Failed, Fleet

STREAM, SET, FIRST = "edr-rules", "2-update", 1
BOOTS_MAX = 3                   # from the panic, or the cut, to a machine that is well
WAIT_S = 120                    # for whatever takes seconds where nothing else is at work
DELAYS_S = (0, 0.02, 0.06)      # from the marker to the cut, where the guest cannot have gone too far by then
TO_HOST = "10.0.2.2"            # what the guest calls this machine
AGENT_YAML = """\
server: https://{host}:{port}
ca: /etc/ca.pem
state_dir: /state/agent
trust: /etc/trust
platform: linux-amd64
poll_ms_max: 1000
busy_poll_ms: 300
streams:
  - name: edr-rules
    factory: /etc/factory
    engine:
      command: [/bin/engine, "{{current}}"]
      reload_signal: restart
      status_file: /run/engine.status
      status_every_ms: 5000
    preflight: [/bin/firebreak-yarad, --check, --rules, "{{candidate}}"]
    bake_s: 1
    crashes_max: 1
    boots_max: BOOTS_MAX
"""

# What is done with a release: what the driver does with it (`order`), and where the power is cut, in the boot in which the release comes or in
# the one after its panic. `becomes` is all that may have become of it once the machine is well again: "untouched" is neither given up nor proven.
Step = collections.namedtuple("Step", "name marker order boots_max is_after becomes delays", defaults=(False, ("harmed",), DELAYS_S))
CUTS = (
    Step("switched", "switched, armed -> probation", "panic", 1, delays=(0,)),
    Step("fetching", "offered, idle -> fetching: release {counter}", "panic", 2, becomes=("untouched",)),
    Step("unpacking", "fetched, fetching -> unpacking", "panic", 2, becomes=("untouched",)),
    Step("preflight", "unpacked, unpacking -> preflight", "panic", 2, becomes=("untouched",)),
    Step("waiting", "passed, preflight -> waiting", "panic", 2, becomes=("untouched",), delays=(0,)),
    Step("armed", "granted, waiting -> armed", "panic", 2, becomes=("untouched", "harmed"), delays=(0,)),
    Step("loading", "the driver loads version {counter}:", "nothing", 1),
    Step("harmed", "harmed, probation -> idle", "crash", 2),
    Step("proven", "baked, probation -> idle", "nothing", 2, becomes=("proven",)),
    Step("before the guard", "vm: guard begins", "panic", 2, is_after=True),
    Step("the guard counts", "release {counter} stays on trial", "panic", 2, is_after=True),
    Step("the guard falls back", "stream edr-rules: harmed, release {counter}", "panic", 1, is_after=True),
    Step("after the guard", "vm: guard ended", "panic", 1, is_after=True),
    Step("loading last-good again", "the driver loads version {good}:", "panic", 1, is_after=True),
)
HARMS = {"panic": ("boot_loop",), "crash": ("boot_loop", "crash"), "nothing": ("", "boot_loop")}


def states(console):
    """What the machine said of itself, in whole lines, each time something changed: what its engine runs, and the stream as in the slot record."""
    found = re.findall(r"^vm: engine (.*?) (\{.*\})\n", console, re.M)
    return [(engine, json.loads(status)["streams"][0]) for engine, status in found]


def is_working(engine, stream):
    return not stream["safe_mode"] and stream["current"]["slot"] in ("a", "b", "factory") and "state=error" not in engine


def well(console):
    """The last state, if the engine runs what the record names and nothing is on trial."""
    for engine, stream in states(console)[-1:]:
        if re.match(rf"state=ok version={stream['current']['counter']}( |$)", engine) and not stream["on_trial"] and is_working(engine, stream):
            return stream
    return None


def guard_ms(console):
    """Wall and processor time of the guard's runs, by the guest's clock."""
    found = re.findall(r"^vm: guard begins$.*?^real\t(\d+)m ([\d.]+)s\nuser\t(\d+)m ([\d.]+)s\nsys\t(\d+)m ([\d.]+)s$", console, re.M | re.S)
    for row in found:
        real, user, system = (60000 * int(minutes) + 1000 * float(seconds) for minutes, seconds in zip(row[::2], row[1::2]))
        yield real, user + system


def is_plain_panic(boot):
    return boot.panicked() and not boot.was_cut


class Play(Claims):
    KIT = vm.Kit

    def __init__(self, fleet):
        super().__init__()
        self.fleet, self.counter, self.good, self.machine, self.device = fleet, 0, 0, None, None
        self.guard, self.guard_ends, self.broken_states, self.counted = [], [], [], 0

    def prepare(self, options):
        """A server that the guest knows by an address of its own, as one of an operator's would be, and the machine."""
        tls = self.fleet.data / "tls"
        self.fleet.init()
        self.fleet.data.mkdir(mode=0o700)
        tls.mkdir(mode=0o700)
        self.fleet.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=firebreakd",
                       "-addext", f"subjectAltName=IP:127.0.0.1,IP:{TO_HOST}", "-keyout", tls / "key.pem", "-out", tls / "cert.pem")
        self.fleet.start_server()
        kit = self.KIT(pathlib.Path(options.vm).resolve(), self.fleet.root)
        self.fill(kit)
        kit.add(self.fleet.ca, "etc/ca.pem")
        kit.add("/etc/os-release", "watched/os-release")
        shutil.copytree(self.fleet.publisher / "public", kit.root / "etc/trust")
        shutil.copytree(self.fleet.factory, kit.root / "etc/factory")
        kit.pack()
        return vm.Machine(kit, self.fleet.root)

    def fill(self, kit):
        """What this machine has, and others have not."""
        for name in ("firebreak-agent", "firebreak-yarad"):
            kit.add_program(self.fleet.build / name)
        kit.add(vm.GUEST / "engine", "bin/engine")
        (kit.root / "etc/agent.yaml").write_text(AGENT_YAML.format(host=TO_HOST, port=self.fleet.port))

    def ship(self, order):
        """A new release, that the lab passes: it has no such driver."""
        self.counter += 1
        content = self.fleet.root / "sets" / str(self.counter)
        shutil.copytree(SETS / SET, content)
        (content / "VERSION").write_text(f"{self.counter}\n")
        (content / "driver").write_text(f"{order}\n")
        self.fleet.ship(content, self.counter, start=False)
        self.fleet.start_rollout(self.counter, budget=1, gap="10m")

    def on(self, *words, **options):
        self.off()
        return self.machine.on(*words, **options)

    def off(self):
        boot = self.machine.running
        if boot:
            self.machine.off()
            self.counted = boot.number()
            self.guard += guard_ms(boot.console)
            self.guard_ends += re.findall(r"^vm: guard ended (\d+)$", boot.console, re.M)
            self.broken_states += [state for state in states(boot.console) if not is_working(*state)]

    def lease(self):
        """Of the newest release, as the server has it; None: there is none, or it is not answered. A shadow, which the device may have had before,
        is about what ran then."""
        shown = self.fleet.ask("device", "show", self.device)
        found = [lease for lease in shown["leases"] if lease["counter"] == self.counter and lease["kind"] == "exposure" and lease["outcome"]]
        return (found[0], shown["streams"][STREAM]["running"]) if found else None

    def enrol(self, boots_max):
        token = self.fleet.ask("token", "new", "--group", "demo", "--uses", 1, "--expires", "1h")["token"]
        boot = self.on(f"token={token}", f"boots_max={boots_max}", has_network=True)
        if not boot.waits_until(well, WAIT_S):
            raise Failed(f"the machine does not enrol:\n{boot.console[-3000:]}")
        self.device = self.fleet.ask("device", "list")[0]["device"]
        self.ship("nothing")
        self.fleet.wait(self.lease, WAIT_S, "the server to hear of release 1")
        self.good = FIRST
        lease, running = self.lease()
        self.claim("the machine enrolled, and proved release 1", lease["outcome"] == "proven" and running == FIRST)

    def comes(self, boot, order=None, marker=None, delay_s=0):
        """A release comes to the machine, which is online (the last one again, without an order), until the kernel panics or the power is cut."""
        if order:
            boot.arm_cut(marker and marker.format(counter=self.counter + 1), delay_s)
            self.ship(order)
        if not boot.ends(WAIT_S):
            raise Failed(f"release {self.counter} neither panics nor comes to its marker:\n{boot.console[-3000:]}")
        self.off()
        return boot

    def recovers(self, boots_max, marker=None, delay_s=0):
        """Boots without a network until all is well, and no more than are allowed: the boots, and the state that they came to."""
        boots, state = [], None
        while not state and len(boots) < BOOTS_MAX:
            cut_at = marker and marker.format(counter=self.counter, good=self.good)
            self.off()
            boot, state = self.machine.alone(f"boots_max={boots_max}", looks=lambda console: not cut_at and well(console), seconds=WAIT_S, cut_at=cut_at, cut_after_s=delay_s)
            if not state and not boot.ends(1):
                raise Failed(f"the machine is neither well nor at its marker:\n{boot.console[-3000:]}")
            self.off()
            boots.append(boot)
            marker = None if boot.was_cut else marker
        return boots, state

    def became(self, state):
        return "harmed" if self.counter in state["given_up"] else "proven" if self.counter == state["current"]["counter"] else "untouched"

    def is_well(self, what, first, boots, state, becomes):
        """Within the boots that are allowed, by the guest's own count, on the last-good version."""
        count = boots[-1].number() - first.number()
        running, fate = (state["current"]["counter"], self.became(state)) if state else (None, "nothing")
        good = self.counter if fate == "proven" else self.good
        offline = all("\nvm: network 0\n" in boot.console for boot in boots)
        holds = self.claim(f"{what}: {count} boot{'s' * (count != 1)} without a network, then well on release {running}; release {self.counter} is {fate}",
                           state and offline and count == len(boots) <= BOOTS_MAX and running == good == state["last_good"]["counter"] and fate in becomes)
        self.good = good
        return holds and fate

    def is_told(self, what, harms, boots_max):
        """Online again, and it stays on: the server hears what became of the release, and what runs."""
        self.on(f"boots_max={boots_max}", has_network=True)
        self.fleet.wait(self.lease, WAIT_S, f"the server to hear of release {self.counter}")
        lease, running = self.lease()
        rollout = self.fleet.rollout(self.counter)
        is_counted = rollout["hurt"] == rollout["recovered"] == int(lease["outcome"] == "harmed")
        self.claim(f"{what}: online again, the server knows: {lease['outcome']} {lease['harm'] or 'without harm'}; it runs release {running}",
                   lease["harm"] in harms and running == self.good and is_counted)

    def looped(self, what, first, boots, boots_max):
        life = rf"fetching: release {self.counter}\b.*passed, preflight -> waiting.*switched, armed -> probation.*version {self.counter}: panic.*{vm.PANIC}"
        panics = sum(map(is_plain_panic, [first, *boots]))
        self.claim(f"{what}: passed its preflight, was armed, and panicked the kernel in {panics} of at most {boots_max} starts",
                   re.search(life, first.console, re.S) and panics == boots_max)

    def go(self, step, delay_s, next_boots_max):
        """A release from the server's hand to the server's knowledge of what became of it."""
        what = f"cut at {step.name} + {1000 * delay_s:.0f} ms" if step.marker else step.name
        early, late = (None, step.marker) if step.is_after else (step.marker, None)
        first = self.comes(self.machine.running, step.order, early, delay_s)
        boots, state = self.recovers(step.boots_max, late, delay_s)
        if step.marker:
            was_cut = boots[0].was_cut and is_plain_panic(first) if step.is_after else first.was_cut and not first.panicked()
            self.claim(f"{what}: reached with release {self.counter}, and cut", was_cut)
        else:
            self.looped(what, first, boots, step.boots_max)
        if self.is_well(what, first, boots, state, step.becomes) == "untouched":
            first = self.comes(self.on(f"boots_max={step.boots_max}", has_network=True))
            boots, state = self.recovers(step.boots_max)
            self.looped(f"{what}, afterwards", first, boots, step.boots_max)
            self.is_well(f"{what}, afterwards", first, boots, state, ("harmed",))
        self.is_told(what, HARMS[step.order], next_boots_max)

    def sum_up(self):
        self.off()
        self.claim(f"never without a working copy {self.broken_states[:1] or ''}", not self.broken_states)
        self.claim(f"the machine counted {self.counted} boots, {self.machine.boots} came to their disk", self.counted == self.machine.boots)
        self.claim(f"the guard ended well, {len(self.guard_ends)} times", set(self.guard_ends) == {"0"})
        walls, cpus = zip(*self.guard)
        self.say(f"guard, emulated, {len(walls)} runs: {statistics.median(walls):.0f} ms (most {max(walls):.0f}), "
                 f"of processor time {statistics.median(cpus):.0f} ms (most {max(cpus):.0f})")
        self.say(f"{self.machine.boots} boots, {self.machine.misses} MISS: QEMU hung or its disk did, and it was started again")


def play(claims, fleet, options):
    chance = random.Random(options.seed)
    steps = [Step(f"loop {number + 1}", None, "panic", 1 + number % BOOTS_MAX) for number in range(options.loops)]
    steps += [CUTS[number % len(CUTS)] for number in range(options.cuts)]
    with claims.prepare(options) as claims.machine:
        claims.enrol(steps[0].boots_max)
        for step, following in zip(steps, steps[1:] + steps[:1]):
            claims.go(step, chance.choice(step.delays), following.boots_max)
        claims.sum_up()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options.add_argument("--vm", required=True)
    options.add_argument("--loops", type=int, default=20)
    options.add_argument("--cuts", type=int, default=len(CUTS))
    options.add_argument("--seed", type=int, default=int(time.time()))
    options = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with Fleet(options.build, 0) as fleet:
        claims = Play(fleet)
        claims.say(f"seed {options.seed}")
        fleet.play(claims, play, options)
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
