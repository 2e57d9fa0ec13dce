#!/usr/bin/env python3
"""tuf_interop - clients that know nothing of us read what our publisher and our server make, and agree on the canonical form.

usage: tuf_interop.py --build DIR --npm DIR     (the latter filled by tools/npm-packages)

A release is signed offline, published and rolled out; then firebreak-tuf and npm's tuf-js, with nothing but the two root.json of
public/, follow both repositories of the running server and download a target of each. 10,000 random documents have the same
canonical form for @tufjs/canonical-json and for us.
"""
import argparse, hashlib, json, os, pathlib, shutil, subprocess, sys

from claims import Claims
from fleet import Fleet

INTEROP = pathlib.Path(__file__).resolve().parent.parent / "interop"
DOCUMENTS = 10000


def node(npm, script, *words, more=None, given=None):
    environment = {**os.environ, **(more or {}), "NODE_PATH": str(npm / "node_modules")}
    return subprocess.run(["node", INTEROP / script, *map(str, words)], env=environment, input=given, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)


class Reader:
    """firebreak-tuf with a folder of its own for one repository."""

    def __init__(self, fleet, repository):
        self.fleet, self.repository = fleet, repository
        self.folder = fleet.root / f"reader-{repository}"
        self.folder.mkdir()
        self.base = f"{fleet.url}/v1/tuf/{repository}"

    def run(self, *words):
        options = ["--metadata-dir", self.folder / "metadata", "--ca", self.fleet.ca]
        return subprocess.run([self.fleet.build / "firebreak-tuf", *map(str, options), *map(str, words)], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def begin(self):
        return self.run("init", self.fleet.publisher / "public" / f"{self.repository}.root.json")

    def refresh(self):
        return self.run("--metadata-url", self.base, "refresh")

    def download(self, name):
        return self.run("--metadata-url", self.base, "--target-name", name, "--target-dir", self.folder / "targets", "--target-base-url", f"{self.base}/targets", "download")

    def target(self, name):
        return (self.folder / "targets" / name.replace("/", "%2F")).read_bytes()


def follow_in_javascript(claims, fleet, npm, repository, name, expected):
    folder = fleet.root / f"javascript-{repository}"
    (folder / "metadata").mkdir(parents=True)
    (folder / "targets").mkdir()
    shutil.copy(fleet.publisher / "public" / f"{repository}.root.json", folder / "metadata/root.json")
    base = f"{fleet.url}/v1/tuf/{repository}"
    words = (folder / "metadata", base, folder / "targets", f"{base}/targets")
    done = node(npm, "follow.js", *words, name, more={"NODE_EXTRA_CA_CERTS": str(fleet.ca)})
    path = pathlib.Path(done.stdout.strip() or "none")
    claims.claim(f"{repository}: tuf-js follows and downloads {done.stderr.strip()}", done.returncode == 0 and path.is_file() and path.read_bytes() == expected)
    done = node(npm, "follow.js", *words, "edr-rules/9", more={"NODE_EXTRA_CA_CERTS": str(fleet.ca)})
    claims.claim(f"{repository}: nobody vouches, to tuf-js, for a release that there is not {done.stderr.strip()}", done.stdout.strip() == "none")
    stored = {role: (folder / f"metadata/{role}.json").read_bytes() for role in ("root", "timestamp", "snapshot", "targets")}
    ours = {role: (fleet.root / f"reader-{repository}/metadata/{role}.json").read_bytes() for role in stored}
    claims.claim(f"{repository}: tuf-js trusts the very files that we trust", {**stored, "timestamp": 0} == {**ours, "timestamp": 0})


def compare_canonical_forms(claims, build, npm):
    made = node(npm, "canon.js", "make", DOCUMENTS)
    theirs = node(npm, "canon.js", "check", given=made.stdout)
    ours = subprocess.run([build / "tests/tuf/canon_lines"], input=made.stdout, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    one, other = theirs.stdout.split(), ours.stdout.split()
    differ = [line for line, a, b in zip(made.stdout.splitlines(), one, other) if a != b]
    claims.claim(f"{len(one)} documents have one canonical form {theirs.stderr}{ours.stderr}{differ[:1]}", len(one) == len(other) == DOCUMENTS and not differ)


def read(claims, reader, name):
    for what, run in (("init", reader.begin), ("refresh", reader.refresh), ("download", lambda: reader.download(name)), ("a second download", lambda: reader.download(name))):
        done = run()
        claims.claim(f"{reader.repository}: {what} {done.stderr}", done.returncode == 0)
    done = reader.download("edr-rules/9")
    claims.claim(f"{reader.repository}: nobody vouches for a release that there is not", done.returncode == 1 and "vouches for none" in done.stderr)
    return reader.target(name)


def play(claims, fleet, npm):
    fleet.init()
    fleet.start_server()
    fleet.enrol()
    fleet.ship("1-good", 1)
    fleet.wait(lambda: fleet.rollout(1)["state"] == "complete", 60, "release 1 to be complete: from then on the director says the same")
    note = (fleet.publisher / "releases/edr-rules/1/note").read_bytes().partition(b"\n\n")[0] + b"\n"
    claims.claim("release: the target is the text of the note", read(claims, Reader(fleet, "release"), "edr-rules/1") == note)
    cohort = json.loads(read(claims, Reader(fleet, "director"), "edr-rules"))
    claims.claim("director: the target is the document that offers it", cohort["sha256"] == hashlib.sha256(note).hexdigest() and cohort["counter"] == 1)
    follow_in_javascript(claims, fleet, npm, "release", "edr-rules/1", note)
    follow_in_javascript(claims, fleet, npm, "director", "edr-rules", (fleet.root / "reader-director/targets/edr-rules").read_bytes())


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options.add_argument("--npm", required=True, type=pathlib.Path)
    options = options.parse_args()
    claims = Claims()
    compare_canonical_forms(claims, pathlib.Path(options.build), options.npm.resolve())
    with Fleet(options.build, 1) as fleet:
        fleet.play(claims, play, options.npm.resolve())
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
