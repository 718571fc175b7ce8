"""What may happen to a workspace between two runs. Each function changes the campaign's sources (or plan, or world)
and the disk alike and says in a word what it did, or returns None when there is nothing it could do."""
import os
import shutil

from model import Node
from plans import Command, Compile, Source, KINDS

EDITABLE = ("src/", "inc1/", "inc2/", "data/", "tree/", "lit/", "lnk/", "opt/", "junk/")


def some(c, folders=EDITABLE, kind="f"):
    paths = [p for p, n in c.sources.items() if n.kind == kind and p.startswith(tuple(folders)) and not p.endswith(".tmp")]
    return c.rng.choice(sorted(paths)) if paths else None


def keep(c, path):
    c.past.setdefault(path, []).append(c.sources[path])


def put(c, path, node, inplace=True):
    c.sources[path] = node
    c.space.put(path, node, inplace)


def drop(c, path):
    del c.sources[path]
    c.space.remove(path)
    c.space.prune(path)


def times(c, path):
    st = os.lstat(c.space.path(path))
    return st.st_atime_ns, st.st_mtime_ns


def changed(c, data, comment=False):
    """Another text with the same includes and size."""
    lines = data.split(b"\n")
    at = [i for i, line in enumerate(lines) if line.startswith(b"# " if comment else b"t ")]
    if not at:
        return data[:-1] + (b"y" if data[-1:] == b"x" else b"x") if data else b"t 1\n"
    i = c.rng.choice(at)
    mark, number = lines[i][:2], lines[i][2:]
    new = b"%0*d" % (len(number), c.rng.randrange(10 ** max(1, len(number))))
    lines[i] = mark + (new if new != number else number[:-1] + (b"1" if number[-1:] != b"1" else b"2"))
    return b"\n".join(lines)


def edit(c):
    path = some(c)
    if path:
        keep(c, path)
        put(c, path, Node("f", c.sources[path].data + b"t %d\n" % c.rng.randrange(10 ** 6), c.sources[path].mode), c.rng.random() < 0.5)
        return f"edit {path}"


def edit_header(c):
    path = some(c, ("inc1/", "inc2/"))
    if path:
        keep(c, path)
        put(c, path, Node("f", changed(c, c.sources[path].data), c.sources[path].mode), c.rng.random() < 0.5)
        return f"edit header {path}"


def comment(c):
    path = some(c)
    if path:
        keep(c, path)
        put(c, path, Node("f", changed(c, c.sources[path].data, True), c.sources[path].mode))
        return f"edit a comment in {path}"


def same_size(c):
    path = some(c)
    if path:
        keep(c, path)
        put(c, path, Node("f", changed(c, c.sources[path].data), c.sources[path].mode))
        return f"same size edit {path}"


def quiet(c, inplace=True):
    path = some(c)
    if path:
        keep(c, path)
        was = times(c, path)
        put(c, path, Node("f", changed(c, c.sources[path].data), c.sources[path].mode), inplace)
        os.utime(c.space.path(path), ns=was)
        return f"same size, same time edit {path}" + ("" if inplace else " (new file)")


def quiet_new(c):
    return quiet(c, False)


def touch(c):
    path = some(c)
    if path:
        os.utime(c.space.path(path))
        return f"touch {path}"


def backdate(c):
    path = some(c)
    if path:
        os.utime(c.space.path(path), ns=(10 ** 18, 10 ** 18 + c.rng.randrange(10 ** 15)))
        return f"backdate {path}"


def touch_all(c):
    for path in c.sources:
        os.utime(c.space.path(path), follow_symlinks=False)
    return "touch everything"


def rewrite(c):
    path = some(c)
    if path:
        put(c, path, c.sources[path], False)
        return f"write {path} anew with the same content"


def revert(c):
    paths = sorted(p for p in c.past if p in c.sources and c.sources[p].kind == "f")
    if paths:
        path = c.rng.choice(paths)
        node = c.rng.choice(c.past[path])
        keep(c, path)
        put(c, path, node)
        return f"revert {path}"


def executable(c):
    path = some(c)
    if path:
        keep(c, path)
        node = c.sources[path]
        put(c, path, Node("f", node.data, node.mode ^ 0o111))
        return f"chmod {c.sources[path].mode:o} {path}"


def permission(c):
    path = some(c)
    if path:
        node = c.sources[path]
        put(c, path, Node("f", node.data, (node.mode & 0o100) | c.rng.choice([0o600, 0o640, 0o644, 0o666])))
        return f"chmod {c.sources[path].mode:o} {path}"


def to_link(c):
    path = some(c, ("data/",))
    if path and path not in ("data/one.txt", "data/one.md"):
        keep(c, path)
        put(c, "junk/there", c.sources[path], False)
        put(c, path, Node("l", os.fsencode(os.path.relpath("junk/there", os.path.dirname(path)))))
        return f"replace {path} by a link to the same content"


def from_link(c):
    path = some(c, ("data/",), "l")
    if path:
        put(c, path, Node("f", c.sources.get("junk/there", Node("f")).data))
        return f"replace the link {path} by a file"


def swap_link(c):
    c.sources["lnk/file"] = Node("l", b"t2" if c.sources["lnk/file"].data == b"t1" else b"t1")
    c.space.put("lnk/file", c.sources["lnk/file"])
    return "swap the link lnk/file"


def swap_folder_link(c):
    to = b"../lit" if c.sources["lnk/dir"].data == b"../tree" else b"../tree"
    put(c, "lnk/dir", Node("l", to))
    return "swap the link lnk/dir"


def swap(c):
    a, b = some(c, ("data/", "src/a/", "lit/")), some(c, ("data/", "src/a/", "lit/"))
    if a and b and a != b and os.path.dirname(a) == os.path.dirname(b):
        pa, pb = c.space.path(a), c.space.path(b)
        os.rename(pa, pa + ".swap")
        os.rename(pb, pa)
        os.rename(pa + ".swap", pb)
        c.sources[a], c.sources[b] = c.sources[b], c.sources[a]
        return f"swap {a} and {b}"


def add(c):
    folder, suffix = c.rng.choice([("src/a", ".c"), ("src/b", ".c"), ("data", ".txt"), ("data/sub/new", ".md"), ("tree", ""), ("tree/u", "")])
    raw = not folder.startswith("src")
    path = f"{folder}/{c.plan.name(raw=raw)}{suffix}"
    if path in c.sources or any(p.startswith(path + "/") for p in c.sources):
        return None
    if any(p in c.sources for p in parents(path)):
        return None
    put(c, path, Node("f", c.plan.content(c.plan.pick_includes(path) if suffix == ".c" else ())))
    return f"add {path}"


def parents(path):
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def deletable(c, folders):
    out = []
    for folder in folders:
        paths = sorted(p for p, n in c.sources.items() if p.startswith(folder + "/") and n.kind != "d" and not p.endswith(".tmp"))
        out += [p for p in paths if p not in ("data/one.txt", "data/one.md")] if len(paths) > 1 else []
    if c.tampered:                  # an output that was tampered with would outlive its step, and be a source then
        out = [p for p in out if not p.startswith("src/")]
    return out


def delete(c):
    paths = deletable(c, ("src/a", "src/b", "data", "tree"))
    if paths:
        path = c.rng.choice(paths)
        if c.sources[path].kind == "f":
            keep(c, path)
        drop(c, path)
        return f"delete {path}"


def bring_back(c):
    gone = sorted(p for p in c.past if p not in c.sources and not any(q in c.sources for q in parents(p))
                  and not any(q.startswith(p + "/") for q in c.sources) and p.startswith(("src/", "data/")))
    if gone:
        path = c.rng.choice(gone)
        put(c, path, c.past[path][-1])
        return f"bring back {path}"


def rename(c):
    paths = [p for p in deletable(c, ("src/a", "src/b", "data", "tree")) if c.sources[p].kind == "f"]
    if paths:
        old = c.rng.choice(paths)
        folder, name = os.path.split(old)
        stem, dot, suffix = name.rpartition(".")
        new = f"{folder}/{c.plan.name(raw=not folder.startswith('src'))}{dot + suffix if suffix in ('c', 'txt', 'md') else ''}"
        if new in c.sources or any(p.startswith(new + "/") for p in c.sources):
            return None
        os.rename(c.space.path(old), c.space.path(new))
        c.sources[new] = c.sources.pop(old)
        return f"rename {old} to {new}"


def shadow(c):
    """A header in inc1 hides the one in inc2."""
    names = sorted(os.path.basename(p) for p in c.sources if p.startswith("inc2/") and p.endswith(".h"))
    if names:
        path = f"inc1/{c.rng.choice(names)}"
        if path in c.sources:
            keep(c, path)
            drop(c, path)
            return f"delete the header {path}, which hid another"
        old = c.past.get(path)
        put(c, path, old[-1] if old and c.rng.random() < 0.5 else Node("f", c.plan.content()))
        return f"hide a header by {path}"


def missing_header(c):
    """Deletes a header or brings it back: what includes it fails meanwhile."""
    gone = sorted(p for p in c.past if p.startswith("inc") and p not in c.sources)
    if gone:
        put(c, gone[0], c.past[gone[0]][-1])
        return f"bring back {gone[0]}"
    if c.rng.random() < 0.3:
        path = some(c, ("inc1/", "inc2/"))
        if path:
            keep(c, path)
            drop(c, path)
            return f"delete the header {path}"


def optional(c):
    path = "opt/maybe.txt"
    if path in c.sources:
        drop(c, path)
        return f"delete {path}"
    put(c, path, Node("f", c.plan.content()))
    return f"add {path}"


def junk(c):
    path = f"junk/{c.rng.randrange(10)}"
    put(c, path, Node("f", c.plan.content()))
    return f"write {path}, which no glob sees"


def void(c):
    if "tree/void" in c.sources:
        drop(c, "tree/void")
        return "remove an empty folder"
    put(c, "tree/void", Node("d"))
    return "add an empty folder"


def ignored_file(c):
    path = c.rng.choice(["ign/x.dat", "data/cache.tmp", "ign/new.dat"])
    put(c, path, Node("f", c.plan.content()))
    return f"write {path}, which git ignores"


def fail(c):
    path = some(c, ("src/", "lit/", "data/"))
    if path:
        keep(c, path)
        put(c, path, Node("f", c.sources[path].data + b"!fail\n", c.sources[path].mode))
        c.broken.append(path)
        return f"break {path}"


def mend(c):
    for path in c.broken:
        if path in c.sources and b"!fail\n" in c.sources[path].data:
            c.broken.remove(path)
            put(c, path, Node("f", c.sources[path].data.replace(b"!fail\n", b""), c.sources[path].mode))
            return f"mend {path}"


def items(c):
    if c.tampered:
        return None
    c.plan.items = c.rng.sample(["one", "two", "th ree", "fo'ur", "five", "six"], c.rng.randint(1, 4))
    put(c, "lists/items.txt", Node("f", "\n".join(c.plan.items).encode() + b"\n"))
    return "other lines in lists/items.txt"


# ---- the spec
def note(c):
    c.rng.choice(c.plan.commands).note += 1
    return "change a summary and a timeout"


def reorder(c):
    c.plan.turn += 1
    return "reorder the spec"


def salt(c):
    cmd = c.rng.choice([x for x in c.plan.commands if x.program() != "tl"] or [None])
    if cmd:
        cmd.salt = str(c.rng.randrange(100000))
        return f"another script for {cmd.name}"


def unsalt(c):
    """A script that was there before."""
    cmd = c.rng.choice(c.plan.commands)
    if cmd.name in c.salts and cmd.program() != "tl":
        cmd.salt, c.salts[cmd.name] = c.salts[cmd.name], cmd.salt
        return f"the former script for {cmd.name}"
    c.salts[cmd.name] = cmd.salt


def drop_command(c):
    leaves = [x for x in c.plan.commands if not c.plan.users(x.name) and not isinstance(x, Source)]
    if len(leaves) > 2:
        cmd = c.rng.choice(leaves)
        c.plan.commands.remove(cmd)
        c.plan.readable.discard(cmd.name)
        c.plan.dropped.append(cmd)
        return f"drop the command {cmd.name}"


def readd_command(c):
    for cmd in c.plan.dropped:
        names = [x.name for x in c.plan.commands]
        if all(n in names for n in cmd.needs + cmd.after):
            c.plan.dropped.remove(cmd)
            if isinstance(cmd, Compile):        # a source that was made up meanwhile would have to be needed
                makers = [x.name for x in c.plan.commands if type(x) is Source and x.folder == cmd.folder]
                cmd.after += [n for n in makers if n not in cmd.needs + cmd.after]
            c.plan.append(cmd)
            return f"bring back the command {cmd.name}"


def new_command(c):
    if len(c.plan.commands) < 14:
        kind = c.rng.choice([k for k in KINDS if k not in ("source", "header", "compile")])
        c.count += 1
        before = len(c.plan.commands)
        c.plan.add(kind)
        cmd = c.plan.commands[before]
        new = f"{cmd.name}n{c.count}"
        if cmd.name in c.plan.readable:
            c.plan.readable.discard(cmd.name)
            c.plan.readable.add(new)
        rename_command(cmd, new)
        return f"a new command {new}"


def rename_command(cmd, new):
    cmd.name, cmd.dir = new, f"out/{new}"
    if hasattr(cmd, "made"):
        cmd.made = f"{cmd.dir}/d"


# ---- what is around it
def environment(c):
    c.world["env"] = {} if c.rng.random() < 0.3 else {"ORACLE_VAR": c.rng.choice(["1", "2", "a b", ""])}
    return f"environment {c.world['env']}"


def split(c):
    """The same letters, cut elsewhere between a variable's name and its value."""
    cmds = [x for x in c.plan.commands if getattr(x, "fixed", None)]
    if cmds:
        cmd = c.rng.choice(cmds)
        cmd.fixed = ("OAB", "x") if cmd.fixed[0] == "OA" else ("OA", "Bx")
        return f"{cmd.name}: {'='.join(cmd.fixed)}"


def unkeyed_environment(c):
    c.noise["ORACLE_OTHER"] = str(c.rng.randrange(100))
    c.noise["LANG"] = c.rng.choice(["C", "C.UTF-8"])
    return "variables that no step names"


def variable(c):
    if c.gone():
        return None
    c.world["vars"]["v"] = str(c.rng.randrange(3))
    return f"-V v={c.world['vars']['v']}"


def condition(c):
    if c.gone():
        return None
    c.world["vars"]["w"] = c.rng.choice("01")
    return f"-V w={c.world['vars']['w']}"


def tool_edit(c):
    c.write_tool("p2", str(c.rng.randrange(100000)))
    return "another program behind the same name"


def tool_shadow(c):
    if "p1" in c.tools:
        c.remove_tool("p1")
        return "the program that hid another goes"
    c.write_tool("p1", str(c.rng.randrange(100000)))
    return "a program earlier on PATH"


# ---- outputs
def outputs(c, kinds="f"):
    return sorted((step, p) for step, made in c.owned.items() for p, n in made.items()
                  if n.kind in kinds and os.path.lexists(c.space.path(p)))


def tamper(c, how=None):
    found = outputs(c)
    if not found:
        return None
    step, path = c.rng.choice(found)
    p = c.space.path(path)
    how = how or c.rng.choice(["edit", "quiet", "delete", "folder", "link", "mode", "touch", "append", "replace"])
    if os.path.islink(p) or os.path.isdir(p):
        return None
    if how in ("folder", "link") and any(x.keep and path.startswith(x.dir + "/") for x in c.plan.commands):
        how = "edit"                # keep: true leaves it to the program to cope with what is there
    c.tampered.add(step)
    st = os.stat(p)
    if not st.st_mode & 0o200:
        os.chmod(p, st.st_mode | 0o200)
        if how in ("edit", "touch"):
            how = "append"
    fresh = b"mine %d\n" % c.rng.randrange(10 ** 9)
    if how == "edit":
        c.space.put(path, Node("f", fresh, st.st_mode & 0o777))
    elif how == "append":
        with open(p, "ab") as f:
            f.write(fresh)
    elif how == "quiet":
        with open(p, "r+b") as f:
            f.write(b"%-*d" % (min(9, st.st_size), c.rng.randrange(10 ** min(9, max(1, st.st_size)))) if st.st_size else b"")
        os.utime(p, ns=(st.st_atime_ns, st.st_mtime_ns))
    elif how == "delete":
        os.unlink(p)
    elif how == "folder":
        os.unlink(p)
        os.mkdir(p)
        if c.rng.random() < 0.7:
            c.space.put(path + "/in", Node("f", fresh))
    elif how == "link":
        os.unlink(p)
        os.symlink(os.path.relpath(c.space.path("lit/0.dat"), os.path.dirname(p)), p)
    elif how == "mode":
        os.chmod(p, st.st_mode ^ 0o111)
    elif how == "touch":
        os.utime(p)
    elif how == "replace":
        c.space.put(path, Node("f", fresh), False)
    return f"output {path}: {how}"


def tamper_delete(c):
    return tamper(c, "delete")


def tamper_mode(c):
    return tamper(c, "mode")


def tamper_quiet(c):
    return tamper(c, "quiet")


def tamper_link(c):
    found = outputs(c, "l")
    if found:
        step, path = c.rng.choice(found)
        if os.path.islink(c.space.path(path)):
            c.tampered.add(step)
            c.space.put(path, Node("l", b"elsewhere"))
            return f"output link {path}: leads elsewhere"


def wipe(c):
    step = c.rng.choice(sorted(c.owned) or [None])
    folder = c.rng.choice(["out"] + [f"out/{x.name}" for x in c.plan.commands])
    if step and os.path.isdir(c.space.path(folder)):
        c.tampered |= {s for s, made in c.owned.items() if any(p.startswith(folder + "/") for p in made)}
        shutil.rmtree(c.space.path(folder))
        for path in [p for p in c.sources if p.startswith(folder + "/")]:
            del c.sources[path]
        return f"remove the folder {folder}"


def foreign(c):
    """A file of the user in a folder of outputs."""
    made = [x for x in c.plan.commands if (hasattr(x, "made") or x.__class__.__name__ == "Files") and not c.plan.users(x.name)]
    if made:
        cmd = c.rng.choice(made)
        name = c.rng.choice([f"{cmd.dir}/note", f"{cmd.dir}/d/mine", f"{cmd.dir}/g/7.o", f"{cmd.dir}/g/note", f"{cmd.dir}/g/sub/9.o"])
        if os.path.isdir(os.path.dirname(c.space.path(name))):
            node = Node("f", b"mine %d\n" % c.rng.randrange(10 ** 9))
            if name.endswith("note"):
                put(c, name, node)              # matched by no output: a source like others
            else:
                c.space.put(name, node)
                c.tampered.add(cmd.name)
            return f"a foreign file {name}"


WEIGHTS = {
    edit: 8, edit_header: 5, comment: 5, same_size: 3, quiet: 4, quiet_new: 2, touch: 2, backdate: 2, touch_all: 1, rewrite: 2, revert: 6,
    executable: 3, permission: 2, to_link: 2, from_link: 2, swap_link: 2, swap_folder_link: 1, swap: 2, add: 4, delete: 4,
    bring_back: 2, rename: 3, shadow: 3, missing_header: 2, optional: 2, junk: 2, void: 2, ignored_file: 2, fail: 1, mend: 4, items: 2,
    note: 1, reorder: 1, salt: 3, unsalt: 2, drop_command: 1, readd_command: 2, new_command: 1, environment: 2, split: 1,
    unkeyed_environment: 1, variable: 2, condition: 1, tool_edit: 1, tool_shadow: 2, tamper: 8, tamper_delete: 2, tamper_link: 1,
    tamper_mode: 1, tamper_quiet: 1, wipe: 2, foreign: 2,
}
NAMES = {op.__name__: op for op in WEIGHTS}
