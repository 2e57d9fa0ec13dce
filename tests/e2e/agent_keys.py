#!/usr/bin/env python3
"""agent_keys - who may write rules may not write code: a publisher gives the agent's stream keys of its own, and devices hold to it.

usage: agent_keys.py --build DIR [--keep]

Before the ceremony content keys sign a version of the agent; after it they cannot: not with the command, not at the server, and not on a device whose
stream the anchor forgot to name.
"""
import argparse, shutil, signal, sys

from claims import Claims
from fleet import Fleet
from self_update import STREAM, agent, begin, good, pack, ship


def give_away(claims, fleet):
    """The stream goes to dora."""
    key, proposal = fleet.root / "dora.pem", fleet.root / "proposal"
    vkey = fleet.ask("keys", "new", key, "--name", "build.dora", "--no-passphrase")["vkey"]
    publisher = ("--publisher", fleet.publisher)
    own = fleet.ask("keys", "show", fleet.publisher / "offline/targets.pem", "--name", "build.eve")["vkey"]
    asked = ("--threshold", "agent:1", "--agent-stream", STREAM)
    done = fleet.firebreak("root", "propose", proposal, *publisher, "--add", f"agent:{own}", *asked, ok=range(256))
    claims.claim("a content key is refused as a key for the agent", done.returncode == 65 and "others must hold it" in done.stderr)
    fleet.firebreak("root", "propose", proposal, *publisher, "--add", f"agent:{vkey}", *asked)
    said = fleet.firebreak("proposal", "show", proposal).stdout
    claims.claim("the proposal says what it is about", f"its keys approve the releases of {STREAM}, and content keys do not" in said and vkey in said)
    fleet.firebreak("proposal", "sign", proposal, *publisher, "--key", fleet.publisher / "offline/root.pem")
    fleet.firebreak("proposal", "combine", proposal, *publisher)
    shown = fleet.firebreak("root", "show", *publisher).stdout
    claims.claim("root show names the key and the stream", vkey in shown and f"agent streams  {STREAM}\n" in shown)
    fleet.stop_server(signal.SIGTERM)
    fleet.start_server()
    return key


def thief(claims, fleet, before):
    """With the content key, and the folder as it was before the ceremony."""
    release = f"{STREAM}/9"
    where = ("--publisher", before)
    fleet.firebreak("release", "pack", pack(fleet, 9, agent(fleet, "a thief's")), *where)
    fleet.firebreak("release", "sign", release, *where)
    done = fleet.firebreak("release", "publish", release, *where, ok=range(256))
    claims.claim("the server refuses one that content keys alone signed", done.returncode and "agent keys" in done.stderr or print(done.stderr))


def forgotten(claims, fleet):
    """The anchor has agent keys, and names another stream: to the server this one is content like any other, to devices it is the agent."""
    proposal, publisher = fleet.root / "forgotten", ("--publisher", fleet.publisher)
    fleet.firebreak("root", "propose", proposal, *publisher, "--agent-stream", "agent-arm")
    fleet.firebreak("proposal", "sign", proposal, *publisher, "--key", fleet.publisher / "offline/root.pem")
    fleet.firebreak("proposal", "combine", proposal, *publisher)
    fleet.stop_server(signal.SIGTERM)
    fleet.start_server()
    ship(fleet, 4, agent(fleet, "version 4"))
    fleet.wait(lambda: all("names agent keys, but not this stream" in d.log() for d in fleet.devices), 60, "devices to say why not")
    claims.claim("a device takes no agent from a stream that the anchor does not name", all(d.slot() == "b" and d.stream()["current"]["counter"] == 2 for d in fleet.devices))
    claims.claim("and holds nothing against the release", not any(d.stream()["given_up"] for d in fleet.devices))


def play(claims, fleet):
    begin(claims, fleet)
    good(claims, fleet, 1, "a")
    before = fleet.root / "before"
    shutil.copytree(fleet.publisher, before)
    key = give_away(claims, fleet)
    publisher, content = ("--publisher", fleet.publisher), fleet.publisher / "offline/targets.pem"
    fleet.firebreak("release", "pack", pack(fleet, 3, agent(fleet, "version 3")), *publisher)
    for text, keys, says in (("the content key alone", (), "and 1 agent keys"), ("the agent's key alone", (key,), "it takes 1 content keys"),
                             ("the content key twice", (content, content), "given before"), ("a key of the server", (content, fleet.publisher / "online/director.pem"), "no content or agent key")):
        done = fleet.firebreak("release", "sign", f"{STREAM}/3", *publisher, *(word for one in keys for word in ("--key", one)), ok=range(256))
        claims.claim(f"signed by {text}: refused", done.returncode in (64, 77) and says in done.stderr or print(done.returncode, done.stderr))
    thief(claims, fleet, before)
    good(claims, fleet, 2, "b", (content, key))
    forgotten(claims, fleet)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options.add_argument("--keep", action="store_true")
    options = options.parse_args()
    claims = Claims()
    with Fleet(options.build, 2) as fleet:
        fleet.keep = options.keep
        fleet.play(claims, play)
    return claims.finish()


if __name__ == "__main__":
    sys.exit(main())
