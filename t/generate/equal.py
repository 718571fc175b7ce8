#!/usr/bin/env python3
"""Random plans under random edits: do the generated Makefile, build.ninja and script do what `cairn run` does?

	t/generate/equal.py [--plans N] [--rounds N] [--seed X] [--tools make,ninja,sh] [--keep] [-v]

Each plan is run in four copies of one workspace: by cairn and by each tool, from what `cairn generate` wrote. A round edits
all four in the same way, runs them, and holds that
  - all end well, or none does;
  - the same steps ran, as they say themselves (what cairn restored, the others run: they have no cache);
  - every file in the workspace is, with bytes, type and mode, the same.
Edits are of the kind that times show; what they don't show is told in cairn(1), under generate.
A plan that a generator refuses is counted, by field. A seed names a plan and its edits; what failed is kept."""
import argparse
import collections
import json
import os
import random
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STATES = {"make": ".cairn~make", "ninja": ".cairn~ninja", "sh": ".cairn~sh"}
OURS = set(STATES.values()) | {".ninja_log", ".ninja_deps", "Makefile", "build.ninja", "build.sh"}
ODD = ["sp ace", "do$lar", "qu'ote", "ha#sh", "a%b", "co:lon", "com,ma", "eq=x", "st*r", "br[1]", "bang!", "ti~de", "am&p", "cu{r}ly", "-dash",
       "ü", 'dq"x', "ba`ck", "pl+us", "a|b", "se;mi", "(par)"]
PROGRAM = """#!/bin/sh
# OUT SALT FILES...: what a step makes of what it reads
set -e
echo "$STEP" >>"$LOG"
out=$1 salt=$2
shift 2
cat -- "$@" </dev/null >"$TMPDIR/all"
if grep -q FAIL "$TMPDIR/all"; then exit 3; fi
{ echo "$salt" "$EXTRA"; cat "$TMPDIR/all"; } | cksum >"$out"
"""


def q(word):
    return "'" + word.replace("'", "'\\''") + "'"


def expr(word):         # as text of a spec
    return word.replace("${{", '${{ "${{" }}')


class Plan:
    def __init__(self, rng):
        self.rng, self.files, self.commands, self.workflows = rng, {}, {}, {}
        self.salts, self.outs, self.kinds = {}, {}, {}
        self.counter = 0
        self.secret = False
        names = [self.name(i) for i in range(rng.randint(2, 4))]
        for n in names:
            self.files["src/" + n] = self.text()
        for i in range(3):
            self.files[f"hdr/h{i}.h"] = self.text()
        self.files["tree/one"] = self.text()
        self.files["tree/sub/two"] = self.text()
        self.files["bin/mix"] = PROGRAM
        self.files["settings.env"] = "FROM_FILE='a b'\n"
        self.files[".gitignore"] = "/out/\n/bin/\n/.ninja_*\n/Makefile\n/build.ninja\n/build.sh\n"
        self.made = []                  # (command, how to read it in a script, flags)
        for i in range(rng.randint(2, 6)):
            self.command(f"c{i}")
        self.flows()

    def name(self, i):
        odd = self.rng.random() < 0.2
        return (self.rng.choice(ODD) if odd else "f") + f"{i}.c"

    def text(self):
        self.counter += 1
        return f"text {self.counter} {self.rng.randrange(10**6)}\n"

    # ---- one command
    def command(self, name):
        rng = self.rng
        kind = rng.choice(["plain", "plain", "each", "matrix", "folder", "glob", "dep", "check", "sources", "exec", "file", "shebang", "keep", "two", "group"])
        self.kinds[name] = kind
        c, reads, inputs, out = {}, [], [], f"out/{name}.o"
        self.salts[name] = str(rng.randrange(1000))
        env = {"STEP": name, "EXTRA": rng.choice(["", "x y", "it's", "$HOME", "a\nb"])}
        prior = rng.sample(self.made, min(len(self.made), rng.randint(0, 2)))
        needs = []
        for other, how, flags in prior:
            if kind in ("dep",) and "order" in flags:
                continue
            if rng.random() < 0.15 and how:
                needs.append({"step": other, "order_only": True})
                if kind != "sources":
                    inputs.append(flags["input"])
                    reads.append(how)
            else:
                needs.append(other)
                reads += [how] if how else []
        if kind == "group":
            if not self.made:
                kind = self.kinds[name] = "plain"
            else:
                self.commands[name] = {"needs": [m[0] for m in rng.sample(self.made, min(2, len(self.made)))]}
                return
        sources = rng.sample(sorted(f for f in self.files if f.startswith("src/")), 2)
        if kind == "sources":
            reads.append("hdr/h0.h")
        elif kind not in ("each",):
            how = rng.choice(["literal", "literal", "glob", "tree", "optional", "none"])
            if how == "literal":
                inputs += [{"path": s} for s in sources]
                reads += [q(s) for s in sources]
            elif how == "glob":
                inputs += ["hdr/*.h", "!hdr/h2*"]
                reads += ["hdr/h0.h", "hdr/h1.h"]
            elif how == "tree":
                inputs.append("tree")
                reads += ["tree/one", "tree/sub/two"]
            elif how == "optional":
                inputs += [{"path": "opt/maybe", "optional": True}, {"path": sources[0]}]
                reads += ["$(ls opt/maybe 2>/dev/null || :)", q(sources[0])]
        c["env"] = env
        if kind == "each":
            c["each"] = {"f": "src/*"}
            env["STEP"] = name + ":${{ each.f }}"
            inputs.append("${{ each.f }}")
            reads.append("${{ sh(each.f) }}")
            out = f"out/{name}/${{{{ each.f.name }}}}.o"
            if rng.random() < 0.4:
                c["concurrency"] = 2
        elif kind == "matrix":
            c["matrix"] = {"axes": {"v": rng.sample(["1", "x y", "a=b", "$v", "1.0"], 2), "w": ["p", "q"]}, "exclude": [{"v": "1", "w": "q"}]}
            env["STEP"] = name + ":${{ matrix.v }}.${{ matrix.w }}"
            out = f"out/{name}.${{{{ matrix.v }}}}.${{{{ matrix.w }}}}.o"
        outs, opened = [out], None
        run, how = self.script(name, kind, c, reads, out, outs)
        c.update(run)
        if kind != "sources":
            c["inputs"] = inputs
        if kind != "check":
            c["outputs"] = outs
            if rng.random() < 0.1:
                c["outputs"] = {"files": outs, "tracked": True}
        if kind == "keep":
            c["outputs"] = {"files": outs, "keep": True}
        if needs:
            c["needs"] = needs
        self.extras(name, kind, c)
        self.commands[name] = c
        # What skips, or may fail, is not read by others: its files may not be there.
        if kind == "check" or "when" in c and c["when"] is not True or c.get("continue_on_failure"):
            self.made.append((name, None, {"input": f"{name}"})) if kind == "check" else None
            return
        if kind in ("folder",):
            self.made.append((name, f"$(find out/{name}.d -type f | LC_ALL=C sort)", {"input": f"out/{name}.d/**"}))
        elif kind == "glob":
            self.made.append((name, f"out/{name}.g/*.x", {"input": f"out/{name}.g/*.x"}))
        elif kind == "each":
            self.made.append((name, f"out/{name}/*.o", {"input": f"out/{name}/*.o"}))
        elif kind == "matrix":
            self.made.append((name, f"out/{name}.*.o", {"input": f"out/{name}.*.o"}))
        else:
            self.made.append((name, f"out/{name}.o", {"input": f"out/{name}.o"}))

    def mix(self, name, out, reads):
        return f"bin/mix {out} ${{{{ vars.salt_{name} }}}} " + " ".join(reads) + "\n"

    def script(self, name, kind, c, reads, out, outs):
        rng = self.rng
        where = "${{ sh(out[0]) }}" if kind in ("each", "matrix") else out
        line = self.mix(name, where, reads)
        if kind == "folder":
            outs[:] = [rng.choice([f"out/{name}.d", f"out/{name}.d/"])]
            if rng.random() < 0.3:
                outs.append(f"!out/{name}.d/tmp*")
            return {"run": f"mkdir -p out/{name}.d/sub out/{name}.d/void\n" + self.mix(name, f"out/{name}.d/one", reads) +
                    f"cp out/{name}.d/one out/{name}.d/sub/two; chmod 755 out/{name}.d/sub/two; ln -s ../one out/{name}.d/sub/lnk\n"}, None
        if kind == "glob":
            outs[:] = [f"out/{name}.g/**/*.x"]
            return {"run": f"mkdir -p out/{name}.g/s\n" + self.mix(name, f"out/{name}.g/a.x", reads) +
                    f"cp out/{name}.g/a.x out/{name}.g/s/b.x\ncase $(cat out/{name}.g/a.x) in *[02468]\\ *) cp out/{name}.g/a.x out/{name}.g/even.x ;; esac\n"}, None
        if kind == "dep":
            c["depfile"] = f"out/{name}.d.mk"
            return {"run": self.mix(name, out, reads + ["hdr/h1.h"]) + f"echo 'x: hdr/h1.h \\\n hdr/h2.h' >${{{{ out.depfile }}}}; cat hdr/h2.h >>{out}"}, None
        if kind == "check":
            return {"run": self.mix(name, "/dev/null", reads)}, None
        if kind == "exec":
            plain = [r[1:-1].replace("'\\''", "'") if r.startswith("'") else r for r in reads if not re.search(r"[$*]", r) or r.startswith("'")]
            return {"exec": ["bin/mix", out, f"${{{{ vars.salt_{name} }}}}"] + [expr(p) for p in plain]}, None
        if kind == "file":
            c["interpreter"] = rng.choice(["python3", ["sh", "-e"], ["bash"]])
            if c["interpreter"] == "python3":
                return {"run": "import subprocess, sys\n" + f"sys.exit(subprocess.run(['sh', '-c', {line.strip()!r}]).returncode)\n"}, None
            return {"run": line}, None
        if kind == "shebang":
            return {"run": "#!/bin/sh\n" + line}, None
        if kind == "keep":
            return {"run": f"test ! -e {out} || cat {out} >/dev/null\n" + line}, None
        if kind == "two":
            outs.append(f"out/{name}.2")
            if rng.random() < 0.5:
                outs.append({"path": f"out/{name}.maybe", "optional": True})
            extra = f"case $(cat {out}) in *[13579]\\ *) echo odd >out/{name}.maybe ;; esac\n" if len(outs) > 2 else ""
            return {"run": line + f"echo constant >out/{name}.2; chmod 755 out/{name}.2\n" + extra}, None
        form = rng.randrange(5)
        if form == 0:
            return {"run": line.rstrip("\n")}, None
        if form == 1:
            return {"run": line + "define() { :; }\ndefine \\\n  x\n: endef\n# $(shell) $$ `x` ${HOME}\n"}, None
        if form == 2:
            return {"run": line + f"cat >>{where} <<'END'\n\tEND?  $x \\n \"'\n  endef\nEND\n"}, None
        if form == 3:
            c["shell"] = rng.choice(["bash", ["sh", "-euc"]])
            return {"run": line + "printf '%s' 100% >/dev/null\n"}, None
        return {"run": line + "echo done >&2\n"}, None

    def extras(self, name, kind, c):
        rng = self.rng

        def maybe(p):
            return rng.random() < p
        if maybe(0.15):
            c["timeout"] = rng.choice(["100s", "2m", 90])
        if maybe(0.15) and kind in ("plain", "two") and "run" in c:
            c["retry"] = {"times": 2, "delay": "10ms", "factor": 2}
            c["run"] = f"if mkdir \"$COUNT/{name}.$$\" && test $(ls \"$COUNT\" | grep -c '^{name}[.]') = 1; then exit 7; fi\n" + c["run"]
        if maybe(0.15):
            c["requires"] = {"tools": ["sh", {"any": ["no-such-tool", "cat"]}], "files": ["bin/mix"], "env": ["STEP"]}
        if maybe(0.1):
            c["when"] = rng.choice([True, '${{ os == "none" }}', '${{ os == "linux" }}'])
        if maybe(0.1) and kind in ("plain", "two", "check"):
            c["cache"] = False
        if maybe(0.1):
            c["pass_env"] = [{"name": "KEYED", "key": True}, "LOOSE", "LOG", "COUNT"]
        if maybe(0.1) and "run" in c and kind == "plain":
            c["env"]["TOKEN"] = {"secret": rng.choice(["by_env", "by_file"])}
            c["run"] = "test \"$TOKEN\" = \"it's a 'secret'\"\n" + c["run"]
            self.secret = True
        if maybe(0.08):
            c["tags"] = rng.choice([["shell"], ["big", "shell"]])
        if maybe(0.1):
            c["tools"] = ["cat", {"run": "cat --version"}]
        if maybe(0.1) and kind in ("plain", "each", "two"):
            c["continue_on_failure"] = True
        if maybe(0.1) and kind == "plain" and "run" in c:
            c["workdir"] = "tree"
            c["run"] = "cd \"$CAIRN_WORKSPACE\"\n" + c["run"]
        if maybe(0.05) and kind == "plain":
            c["console"] = True
        if maybe(0.1):
            c["platforms"] = {"linux": {"env": {"PLAT": "l"}}, "macos": {"env": {"PLAT": "m"}}}
        if maybe(0.1):
            c["runtimes"] = {"native": {"env": {"RT": "n"}}}
        if maybe(0.05):
            c["params"] = {"par": {"default": "p 1"}}
        if maybe(0.004):
            c["workspace"] = "copy"
        if maybe(0.2):
            c["summary"] = "Sum $(x) of\tit \\"

    def flows(self):
        rng, names = self.rng, sorted(self.commands)
        self.workflows["default"] = {"steps": list(names)}
        self.finally_ = rng.random() < 0.03
        self.sequential = not self.finally_ and rng.random() < 0.15
        if self.finally_:
            self.commands["last"] = {"run": "echo last >>\"$LOG\"; echo last >out/last", "pass_env": ["LOG"]}
            self.workflows["default"]["finally"] = ["last"]
        if self.sequential:
            self.workflows["default"]["sequential"] = True

    def spec(self):
        commands = json.loads(json.dumps(self.commands))
        s = {"cairn": 1, "name": "equal", "vars": {f"salt_{n}": v for n, v in self.salts.items()}, "env": {"COMMON": "of all"},
             "env_files": ["settings.env", {"path": "none.env", "optional": True}],
             "pass_env": ["LOG", "COUNT"], "defaults": {"timeout": "5m"}, "commands": commands, "workflows": self.workflows}
        if self.secret:
            s["secrets"] = {"by_env": {"env": "A_TOKEN"}, "by_file": {"file": "${TOKENS}/token"}}
        return json.dumps(s, indent=1, ensure_ascii=False) + "\n"

    # ---- edits: each a list of (what, path, content) that all copies get
    def edit(self, ways):
        rng = self.rng
        way = rng.choice(ways)
        sources = [f for f in self.files if f.startswith(("src/", "hdr/", "tree/"))]
        if way == "change":
            return way, [("write", f, self.text()) for f in rng.sample(sources, rng.randint(1, 2))]
        if way == "touch":
            return way, [("touch", f, None) for f in rng.sample(sources, 3)]
        if way == "delete":
            return way, [("delete", None, rng.random())]
        if way == "optional":
            again = [("spec", None, None)] if "sources" in self.kinds.values() else []     # which files there are is static
            return way, [("flip", "opt/maybe", self.text())] + again
        if way == "fail":
            return way, [("write", rng.choice(sources), "FAIL\n" + self.text())]
        if way == "salt":
            name = rng.choice(sorted(self.salts))
            self.salts[name] = f"s{rng.randrange(10**6)}"
            return way, [("spec", None, None)]
        if way == "new":
            return way, [("write", f"src/new{self.counter}.c", self.text()), ("spec", None, None)]
        return "nothing", []


class Fault(Exception):
    pass


def tree(root):
    found = {}
    for folder, dirs, files in os.walk(root):
        rel = os.path.relpath(folder, root)
        for name in list(dirs):
            if name in OURS or name.startswith(".cairn~") or name == ".git":
                dirs.remove(name)
            elif os.path.islink(os.path.join(folder, name)):
                files.append(name)
            elif not os.listdir(os.path.join(folder, name)):
                found[os.path.normpath(os.path.join(rel, name))] = ("empty folder",)
        for name in files:
            path = os.path.join(folder, name)
            if rel == "." and name in OURS:
                continue
            st = os.lstat(path)
            what = ("link", os.readlink(path)) if stat.S_ISLNK(st.st_mode) else (stat.S_IMODE(st.st_mode), open(path, "rb").read())
            found[os.path.normpath(os.path.join(rel, name))] = what
    return found


class Copy:
    """One workspace, and what builds it."""

    def __init__(self, base, tool, cairn):
        self.tool, self.cairn = tool, cairn
        self.home = os.path.join(base, tool)
        self.root = os.path.join(self.home, "w")
        self.log = os.path.join(self.home, "log")
        os.makedirs(self.root)
        os.makedirs(os.path.join(self.home, "tokens"))
        with open(os.path.join(self.home, "tokens/token"), "w") as f:
            f.write("it's a 'secret'\n")
        self.env = {"PATH": os.environ["PATH"], "HOME": self.home, "LC_ALL": "C", "LOG": self.log, "COUNT": os.path.join(self.home, "count"),
                    "KEYED": "k 1", "LOOSE": "l", "A_TOKEN": "it's a 'secret'", "TOKENS": os.path.join(self.home, "tokens"), "CAIRN_TAGS": "big,other",
                    "GIT_CONFIG_GLOBAL": "/dev/null", "XDG_STATE_HOME": os.path.join(self.home, "state"), "XDG_CACHE_HOME": os.path.join(self.home, "cache")}
        self.env.update({n: os.environ[n] for n in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if n in os.environ})

    def apply(self, what, path, content):
        full = os.path.join(self.root, path) if path else None
        if what == "write":
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w") as f:
                f.write(content)
        elif what == "touch":
            os.utime(full)
        elif what == "flip":
            if os.path.exists(full):
                os.unlink(full)
            else:
                self.apply("write", path, content)
        elif what == "delete":          # a literal output: others are not known to the tools
            found = sorted(f for f in tree(self.root) if re.fullmatch(r"out/c\d+(\.2|\.o)", f))
            if found:
                os.unlink(os.path.join(self.root, found[int(content * len(found))]))

    def ran(self):
        try:
            with open(self.log, errors="surrogateescape") as f:
                lines = f.read().split("\n")[:-1]
        except FileNotFoundError:
            lines = []
        return lines

    def command(self, keep_going):
        k = {"cairn": ["-k"], "make": ["-k"], "ninja": ["-k0"], "sh": []}[self.tool] if keep_going else []
        return {"cairn": [self.cairn, "run", "-q", "-j2", f"--events={self.home}/events"], "make": ["make", "-j2"], "ninja": ["ninja", "-j2"],
                "sh": ["sh", "build.sh"]}[self.tool] + k

    def generate(self, goals):
        file = {"make": "Makefile", "ninja": "build.ninja", "sh": "build.sh"}[self.tool]
        r = subprocess.run([self.cairn, "generate", self.tool, "-o", file] + goals, cwd=self.root, env=self.env, capture_output=True, text=True)
        return r.returncode, r.stderr

    def run(self, keep_going):
        for path in (self.log, os.path.join(self.home, "events")):
            if os.path.exists(path):
                os.unlink(path)
        shutil.rmtree(self.env["COUNT"], ignore_errors=True)
        os.mkdir(self.env["COUNT"])
        r = subprocess.run(self.command(keep_going), cwd=self.root, env=self.env, capture_output=True, stdin=subprocess.DEVNULL, timeout=300)
        self.said = (r.stdout + r.stderr).decode(errors="replace")
        return r.returncode

    def restored(self):
        out = []
        with open(os.path.join(self.home, "events"), errors="surrogateescape") as f:
            for line in f:
                e = json.loads(line)
                if e["event"] == "step-end" and e["state"] == "restored":
                    out.append(e["step"])
        return out


def canon(name):        # "c1[f=src/x]" as the step calls itself
    m = re.fullmatch(r"(\w+)\[(.*)\]", name, re.S)
    if not m:
        return name
    if m[2].startswith("f="):
        return f"{m[1]}:{m[2][2:]}"
    v, w = re.fullmatch(r"v=(.*),\s?w=(.*)", m[2], re.S).groups()
    return f"{m[1]}:{v}.{w}"


class Campaign:
    def __init__(self, seed, o, base):
        self.o, self.rng, self.base = o, random.Random(seed), base
        self.plan = Plan(self.rng)
        self.copies = [Copy(base, t, o.cairn) for t in ["cairn"] + o.tools]
        self.refused = {}
        for c in self.copies:
            for path, text in self.plan.files.items():
                c.apply("write", path, text)
            os.chmod(os.path.join(c.root, "bin/mix"), 0o755)
            subprocess.run(["git", "init", "-q"], cwd=c.root, env=c.env, check=True)
        self.write_spec()

    def write_spec(self):
        for c in self.copies:
            c.apply("write", "cairn.yaml", self.plan.spec())
        for c in list(self.copies[1:]):
            code, said = c.generate(["default"] if self.plan.finally_ or self.plan.sequential or c.tool == "sh" else [])
            if code == 3 and "can't express" in said:
                self.refused[c.tool] = sorted({line.split(": ")[1] for line in said.split("\n")[1:] if line.startswith("  ") and ": " in line})
                self.copies.remove(c)
            elif code:
                raise Fault(f"generate {c.tool} ended with {code}:\n{said}")

    def apply(self, changes):
        time.sleep(0.012)       # and than what the run before it wrote
        for what, path, content in changes:
            if what == "spec":
                self.write_spec()
                continue
            for c in self.copies:
                c.apply(what, path, content)
            if what == "write":
                self.plan.files[path] = content

    # back: the edit takes an earlier one back, which cairn knows the result of and the others have to find anew
    def round(self, keep_going=False, back=False):
        time.sleep(0.012)       # an edit is later than what it follows, also on the kernel's clock
        codes = {c.tool: c.run(keep_going) for c in self.copies}
        cairn = self.copies[0]
        for c in self.copies[1:]:
            if bool(codes[c.tool]) != bool(codes["cairn"]):
                raise Fault(f"{c.tool} ended with {codes[c.tool]}, cairn with {codes['cairn']}\n--- cairn\n{cairn.said}\n--- {c.tool}\n{c.said}")
        if codes["cairn"] and not keep_going:
            return codes["cairn"]
        want = collections.Counter(cairn.ran() + [canon(s) for s in cairn.restored()])
        for c in self.copies[1:]:
            if c.tool == "sh" and codes["cairn"]:
                continue        # it stops at the first failure
            got = collections.Counter(c.ran())
            if c.tool == "ninja" and self.plan.sequential and codes["cairn"] and set(got) <= set(want):
                continue        # an order is a need to ninja: what stands behind a failure does not run
            if back and set(want) <= set(got):
                continue
            if set(got) != set(want) or (not cairn.restored() and got != want):
                raise Fault(f"with {c.tool} ran {sorted(got.elements())}\nwith cairn {sorted(want.elements())}\n--- cairn\n{cairn.said}\n--- {c.tool}\n{c.said}")
        if not codes["cairn"]:
            self.compare(cairn)
        return codes["cairn"]

    def compare(self, cairn):
        want = tree(cairn.root)
        for c in self.copies[1:]:
            got = tree(c.root)
            for path in sorted(set(want) | set(got)):
                if got.get(path) != want.get(path):
                    raise Fault(f"{path} is {got.get(path)!r} with {c.tool}, {want.get(path)!r} with cairn\n--- {c.tool}\n{c.said}")

    def go(self):
        ways = ["change", "change", "touch", "nothing", "salt", "new", "delete", "optional", "fail"]
        self.done = ["first"]
        code = self.round(keep_going=True)
        if code and self.o.verbose:
            print(self.copies[0].said)
        for _ in range(self.o.rounds):
            if len(self.copies) < 2:
                break
            before = dict(self.plan.files)
            way, changes = self.plan.edit(ways)
            self.done.append(f"{way} {[c[:2] for c in changes]}")
            self.apply(changes)
            self.round(keep_going=True, back=way == "optional")
            if way == "fail":
                self.done.append("mend")
                self.apply([("write", changes[0][1], self.plan.text())])
                self.round(keep_going=True)
        return code


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--plans", type=int, default=20)
    p.add_argument("--rounds", type=int, default=4)
    p.add_argument("--seed")
    p.add_argument("--tools", default="make,ninja,sh", type=lambda s: s.split(","))
    p.add_argument("--cairn", default=os.path.join(TOP, os.environ.get("CAIRN_BUILD", "build"), "cairn"))
    p.add_argument("--keep", action="store_true")
    p.add_argument("-v", action="store_true", dest="verbose")
    o = p.parse_args()
    o.cairn = os.path.abspath(o.cairn)
    seed = o.seed or str(random.SystemRandom().randrange(10 ** 9))
    base = os.path.realpath(tempfile.mkdtemp(prefix="cairn-equal-"))
    print(f"seed {seed}", flush=True)
    refused, plans, bad, fields = collections.Counter(), 0, 0, collections.Counter()
    began = time.monotonic()
    while plans < o.plans:
        folder = os.path.join(base, str(plans))
        c = None
        try:
            c = Campaign(seed, o, folder)
            bad += bool(c.go())
        except Fault as e:
            print(f"FAULT in plan {plans}, seed {seed}: {e}\nafter: " + "; ".join(getattr(c, "done", [])))
            print(f"kept: {folder}\nagain: t/generate/equal.py --plans 1 --seed {seed} --rounds {o.rounds}", flush=True)
            return 1
        for tool, why in c.refused.items():
            refused[tool] += 1
            fields.update(f"{tool}: {f}" for f in why)
        if not o.keep:
            shutil.rmtree(folder, ignore_errors=True)
        plans += 1
        seed = str(random.Random(f"{seed} next").randrange(10 ** 9))
    shutil.rmtree(base, ignore_errors=True) if not o.keep else None
    print(f"{plans} plans, {bad} of which failed at first, {time.monotonic() - began:.0f} s; refused: " +
          (", ".join(f"{n} by {t}" for t, n in sorted(refused.items())) or "none") +
          "; fields: " + (", ".join(f"{f} {n}" for f, n in sorted(fields.items())) or "none"))
    if plans >= 20 and any(n > plans / 10 for n in refused.values()):
        print("more than one plan in ten is refused")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
