"""killing - what the two that kill have in common: their options, and a fleet to play with."""
import argparse, time

from claims import Claims
from fleet import Fleet


def main(what, play, kills, devices):
    options = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", required=True)
    options.add_argument("--kills", type=int, default=kills)
    options.add_argument("--devices", type=int, default=devices)
    options.add_argument("--seed", type=int, default=int(time.time()))
    options = options.parse_args()
    claims = Claims()
    claims.say(f"seed {options.seed}")
    with Fleet(options.build, options.devices) as fleet:
        fleet.play(claims, play, options)
    return claims.finish()
