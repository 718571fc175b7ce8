"""What a build must come to, computed without cairn: a small file system in memory, what mix.c makes of it, and
for each step the digest of everything it was given.

A step must run if and only if nothing with its digest ever ended well. What the digest holds:
  the command's text and salt; environment and tools that it says are keyed; each declared input and each
  output of its needs (path, type, executable bit, link text, content); what its depfile names."""
import hashlib
import os
import stat
import zlib


def order(path):
    return os.fsencode(path)


class Node:
    """A file ('f'), link ('l') or folder ('d'); a folder stands for itself only when it is empty or written."""
    __slots__ = ("kind", "data", "mode")

    def __init__(self, kind, data=b"", mode=0o644):
        self.kind, self.data, self.mode = kind, data, mode

    @property
    def exe(self):
        return bool(self.mode & 0o100)

    def same(self, other):          # as a key sees it
        return (other is not None and self.kind == other.kind and self.data == other.data
                and (self.kind != "f" or self.exe == other.exe))

    def exact(self, other):
        return self.same(other) and (self.kind != "f" or self.mode == other.mode)

    def __repr__(self):
        return f"{self.kind} {self.mode:o} {self.data[:60]!r}" if self.kind == "f" else f"{self.kind} {self.data!r}"


class Tree:
    """path -> Node, with the folders that follow from it."""

    def __init__(self, nodes=()):
        self.nodes, self.names = {}, {}
        for path, node in dict(nodes).items():
            self.add(path, node)

    def add(self, path, node):
        self.nodes[path] = node
        if node.kind == "d":
            self.names.setdefault(path, set())
        while path:
            folder, _, name = path.rpartition("/")
            names = self.names.setdefault(folder, set())
            if name in names:
                break
            names.add(name)
            path = folder

    def get(self, path):
        return self.nodes.get(path) or (Node("d") if path in self.names else None)

    def list(self, path):
        return sorted(self.names.get(path, ()), key=order)

    def target(self, path):
        """What the link at path leads to: a path of this tree."""
        return os.path.normpath(os.path.join(os.path.dirname(path), os.fsdecode(self.nodes[path].data)))

    def below(self, path):
        """The entry at path and all entries below it, folders only if empty."""
        node = self.get(path)
        if node is None:
            return
        if node.kind != "d":
            yield path
        elif not self.names.get(path):
            yield path
        else:
            for name in self.list(path):
                yield from self.below(f"{path}/{name}")


def scan(root, skip=(".git",)):
    """The tree on disk."""
    nodes = {}

    def walk(rel):
        with os.scandir(os.path.join(root, rel) if rel else root) as entries:
            for e in entries:
                path = f"{rel}/{e.name}" if rel else e.name
                if path in skip:
                    continue
                st = e.stat(follow_symlinks=False)
                if stat.S_ISLNK(st.st_mode):
                    nodes[path] = Node("l", os.fsencode(os.readlink(e.path)))
                elif stat.S_ISDIR(st.st_mode):
                    nodes[path] = Node("d")
                    walk(path)
                else:
                    with open(e.path, "rb") as f:
                        nodes[path] = Node("f", f.read(), stat.S_IMODE(st.st_mode))
    walk("")
    return nodes


class Failed(Exception):
    pass


class Mix:
    """mix.c over a Tree."""

    def __init__(self, tree, name):
        self.tree, self.name = tree, name
        self.body, self.deps, self.reads = b"", [], {}
        self.bare = self.failing = False

    def strip(self, data):
        lines = data.splitlines(keepends=True) if b"\r" not in data else data.split(b"\n")
        if any(line.startswith(b"!fail") for line in lines):
            self.failing = True
        return b"".join(line for line in lines if not line.startswith(b"#"))

    def read_file(self, path, node, kind):
        rest = self.strip(node.data)
        if self.bare:
            self.body += rest
        else:
            self.body += b"%s %s %08x\n" % (os.fsencode(path), kind, zlib.crc32(node.data))

    def read(self, path):
        node = self.tree.get(path)
        if node is None:
            self.body += os.fsencode(path) + b" -\n"
        elif node.kind == "f":
            self.read_file(path, node, b"x" if node.exe else b"f")
        elif node.kind == "d":
            self.body += os.fsencode(path) + b" d\n"
            self.read_all(path, path)
        else:
            if not self.bare:
                self.body += os.fsencode(path) + b" l " + node.data + b" "
            to = self.tree.target(path)
            there = self.tree.get(to)
            if there is None:
                self.body += b"-\n"
            elif there.kind == "d":
                self.body += b"d\n"
                self.read_all(path, to)
            else:
                rest = self.strip(there.data)
                self.body += (rest if self.bare else b"%08x" % zlib.crc32(there.data)) + b"\n"

    def read_all(self, shown, real):
        for name in self.tree.list(real):
            if shown == real:
                self.read(f"{real}/{name}")
            else:                   # through a link: names as seen through it
                node = self.tree.get(f"{real}/{name}")
                if node.kind == "f":
                    self.read_file(f"{shown}/{name}", node, b"x" if node.exe else b"f")
                elif node.kind == "d":
                    self.body += os.fsencode(f"{shown}/{name}") + b" d\n"
                    self.read_all(f"{shown}/{name}", f"{real}/{name}")

    def walk(self, folder, suffix, deep, but):
        for name in self.tree.list(folder):
            path = f"{folder}/{name}"
            if self.tree.get(path).kind == "d":
                if deep:
                    self.walk(path, suffix, True, but)
            elif not (but and name.startswith(but)) and name.endswith(suffix):
                self.read(path)

    def compile(self, path, dirs):
        if path in self.reads:
            return
        node = self.tree.nodes[path]
        self.reads[path] = node
        self.read_file(path, node, b"c")
        for line in node.data.split(b"\n"):
            if not line.startswith(b"include "):
                continue
            name = os.fsdecode(line[8:])
            for folder in dirs:
                if f"{folder}/{name}" in self.tree.nodes:
                    self.compile(f"{folder}/{name}", dirs)
                    break
            else:
                raise Failed(f"no header {name}")

    def run(self, step, env):
        """-> outputs {path: Node}"""
        env = {**env, **dict([step.fixed] if step.fixed else [])}
        self.bare = step.bare
        for var in step.env:
            self.body += b"%s=%s\n" % (var.encode(), env[var].encode() if var in env else b"(unset)")
        for op, *rest in step.reads:
            if op == "i":
                self.read(rest[0])
            elif op in "wl":
                self.walk(rest[0], rest[1], op == "w", rest[2] if len(rest) > 2 else None)
            elif op == "c":
                self.compile(rest[0], rest[1])
        for arg in step.args:
            self.body += b"arg %d:%s\n" % (len(arg.encode()), arg.encode())
        if self.failing:
            raise Failed("a line says so")
        salt = step.salt.encode()
        text = step.log.encode() + b"\n" + salt + b"\n" + self.body
        return self.write(step, text, zlib.crc32(self.body + salt))

    def write(self, step, text, crc):
        made = {}
        if step.out:
            made[step.out] = Node("f", text, step.mode)
        if step.link:
            made[step.link] = Node("l", os.fsencode(os.path.basename(step.out)))
        for folder, whole in ((step.folder, True), (step.files, False)):
            if not folder:
                continue
            n = 1 + crc % 4
            for i in range(n):
                path = f"{folder}/{'sub/' if i % 2 else ''}{i}.o"
                made[path] = Node("f", b"%s %d %08x\n" % (step.log.encode(), i, crc), 0o755 if i == 2 else 0o644)
            if whole:
                made[f"{folder}/empty"] = Node("d")
                made[f"{folder}/link"] = Node("l", b"0.o")
                if n < 2:
                    made[f"{folder}/sub"] = Node("d")
        return made


def digest(*parts):
    h = hashlib.sha1()
    for part in parts:
        b = repr(part).encode("utf-8", "surrogateescape")
        h.update(b"%d:" % len(b) + b)
    return h.hexdigest()


def entry(tree, path):
    """What a key must tell apart at path."""
    node = tree.get(path)
    if node is None:
        return (path, "absent")
    if node.kind == "f":
        return (path, "f", node.exe, node.data)
    if node.kind == "d":
        return (path, "d")
    to = tree.target(path)
    there = tree.get(to)
    if there is None:
        return (path, "l", node.data, None)
    if there.kind == "f":
        return (path, "l", node.data, there.data)
    return (path, "l", node.data, [entry(tree, p)[1:] + (p[len(to):],) for p in tree.below(to)])


class Outcome:
    """What must become of one step."""

    def __init__(self, step):
        self.step = step
        self.state = "ok"           # ok | failed | blocked
        self.key = None             # None: runs every time
        self.loose = None           # key and the names that might shadow: equal to a seen one, it must not run
        self.declared = None
        self.reads = {}
        self.outputs = {}


def build(steps, sources, world):
    """The outcome of each step (in order, needs first) over these sources."""
    tree = Tree(sources)
    done = {}
    for step in steps:
        o = done[step.name] = Outcome(step)
        needs = [done[n] for n in step.needs]
        if any(n.state != "ok" for n in needs + [done[n] for n in step.after]):
            o.state = "blocked"
            continue
        made = sorted((p for n in needs for p in n.outputs), key=order)
        declared = sorted(set(step.inputs(tree, sources)), key=order)
        if step.keyed:
            o.declared = digest(step.text, [(v, world["env"].get(v)) for v in step.env], step.fixed, step.args,
                                world["tool"]() if step.tool else None,
                                [entry(tree, p) for p in declared], [entry(tree, p) for p in made])
        mix = Mix(tree, step.log)
        try:
            o.outputs = mix.run(step, world["env"])
        except Failed:
            o.state = "failed"
        o.reads = mix.reads
        if step.keyed:
            names = {os.path.basename(p) for p in mix.reads}
            shadows = sorted((p for p in tree.nodes if os.path.basename(p) in names), key=order)
            found = sorted(((p, n.data, n.exe) for p, n in mix.reads.items()), key=repr)
            # The content of what a compiler read must count; whether a mode there counts is left open.
            o.key = digest(o.declared, [f[:2] for f in found])
            o.loose = digest(o.declared, found, shadows)
        if o.state == "ok":
            for path, node in o.outputs.items():
                tree.add(path, node)
    return done
