#!/usr/bin/env python3
"""redteam - stolen keys against ten thousand devices; see tests/redteam/redteam.c, of which this is a run at full size.

usage: redteam.py --build DIR [--devices N] [--seed S]

Ends with `N passed, N failed`, and 1 when any failed.
"""
import argparse, pathlib, subprocess, sys

options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("--build", type=pathlib.Path, required=True)
options.add_argument("--devices", default="10000")
options.add_argument("--seed", default="1")
options = options.parse_args()
sys.exit(subprocess.run([options.build / "tests/redteam/redteam", "--devices", options.devices, "--seed", options.seed]).returncode)
