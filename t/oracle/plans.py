"""Random plans: sources, a cairn.yaml over them, and the same steps as the model sees them."""
import json
import os

from model import Node, order

PLAIN = ["a", "b", "main", "util", "z9", "Ab", "x-y", "x_y", "k.v"]
ODD = ["sp ace", "qu'ote", 'dq"x', "br[1]", "do$lar", "ü", "st*r", "cu{r}ly", "semi;x", "-dash", ".dot", "ha#sh", "a%b",
       "bang!", "co:lon", "com,ma", "eq=x"]
RAW = ["back\\slash", "new\nline", "raw\udcff\udcfe", "tab\tx"]       # for globs alone: neither depfile nor step name can spell them


def quote(word):
    return "'" + word.replace("'", "'\\''") + "'"


class Step:
    """One instance, concrete."""

    def __init__(self, cmd, name, log, **kw):
        self.cmd, self.name, self.log = cmd, name, log
        self.needs, self.after = [], []         # step names; after: order only
        self.text = None                        # all that the script's text says
        self.env, self.args, self.tool, self.keyed = [], [], False, True
        self.fixed = None                       # (name, value): a variable that the spec sets
        self.bare, self.reads, self.salt = False, [], ""
        self.out = self.link = self.folder = self.files = None
        self.mode = 0o644
        self.skip = False
        self.globs, self.literals, self.every = [], [], False
        self.__dict__.update(kw)

    def inputs(self, tree, sources):
        for path in self.literals:
            yield from tree.below(path) if tree.get(path) else [path]
        for folder, suffix, deep, but in self.globs:
            for path, node in tree.nodes.items():
                if node.kind != "d" and path.startswith(folder + "/") and path.endswith(suffix):
                    rest = path[len(folder) + 1:]
                    if (deep or "/" not in rest) and not (but and rest.split("/")[-1].startswith(but)):
                        yield path
        if self.every:
            yield from (p for p, n in sources.items() if n.kind != "d" and not ignored(p))

    def covers(self, path):
        """Is path an output, or in a folder or under a glob that is?"""
        return (any(p and (path + "/").startswith(p + "/") for p in (self.out, self.link)) or bool(self.folder and (path + "/").startswith(self.folder + "/"))
                or bool(self.files and path.startswith(self.files + "/") and path.endswith(".o")))

    def has_outputs(self):
        return bool(self.out or self.folder or self.files)


def ignored(path):
    return path.startswith("ign/") or path.endswith(".tmp")


class Command:
    """One entry of `commands`."""
    leaf_only = False

    def __init__(self, rng, name, plan):
        self.name, self.plan, self.salt = name, plan, str(rng.randrange(1000))
        self.dir = f"out/{name}"
        self.needs, self.after = [], []         # command names
        self.globbed = set()                    # needs read through a glob of inputs
        self.note = 0                           # changes what is in no key
        self.bare = rng.random() < 0.25
        self.usevar = rng.random() < 0.2
        self.when = False
        self.keep = rng.random() < 0.15
        self.exe = rng.random() < 0.2
        self.readonly = rng.random() < 0.1
        self.linked = rng.random() < 0.2
        self.var = None
        self.setup(rng)

    def setup(self, rng):
        pass

    # What a kind says of itself
    def spec_inputs(self):
        return []

    def fill(self, step):
        """Adds literals, globs and reads."""

    def script_reads(self):
        return []

    def expands(self, sources):
        """(suffix of the step's name, value) of each instance."""
        return [("", None)]

    def value_word(self):
        return None

    def each(self):
        return {}

    # Outputs: one text unless the kind says otherwise
    def out_path(self, value):
        return f"{self.dir}/r.o"

    def outputs(self, step, value):
        step.out = self.out_path(value)
        step.mode = 0o755 if self.exe else 0o444 if self.readonly else 0o644
        if self.linked:
            step.link = f"{self.dir}/r.lnk"

    def spec_outputs(self):
        return [{"path": self.out_path(None)}] + ([f"{self.dir}/r.lnk"] if self.linked else [])

    def script_writes(self):
        mode = " -x" if self.exe else " -m 0444" if self.readonly else ""
        return [f"-o {self.dir}/r.o" + mode] + ([f"-L {self.dir}/r.lnk"] if self.linked else [])

    # Put together
    def salt_text(self):
        return self.salt + (".${{ vars.v }}" if self.usevar else "")

    def program(self):
        return "${{ vars.mix }}"

    def script(self):
        log = f"{self.name}:" + (self.value_word() or "")
        words = [self.program(), log, f"-S {self.salt_text()}"]
        if self.var:
            words.append(f"-e {self.var}")
        if self.bare:
            words.append("-b")
        words += self.script_reads()
        words += [f"-w out/{n} .o" for n in self.needs + self.after if n in self.plan.readable]
        return " ".join(words + self.script_writes())

    def spec(self):
        c = {"run": self.script() + "\n"}
        c.update(self.each())
        if self.note:
            c["summary"] = f"note {self.note}"
            c["timeout"] = f"{100 + self.note}s"
            c["retry"] = {"times": 0}
        inputs = self.spec_inputs()
        if inputs is not None:
            c["inputs"] = inputs + [f"out/{n}/**/*.o" for n in sorted(self.globbed)]
        outs = self.spec_outputs()
        if outs:
            c["outputs"] = {"files": outs, "keep": True} if self.keep else outs
        if self.needs or self.after:
            c["needs"] = self.needs + [{"step": n, "order_only": True} for n in self.after]
        if self.var:
            c["pass_env"] = [{"name": self.var, "key": True}]
        if self.when:
            c["when"] = "${{ vars.w == \"1\" }}"
        return c

    def steps(self, sources, world, instances):
        for suffix, value in self.expands(sources):
            step = Step(self, self.name + suffix, f"{self.name}:" + (value or ""))
            step.salt = self.salt + ("." + world["vars"]["v"] if self.usevar else "")
            step.text = (self.script(), step.salt, value)
            step.bare = self.bare
            step.skip = self.when and world["vars"]["w"] != "1"
            if self.var:
                step.env = [self.var]
            for n in self.needs:
                step.needs += instances[n]
            for n in self.after:
                step.after += instances[n]
            self.fill(step)
            if value is not None:
                self.fill_value(step, value)
            step.globs += [(f"out/{n}", ".o", True, None) for n in sorted(self.globbed)]
            step.reads += [("w", f"out/{n}", ".o") for n in self.needs + self.after if n in self.plan.readable]
            self.outputs(step, value)
            yield step

    def fill_value(self, step, value):
        pass


class Compile(Command):
    """A step a source, its headers known by a depfile."""

    def setup(self, rng):
        self.folder = rng.choice(["src/a", "src/b"])
        self.linked = self.readonly = False
        self.dirs = ["inc1", "inc2"]
        self.generated = []                     # needs whose header may be included

    def search(self):
        return self.dirs + [f"out/{n}" for n in self.generated]

    def each(self):
        return {"each": {"src": f"{self.folder}/*.c"}, "depfile": self.dir + "/${{ each.src.noext }}.d"}

    def value_word(self):
        return "${{ sh(each.src) }}"

    def spec_inputs(self):
        return ["${{ each.src }}"]

    def spec_outputs(self):
        return [self.dir + "/${{ each.src.noext }}.o"]

    def script_reads(self):
        return [f"-I {d}" for d in self.search()] + ["-c ${{ sh(each.src) }} -d ${{ sh(out.depfile) }}"]

    def script_writes(self):
        return ["-o ${{ sh(out[0]) }}" + (" -x" if self.exe else "")]

    def expands(self, sources):
        made = [c.source for c in self.plan.commands if isinstance(c, Source) and c.name in self.needs + self.after]
        found = [p for p in list(sources) + made if p.startswith(self.folder + "/") and p.endswith(".c")]
        return [(f"[src={p}]", p) for p in sorted(found, key=order)]

    def out_path(self, value):
        return f"{self.dir}/{value[:-2]}.o"

    def fill_value(self, step, value):
        step.literals.append(value)
        step.reads.append(("c", value, self.search()))


class Source(Command):
    """Writes a source that an each sees."""

    def setup(self, rng):
        self.linked = self.readonly = self.exe = self.keep = False
        self.folder = rng.choice(["src/a", "src/b"])
        self.bare = True
        self.source = f"{self.folder}/gen_{self.name}.c"

    def spec_inputs(self):
        return ["lit/0.dat"]

    def fill(self, step):
        step.literals.append("lit/0.dat")
        step.reads.append(("i", "lit/0.dat"))

    def script_reads(self):
        return ["-i lit/0.dat"]

    def out_path(self, value):
        return self.source

    def spec_outputs(self):
        return [self.source]

    def script_writes(self):
        return [f"-o {self.source}"]


class Header(Source):
    """Writes a header that only depfiles know of."""

    def setup(self, rng):
        super().setup(rng)
        self.source = f"{self.dir}/cfg_{self.name}.h"


class Glob(Command):
    def setup(self, rng):
        self.suffixes = rng.choice([[".txt"], [".txt", ".md"], [".md"]])
        self.deep = rng.random() < 0.8
        self.but = rng.choice([None, None, "x"])

    def spec_inputs(self):
        stars = "**/" if self.deep else ""
        tail = self.suffixes[0] if len(self.suffixes) == 1 else "{.txt,.md}"
        return [f"data/{stars}*{tail}"] + ([f"!data/{stars}{self.but}*"] if self.but else [])

    def fill(self, step):
        for s in self.suffixes:
            step.globs.append(("data", s, self.deep, self.but))
            step.reads.append(("w" if self.deep else "l", "data", s, self.but))

    def script_reads(self):
        reads = [f"-{'w' if self.deep else 'l'} data {s}" for s in self.suffixes]
        return [f"-n {self.but}"] + reads + ["-n ''"] if self.but else reads


class Folder(Command):
    """A folder in, a folder out."""

    def setup(self, rng):
        self.keep = False
        self.slash = self.says_folder = rng.random() < 0.5
        self.made = f"{self.dir}/d"

    def spec_inputs(self):
        return ["tree" + ("/" if self.slash else "")]

    def fill(self, step):
        step.literals.append("tree")
        step.reads.append(("i", "tree"))

    def script_reads(self):
        return ["-i tree"]

    def outputs(self, step, value):
        step.folder = self.made

    def spec_outputs(self):
        # A glob must know that there will be something below; it is in the key, so it stays when the glob goes.
        self.says_folder = self.says_folder or any(self.name in c.globbed for c in self.plan.commands)
        return [self.made + ("/" if self.says_folder else "")]

    def script_writes(self):
        return [f"-D {self.made}"]


class Files(Glob):
    """A glob out, as many files as it likes."""

    def setup(self, rng):
        super().setup(rng)
        self.keep = False

    def outputs(self, step, value):
        step.files = f"{self.dir}/g"

    def spec_outputs(self):
        return [f"{self.dir}/g/**/*.o"]

    def script_writes(self):
        return [f"-G {self.dir}/g"]


class Join(Command):
    """Only what its needs made."""


class Matrix(Command):
    def setup(self, rng):
        self.linked = False
        self.values = rng.sample(["1", "2", "x y", "1.0", "true"], rng.randint(1, 3))

    def each(self):
        return {"matrix": {"axes": {"v": self.values}}}

    def value_word(self):
        return "${{ sh(matrix.v) }}"

    def expands(self, sources):
        return [(f"[v={v}]", v) for v in self.values]

    def spec_inputs(self):
        return ["lit/1.dat"]

    def fill(self, step):
        step.literals.append("lit/1.dat")
        step.reads.append(("i", "lit/1.dat"))

    def script_reads(self):
        return ["-i lit/1.dat"]

    def out_path(self, value):
        return f"{self.dir}/{value}.o"

    def spec_outputs(self):
        return [self.dir + "/${{ matrix.v }}.o"]

    def script_writes(self):
        return ["-o ${{ sh(out[0]) }}" + (" -x" if self.exe else " -m 0444" if self.readonly else "")]


class Lines(Matrix):
    def setup(self, rng):
        self.linked = False

    def each(self):
        return {"each": {"item": {"lines": "lists/items.txt"}}}

    def value_word(self):
        return "${{ sh(each.item) }}"

    def expands(self, sources):
        lines = sources["lists/items.txt"].data.decode().split("\n")
        return [(f"[item={v}]", v) for v in lines if v]

    def spec_outputs(self):
        return [self.dir + "/${{ each.item }}.o"]


class Env(Command):
    """A variable of the caller's, or one of the spec's whose name and value may be cut elsewhere."""

    def setup(self, rng):
        self.var = "ORACLE_VAR"
        self.fixed = [("OA", "Bx"), None][rng.random() < 0.3]

    def spec_inputs(self):
        return []

    def spec(self):
        return {**super().spec(), **({"env": {self.fixed[0]: self.fixed[1]}} if self.fixed else {})}

    def script_reads(self):
        return ["-e OA -e OAB"]

    def fill(self, step):
        step.env = [self.var, "OA", "OAB"]
        step.fixed = self.fixed


class Tool(Command):
    """A program on PATH, keyed by where it is found and what is in it."""

    def setup(self, rng):
        self.usevar = self.bare = False

    def program(self):
        return "tl"

    def spec(self):
        return {**super().spec(), "tools": ["tl"]}

    def steps(self, sources, world, instances):
        for step in super().steps(sources, world, instances):
            step.tool = True
            step.salt = world["tool_salt"]()
            yield step


class Optional(Command):
    def spec_inputs(self):
        return [{"path": "opt/maybe.txt", "optional": True}, "lit/0.dat"]

    def fill(self, step):
        step.literals += ["opt/maybe.txt", "lit/0.dat"]
        step.reads += [("i", "opt/maybe.txt"), ("i", "lit/0.dat")]

    def script_reads(self):
        return ["-i opt/maybe.txt -i lit/0.dat"]


class Links(Command):
    def setup(self, rng):
        self.what = rng.choice(["lnk/file", "lnk/dir"])

    def spec_inputs(self):
        return [self.what]

    def fill(self, step):
        step.literals.append(self.what)
        step.reads.append(("i", self.what))

    def script_reads(self):
        return [f"-i {self.what}"]


class Check(Command):
    """Inputs and no outputs: its success is the result."""

    def spec_inputs(self):
        return ["lit/2.dat"]

    def fill(self, step):
        step.literals.append("lit/2.dat")
        step.reads.append(("i", "lit/2.dat"))

    def script_reads(self):
        return ["-i lit/2.dat"]

    def outputs(self, step, value):
        pass

    def spec_outputs(self):
        return []

    def script_writes(self):
        return []


class Phony(Check):
    """Says neither inputs nor outputs: runs every time."""
    leaf_only = True

    def spec_inputs(self):
        return None

    def fill(self, step):
        step.keyed = False
        step.reads.append(("i", "lit/2.dat"))


class Every(Command):
    """Outputs and no inputs: every source is one."""

    def spec_inputs(self):
        return None

    def fill(self, step):
        step.every = True
        step.reads += [("w", "src", ".c", "gen_"), ("w", "data", ".txt", "gen_")]

    def script_reads(self):
        return ["-n gen_ -w src .c -w data .txt -n ''"]


KINDS = {k.__name__.lower(): k for k in
         (Compile, Glob, Folder, Files, Join, Matrix, Lines, Env, Tool, Optional, Links, Check, Phony, Every, Source, Header)}
WEIGHTS = dict(compile=5, glob=3, folder=2, files=3, join=4, matrix=2, lines=1, env=1, tool=1, optional=2, links=2, check=1,
               phony=1, every=1, source=1, header=1)


class Plan:
    """The commands, in an order in which needs come first."""

    def __init__(self, rng, mix, kinds=(), odd=True, few=False):
        self.mix, self.rng, self.odd = mix, rng, odd
        self.commands, self.dropped = [], []
        self.readable = set()                   # names of commands with .o files
        self.turn = 0                           # the order in which the spec names them
        others = [] if few else rng.choices(list(WEIGHTS), list(WEIGHTS.values()), k=rng.choice([1, 2, 3, 5, 8]))
        for kind in list(kinds) + others:
            self.add(kind)
        self.items = rng.sample(["one", "two", "th ree", "fo'ur", "five"], 2)

    def add(self, kind):
        rng = self.rng
        if kind == "join" and not self.readable:
            kind = "glob"
        if KINDS[kind] in (Source, Header, Compile):
            self.add_family(kind)
            return
        cmd = KINDS[kind](rng, f"{kind}{len(self.commands)}", self)
        pool = sorted(self.readable)
        wanted = rng.randint(1, 2) if kind == "join" else rng.choice([0, 0, 0, 1])
        if kind in ("every",):
            wanted = 0
        self.need(cmd, rng.sample(pool, min(wanted, len(pool))))
        self.append(cmd)

    def need(self, cmd, names):
        for n in names:
            how = self.rng.random()
            if how < 0.55 or cmd.spec_inputs() is None:
                cmd.needs.append(n)
            elif how < 0.8:
                cmd.needs.append(n)
                cmd.globbed.add(n)
            else:
                cmd.after.append(n)
                cmd.globbed.add(n)

    def append(self, cmd):
        self.commands.append(cmd)
        if not isinstance(cmd, (Check, Source)):
            self.readable.add(cmd.name)

    def add_family(self, kind):
        """A compile with, when asked for, what makes a source or a header for it."""
        cmd = Compile(self.rng, f"compile{len(self.commands)}", self)
        for name, cls in (("source", Source), ("header", Header)):
            if kind == name:
                made = cls(self.rng, f"{name}{len(self.commands)}", self)
                self.append(made)
                cmd.name = f"compile{len(self.commands)}"
                cmd.dir = f"out/{cmd.name}"
                if cls is Source:
                    cmd.folder = made.folder
                    cmd.needs.append(made.name)
                else:
                    (cmd.after if self.rng.random() < 0.7 else cmd.needs).append(made.name)
                    cmd.generated.append(made.name)
        # An each must need whatever makes one of the sources that it would match.
        for other in self.commands:
            if type(other) is Source and other.folder == cmd.folder and other.name not in cmd.needs:
                cmd.after.append(other.name)
        if any(type(c) is Compile and c.folder == cmd.folder for c in self.commands) and kind == "source":
            for c in self.commands:             # a later source joins an earlier each: the each moves behind it
                if type(c) is Compile and c.folder == made.folder:
                    c.after.append(made.name)
            self.sort()
        self.append(cmd)

    def sort(self):
        done, rest = [], list(self.commands)
        while rest:
            c = next(c for c in rest if all(n in [d.name for d in done] for n in c.needs + c.after))
            rest.remove(c)
            done.append(c)
        self.commands = done

    def users(self, name):
        return [c for c in self.commands if name in c.needs + c.after]

    def spec(self):
        commands = [c for c in self.commands]
        if self.turn:
            commands = commands[self.turn % len(commands):] + commands[:self.turn % len(commands)]
        return {
            "cairn": 1,
            "name": "oracle",
            "vars": {"mix": self.mix, "v": "0", "w": "1"},
            "commands": {c.name: c.spec() for c in commands},
            "workflows": {"all": {"steps": [c.name for c in commands]}, "default": {"steps": [{"workflow": "all"}]}},
        }

    def text(self, indent=1):
        return json.dumps(self.spec(), indent=indent, ensure_ascii=False) + "\n"

    def steps(self, sources, world):
        instances, out = {}, []
        for cmd in self.commands:
            made = list(cmd.steps(sources, world, instances))
            instances[cmd.name] = [s.name for s in made]
            out += made
        return out

    # ---- sources
    def content(self, includes=(), words=None):
        rng = self.rng
        lines = [f"# {rng.randrange(10**6)}"] + [f"t {rng.randrange(10**6)}" for _ in range(words or rng.randint(1, 3))]
        lines += [f"include {h}" for h in includes]
        return "\n".join(lines).encode() + b"\n"

    def headers(self):
        return [f"h{i}.h" for i in range(5)]

    def pick_includes(self, source):
        """Headers that exist, or that a needed step makes, for a source of that folder."""
        rng = self.rng
        some = rng.sample(self.headers(), rng.randint(0, 2))
        each = [c for c in self.commands if type(c) is Compile and source.startswith(c.folder + "/")]
        if each and all(c.generated for c in each):
            common = set.intersection(*(set(c.generated) for c in each))
            some += [f"cfg_{n}.h" for n in sorted(common)]
        return some

    def name(self, raw=False):
        rng = self.rng
        if not self.odd:
            return rng.choice(PLAIN) + str(rng.randrange(100))
        base = rng.choice(PLAIN + ODD + (RAW if raw else []))
        return base + (str(rng.randrange(10)) if rng.random() < 0.5 else "")

    def first_sources(self):
        rng, out = self.rng, {}

        def put(path, data, mode=0o644):
            out.setdefault(path, Node("f", data, mode))
        for folder in ("src/a", "src/b"):
            for _ in range(rng.randint(1, 4)):
                path = f"{folder}/{self.name()}.c"
                put(path, self.content(self.pick_includes(path)))
        for i, h in enumerate(self.headers()):
            deeper = [x for x in self.headers()[i + 1:] if rng.random() < 0.3]
            put(f"{rng.choice(['inc1', 'inc2'])}/{h}", self.content(deeper))
        for i in range(rng.randint(3, 8)):
            sub = rng.choice(["", "", "sub/", "sub/deep/", ".hid/", "s p/"])
            put(f"data/{sub}{self.name(raw=True)}{rng.choice(['.txt', '.md'])}", self.content())
        put("data/one.txt", self.content())
        put("data/one.md", b"")
        for i in range(rng.randint(1, 4)):
            put(f"tree/{rng.choice(['', 'u/', 'u/v/'])}{self.name(raw=True)}", self.content(), rng.choice([0o644, 0o755]))
        if rng.random() < 0.5:
            out["tree/void"] = Node("d")
        for i in range(3):
            put(f"lit/{i}.dat", self.content())
        put("lists/items.txt", "\n".join(self.items).encode() + b"\n")
        put("lnk/t1", self.content())
        put("lnk/t2", out["lnk/t1"].data if rng.random() < 0.5 else self.content())
        out["lnk/file"] = Node("l", b"t1")
        out["lnk/dir"] = Node("l", b"../tree")
        if rng.random() < 0.3:
            out["data/dang.txt"] = Node("l", b"nowhere")
        if rng.random() < 0.5:
            put("opt/maybe.txt", self.content())
        put("junk/readme", self.content())
        put(".gitignore", b"/ign/\n*.tmp\n")
        put("ign/x.dat", b"1\n")
        put("data/cache.tmp", b"1\n")
        return out
