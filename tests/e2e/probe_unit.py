#!/usr/bin/env python3
"""probe_unit - the probe of a unit, asked of a real systemd: what it says of each state that a unit can be in, as confined as it is on a device.

usage: probe_unit.py --build DIR

The systemd is one of ours (systemd --user), which answers at the place of the machine's own in a mount namespace that nobody else sees.
"""
import argparse, os, pathlib, subprocess, sys, tempfile, time

from claims import Claims

SERVICE = "[Unit]\nStartLimitIntervalSec=0\n[Service]\n"
UNITS = {
    "up.service": SERVICE + "ExecStart=/bin/sleep 1000\n",
    "false.service": SERVICE + "ExecStart=/bin/false\n",
    "killed.service": SERVICE + "ExecStart=/bin/sh -c 'kill -SEGV $$$$'\n",
    "loops.service": SERVICE + "ExecStart=/bin/false\nRestart=always\nRestartSec=1000\n",
    "again.service": SERVICE + "ExecStart=/bin/sh -c 'test -e {0}/again && exec sleep 1000; touch {0}/again; exit 3'\nRestart=on-failure\nRestartSec=0\n",
    "limit.service": "[Unit]\nStartLimitBurst=2\n[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=0\n",
    "slow.service": SERVICE + "Type=oneshot\nExecStart=/bin/sleep 1000\n",
    "done.service": SERVICE + "Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n",
    "reloads.service": SERVICE + "ExecStart=/bin/sleep 1000\nExecReload=/bin/sleep 1000\n",
    "idle.service": SERVICE + "ExecStart=/bin/sleep 1000\n",
    "tick.timer": "[Timer]\nOnActiveSec=1000\nUnit=idle.service\n",
}
# What the probe is told of before, its exit code and what it says.
EXPECTED = {
    "up.service": ("0", 0, ""),
    "false.service": ("0", 1, "probe unit: false.service is failed (failed, result exit-code)"),
    "killed.service": ("0", 1, "probe unit: killed.service is failed (failed, result signal)"),
    "loops.service": ("0", 1, "probe unit: loops.service is activating (auto-restart, result exit-code)"),
    "again.service": ("0", 1, "probe unit: again.service failed, and systemd started it again (1 times)"),
    "limit.service": ("0", 1, "probe unit: limit.service is failed (failed, result exit-code)"),
    "slow.service": ("0", 1, "probe unit: slow.service is activating (start, result success)"),
    "done.service": ("0", 0, ""),
    "reloads.service": ("0", 0, ""),
    "idle.service": ("0", 1, "probe unit: idle.service is inactive (dead, result success)"),
    "tick.timer": ("0", 0, ""),
    "masked.service": ("0", 1, "probe unit: masked.service is inactive (dead, result success)"),
    "absent.service": ("0", 1, "probe unit: there is no unit absent.service"),
}


def systemctl(*words):
    return subprocess.run(["systemctl", "--no-pager", *words], text=True, capture_output=True)


def start_systemd(root):
    """At /run/systemd/private, where systemctl of root looks for the system's."""
    for folder in ("run", "config/systemd/user"):
        (root / folder).mkdir(parents=True, mode=0o700)
    for name, text in UNITS.items():
        (root / "config/systemd/user" / name).write_text(text.format(root))
    (root / "config/systemd/user/masked.service").symlink_to("/dev/null")
    pathlib.Path("/run/systemd").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run/systemd"], check=True)
    pathlib.Path("/run/systemd/system").mkdir()
    pathlib.Path("/run/systemd/private").symlink_to(root / "run/systemd/private")
    environment = {"PATH": os.environ["PATH"], "HOME": str(root), "XDG_RUNTIME_DIR": str(root / "run"), "XDG_CONFIG_HOME": str(root / "config")}
    return subprocess.Popen(["/lib/systemd/systemd", "--user"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait(what, seconds=20):
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            raise TimeoutError("systemd does not get there")
        time.sleep(0.05)


def state(unit):
    return systemctl("show", "--property=ActiveState", "--value", unit).stdout.strip()


def start_units():
    wait(lambda: systemctl("show", "--property=Version").returncode == 0)
    systemctl("start", "--no-block", *(name for name in UNITS if name != "idle.service"))
    settled = {"false.service": "failed", "killed.service": "failed", "loops.service": "activating", "again.service": "active", "limit.service": "failed",
               "slow.service": "activating", "reloads.service": "active", "tick.timer": "active", "done.service": "active", "up.service": "active"}
    wait(lambda: all(state(unit) == wanted for unit, wanted in settled.items()))
    systemctl("reload", "--no-block", "reloads.service")
    wait(lambda: state("reloads.service") == "reloading")


def play(claims, build, root):
    config = root / "agent.yaml"
    lines = ["server: https://x:1", f"state_dir: {root}/state", f"trust: {root}/trust", "streams:", "  - name: s", "    engine: {command: [x]}", "    probes:"]
    config.write_text("\n".join([*lines, *(f"      - unit: {unit}" for unit in EXPECTED)]) + "\n")

    def probe(number, *words):
        return subprocess.run([build / "firebreak-agent", "probe", "--config", config, "--stream", "s", "--number", str(number), *words], text=True, capture_output=True)

    start_units()
    for number, (unit, (was, code, says)) in enumerate(EXPECTED.items()):
        done = probe(number, "--was", was)
        claims.claim(f"{unit}: {done.returncode}, {done.stdout.strip() or 'says nothing'}", (done.returncode, done.stdout.strip()) == (code, says))
    again = list(EXPECTED).index("again.service")
    claims.claim("what was started again before the trial is counted then", probe(again, "--before").stdout == "1\n")
    claims.claim("and not held against the release", probe(again, "--was", "1").returncode == 0)
    failed = list(EXPECTED).index("false.service")
    claims.claim("what had failed before the trial is known then", probe(failed, "--before").stdout == "0-down\n")
    claims.claim("and not held against the release", probe(failed, "--was", "0-down").returncode == 0)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    build = pathlib.Path(options.parse_args().build).resolve()
    if os.environ.get("FIREBREAK_APART") != "yes":
        os.environ["FIREBREAK_APART"] = "yes"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])
    claims = Claims()
    with tempfile.TemporaryDirectory(prefix="firebreak-") as folder:
        systemd = start_systemd(pathlib.Path(folder))
        try:
            play(claims, build, pathlib.Path(folder))
        finally:
            systemd.terminate()
            systemd.wait(20)
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
