#!/usr/bin/env python3
"""Random plans under random rounds of change: does cairn build what a build from scratch builds, and run only what it must?

	t/oracle/oracle.py [--rounds N] [--seconds S] [--seed X] [--cairn PATH] [--focus OP,...] [--kinds KIND,...]
	                   [--few] [--modes MODE,...] [--length N] [--plain] [--fs ramfs] [--keep] [-v]

A campaign is one random plan and some 15 rounds over it. A round changes something (ops.py), runs cairn in one of
the ways below (a mode), and then holds that
  - every step's outputs are, byte for byte, with modes and links, what the model computes, and what cairn builds in a
    fresh clone of the sources with a fresh cache;
  - a step ran (as it says itself, behind cairn's back) if and only if it had to, and its one event says the same;
  - sources, foreign files and outputs of what was not asked for are as they were; what a step no longer makes is gone;
  - what the user put in an output's place and a run replaced is a blob of the cache.
Where a rerun is allowed but not required:
  - after a damaged cache, a kill or a full disk: steps whose result may have gone with it;
  - a step with a depfile, when a file appears or goes that has the name of one it read (it might shadow that);
  - a header whose executable bit changed; more than 8 sets of discovered files under one declared key;
  - an output whose permissions alone (not the executable bit) were changed may be put back or left, and so may a foreign
    file under a folder or glob of outputs.
With a full cache a step fails when the user's content in an output's place can't be saved: that, too, must not be lost.

Modes: normal; noop (again, nothing may run); goals (some commands only); force; kill (kill -9 on the way, then again);
race (a file is edited while a step that reads it runs, and mostly put back); damage (files of the cache are
flipped, cut or removed); full (cache or state on a full tmpfs; only root can mount one); clone (the same sources in
another folder with the same cache: nothing may run); dry (-n first); tick (with --fs ramfs, whose clock is coarse:
edits that size and times do not show).
A seed names a campaign; what failed is kept, and printed with the command that does it again. A step that names no
tools runs again when packages are installed on the machine: a campaign that faults after that says nothing, and is told as such."""
import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from campaign import Campaign, Fault                                    # noqa: E402
import ops                                                              # noqa: E402
import plans                                                            # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))


def options():
    p = argparse.ArgumentParser(description="Random plans under random change, compared with a model.")
    p.add_argument("--rounds", type=int, default=0, help="stop after so many (default: no bound)")
    p.add_argument("--seconds", type=float, default=0, help="stop after so long (default: 100 unless --rounds is given)")
    p.add_argument("--seed", help="of the first campaign; random by default")
    p.add_argument("--cairn", default=os.path.join(TOP, os.environ.get("CAIRN_BUILD", "build"), "cairn"))
    p.add_argument("--length", type=int, default=15, help="rounds of a campaign")
    p.add_argument("--focus", default="", help="ops to prefer, by name")
    p.add_argument("--kinds", default="", help="kinds of commands that every plan has")
    p.add_argument("--few", action="store_true", help="and no others")
    p.add_argument("--modes", default="", help="ways to run to prefer")
    p.add_argument("--plain", action="store_true", help="no odd file names")
    p.add_argument("--fs", default="", help="put the workspace on a fresh file system of that type (root)")
    p.add_argument("--keep", action="store_true", help="keep every folder")
    p.add_argument("-v", action="store_true", dest="verbose")
    o = p.parse_args()
    o.cairn = os.path.abspath(o.cairn)
    o.seconds = o.seconds or (0 if o.rounds else 100)
    for given, known in ((o.focus, ops.NAMES), (o.kinds, plans.KINDS), (o.modes, Campaign.MODES)):
        for name in filter(None, given.split(",")):
            if name not in known:
                p.error(f"{name} is not one of {', '.join(known)}")
    return o


def packages():
    """What is installed, as far as keys see it: identities of the package databases."""
    found = []
    for path in ("/var/lib/dpkg/status", "/var/lib/rpm", "/usr/lib/sysimage/rpm", "/lib/apk/db/installed", "/usr/lib/apk/db/installed"):
        for at in [path, *sorted(os.path.join(path, n) for n in (os.listdir(path) if os.path.isdir(path) else ()))]:
            if os.path.isfile(at):
                st = os.stat(at)
                found.append((at, st.st_ino, st.st_size, st.st_mtime_ns, st.st_ctime_ns))
    return found


def again(o, seed):
    words = [f"t/oracle/oracle.py --seed {seed} --rounds {o.length} --length {o.length}"]
    words += [f"--{name} {getattr(o, name)}" for name in ("focus", "kinds", "modes", "fs") if getattr(o, name)]
    words += [f"--{name}" for name in ("plain", "few") if getattr(o, name)]
    return " ".join(words + [f"--cairn {o.cairn}"])


def main():
    o = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # as an interrupt does: what was mounted goes
    seed = o.seed or str(random.SystemRandom().randrange(10 ** 9))
    print(f"seed {seed}", flush=True)
    base = os.path.realpath(tempfile.mkdtemp(prefix="cairn-oracle-"))
    mix = os.path.join(base, "mix")
    subprocess.run(["cc", "-O1", "-D_GNU_SOURCE", "-o", mix, os.path.join(HERE, "mix.c")], check=True)
    began, rounds, campaigns, ran, counts = time.monotonic(), 0, 0, 0, {}
    failed = False
    while not failed and (not o.rounds or rounds < o.rounds) and (not o.seconds or time.monotonic() - began < o.seconds):
        folder, installed = os.path.join(base, f"c{campaigns}"), packages()
        c = Campaign(folder, seed, o, mix)
        try:
            for _ in range(o.length):
                c.round()
                rounds += 1
                if (o.rounds and rounds >= o.rounds) or (o.seconds and time.monotonic() - began >= o.seconds):
                    break
        except Fault as e:
            failed = packages() == installed
            if failed:
                print(f"FAULT in round {c.number} ({c.mode}) of the campaign with seed {seed}:\n{e}")
                print("done in that round: " + ("; ".join(c.done) or "nothing"))
                print(f"kept: {folder}\nagain: {again(o, seed)}", flush=True)
            else:
                print(f"packages were installed: left the campaign with seed {seed} in round {c.number} ({str(e).splitlines()[0]})", flush=True)
        finally:
            c.close(keep=failed or o.keep)
        ran += c.ran
        for name, n in c.counts.items():
            counts[name] = counts.get(name, 0) + n
        campaigns += 1
        seed = str(random.Random(f"{seed} next").randrange(10 ** 9))
    took = time.monotonic() - began
    print(f"{rounds} rounds, {campaigns} campaigns, {ran} steps ran, {took:.0f} s; " +
          ", ".join(f"{n} {k}" for k, n in sorted(counts.items())))
    if not failed and not o.keep:
        shutil.rmtree(base, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
