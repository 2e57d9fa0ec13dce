#!/usr/bin/env python3
"""units - the systemd units as they are installed: systemd reads each without a complaint, and says how far each is exposed.

usage: units.py --build DIR

From 0.0 (nothing is left to it) to 10.0. firebreak-agent.service has no bound: what stands there the engines would inherit.
"""
import argparse, os, pathlib, re, subprocess, sys, tempfile

from claims import Claims

EXPOSED_MOST = {"firebreak-fetch@.service": 2.0, "firebreak-verify@.service": 2.0, "firebreak-guard.service": 2.0, "firebreak-agent.service": 10.0,
                "firebreak-goodbye.service": 3.5, "firebreak-goodbye-sleep.service": 3.5,
                "firebreak-nft-boot.service": 5.0, "firebreak-nft-switch.service": 5.0}
SOCKETS = ["firebreak-fetch.socket", "firebreak-verify.socket", "firebreak-nft-switch.path"]


def analyze(*words, units=None):
    done = subprocess.run(["systemd-analyze", "--no-pager", *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, "LC_ALL": "C.UTF-8", **({"SYSTEMD_UNIT_PATH": f"{units}:"} if units else {})})
    return done.returncode, done.stdout


def installed(build, top):
    """The folder of the units, with the programs that they name where they name them."""
    subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--quiet"], check=True, env={**os.environ, "DESTDIR": str(top)})
    return next(top.rglob("firebreak-agent.service")).parent


def play(claims, units, top):
    for unit, most in EXPOSED_MOST.items():
        code, said = analyze("security", "--offline=true", str(units / unit))
        found = re.search(r"Overall exposure level for .*: ([0-9.]+)", said)
        claims.claim(f"{unit} is exposed by {found[1] if found else said} of at most {most}", code == 0 and found and float(found[1]) <= most)
    for name in [*EXPOSED_MOST, *SOCKETS]:
        text = (units / name).read_text()
        for program in set(re.findall(r"^Exec(?:Start|Stop)=-?(\S+)", text, re.M)):
            claims.claim(f"{name} starts a program that is installed", (top / program.lstrip("/")).exists())
            text = text.replace(program, str(top / program.lstrip("/")))
        (top / name).write_text(text)
    for name in [*EXPOSED_MOST, *SOCKETS]:
        code, said = analyze("verify", "--man=no", "--recursive-errors=no", str(top / name.replace("@.", "@1.")), units=top)
        ours = [line for line in said.splitlines() if name.split(".")[0].rstrip("@") in line]
        claims.claim(f"systemd reads {name}{': ' + ours[0] if ours else ''}", code == 0 and not ours)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    build = pathlib.Path(options.parse_args().build).resolve()
    claims = Claims()
    with tempfile.TemporaryDirectory(prefix="firebreak-") as folder:
        top = pathlib.Path(folder)
        play(claims, installed(build, top), top)
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
