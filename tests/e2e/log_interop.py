#!/usr/bin/env python3
"""log_interop - Go's x/mod/sumdb reads the transparency log that our library makes, and finds what was changed and what was forked.

usage: log_interop.py --build DIR [--count N]

A log of 70,000 entries is made on disk, with a checkpoint of every size; a Go program of Debian's packages golang-go and
golang-golang-x-mod-dev, which knows nothing of our code, goes over all of it. No network.
"""
import argparse, os, pathlib, shutil, subprocess, sys

from claims import Claims

SOURCES = pathlib.Path(__file__).resolve().parent.parent / "interop/log"
GOCODE = pathlib.Path("/usr/share/gocode")
CLAIMS = 16          # of both programs: none may get lost


def run(*command, more=None):
    return subprocess.run([str(word) for word in command], env={**os.environ, **(more or {})}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)


def build_go(folder, name):
    """FOLDER/go-NAME of NAME.go, with Debian's copy of the modules alone: nothing is fetched."""
    go = {"GO111MODULE": "off", "GOFLAGS": "", "GOPATH": str(GOCODE), "GOCACHE": str(folder / "go-cache"), "GOPROXY": "off", "CGO_ENABLED": "0"}
    return run("go", "build", "-o", folder / f"go-{name}", SOURCES / f"{name}.go", SOURCES / "common.go", more=go)


def hear(claims, what, done):
    """Each line of a program is a claim of ours."""
    for line in done.stdout.splitlines():
        word, _, text = line.partition(" ")
        claims.claim(text, word == "holds")
    claims.claim(f"{what} came to its end {done.stderr.strip()}", done.returncode == 0)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True, type=pathlib.Path)
    options.add_argument("--count", type=int, default=70000, help="entries of the log, 1001 at least")
    options = options.parse_args()
    claims = Claims()
    folder = options.build.resolve() / "log-interop"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    done = build_go(folder, "reader")
    if claims.claim(f"Go's reader is built {done.stderr.strip()}", done.returncode == 0):
        hear(claims, "the log of our library", run(options.build / "tests/log/log_maker", folder / "made", options.count))
        hear(claims, "Go's reader", run(folder / "go-reader", folder / "made"))
        claims.claim("every claim was made", claims.passed + len(claims.broken) == CLAIMS + 3)
    shutil.rmtree(folder)
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
