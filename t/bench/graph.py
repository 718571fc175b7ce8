#!/usr/bin/env python3
"""The same graph for every tool, in the present folder.

	graph.py flat N FORM	N steps, in/dK/fI -> out/in/dK/fI by `: >out`; a hundred files a folder
	graph.py wide STEPS FILES FORM	STEPS steps, each over its own folder of FILES files, by cat

FORM: steps (cairn, a command a step), each (cairn, one command), ninja, make."""
import os
import sys


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def flat_files(n):
    for i in range(n):
        if i % 100 == 0:
            os.makedirs(f"in/d{i // 100}")
            os.makedirs(f"out/in/d{i // 100}")
        write(f"in/d{i // 100}/f{i}", f"{i}\n")
    return [f"in/d{i // 100}/f{i}" for i in range(n)]


HEAD = "cairn: 1\nname: bench\ncommands:\n"
ALL = "workflows: {default: {steps: [%s]}}\n"


def flat(n, form):
    files = flat_files(n)
    if form == "steps":
        write("cairn.yaml", HEAD + "".join(
            f'  s{i}: {{run: ": >out/{f}", inputs: [{f}], outputs: [out/{f}]}}\n' for i, f in enumerate(files)) +
            ALL % ", ".join(f"s{i}" for i in range(n)))
    elif form == "each":
        write("cairn.yaml", HEAD + '  s:\n    each: {f: "in/*/*"}\n    run: ": >${{ out[0] }}"\n' +
              '    inputs: ["${{ each.f }}"]\n    outputs: ["out/${{ each.f }}"]\n' + ALL % "s")
    elif form == "ninja":
        write("build.ninja", "rule t\n  command = : >$out\n" + "".join(f"build out/{f}: t {f}\n" for f in files))
    elif form == "make":
        write("Makefile", "all:" + "".join(f" out/{f}" for f in files) + "\n.SUFFIXES:\n" +
              "".join(f"out/{f}: {f}\n\t@: >$@\n" for f in files))


def wide(steps, count, form):
    names = []
    for s in range(steps):
        os.makedirs(f"pkg/p{s}/src")
        names.append([f"pkg/p{s}/src/f{i}" for i in range(count)])
        for f in names[-1]:
            write(f, f"{f}\n" * 20)
    os.makedirs("out")
    if form in ("steps", "each"):
        write("cairn.yaml", HEAD + "".join(
            f'  p{s}: {{run: "cat pkg/p{s}/src/* >out/p{s}", inputs: ["pkg/p{s}/**"], outputs: [out/p{s}]}}\n' for s in range(steps)) +
            ALL % ", ".join(f"p{s}" for s in range(steps)))
    elif form == "ninja":
        write("build.ninja", "rule t\n  command = cat $in >$out\n" +
              "".join(f"build out/p{s}: t {' '.join(names[s])}\n" for s in range(steps)))
    elif form == "make":
        write("Makefile", "all:" + "".join(f" out/p{s}" for s in range(steps)) + "\n" +
              "".join(f"out/p{s}: {' '.join(names[s])}\n\t@cat $^ >$@\n" for s in range(steps)))


if __name__ == "__main__":
    if sys.argv[1] == "flat":
        flat(int(sys.argv[2]), sys.argv[3])
    else:
        wide(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
