"""One plan and the rounds over it: what is done, what must come of it, and whether it did."""
import os
import random
import shutil
import signal
import subprocess
import time

import ops
from model import Node, build, order
from plans import Plan, Phony
from space import Space

SETS = 8                                        # path sets that are remembered under one declared key


class Fault(Exception):
    pass


class Campaign:
    MODES = {"normal": 40, "noop": 6, "goals": 10, "force": 3, "kill": 10, "race": 10, "damage": 8, "full": 6, "clone": 4, "dry": 3,
             "tick": 10}

    def __init__(self, base, seed, o, mix):
        self.o, self.rng, self.base = o, random.Random(seed), base
        os.makedirs(base)
        self.mounts = []
        if o.fs:
            self.mount(base, o.fs)
        self.mixdir = os.path.join(base, "bin")
        for d in ("p1", "p2"):
            os.makedirs(os.path.join(self.mixdir, d))
        shutil.copy2(mix, os.path.join(self.mixdir, "mix"))
        self.tools = {}
        self.write_tool("p2", "7")
        self.plan = Plan(self.rng, os.path.join(self.mixdir, "mix"), list(filter(None, o.kinds.split(","))), not o.plain, o.few)
        for cmd in self.plan.commands:          # a few leaves have a condition
            if not self.plan.users(cmd.name) and self.rng.random() < 0.1:
                cmd.when = True
                self.plan.readable.discard(cmd.name)
        self.world = {"vars": {"v": "0", "w": "1"}, "env": {}, "tool": self.tool, "tool_salt": lambda: self.tools[self.tool_at()]}
        self.noise = {}
        self.small = None                       # "cache" or "state": lies on a small tmpfs
        if os.geteuid() == 0 and (self.rng.random() < 0.2 or "full" in o.modes):
            self.small = self.rng.choice(["cache", "state"])
            os.makedirs(os.path.join(base, self.small))
            if not self.mount(os.path.join(base, self.small), "tmpfs", "size=16m"):
                self.small = None
        self.space = Space(base, os.path.join(base, "w"), self.mixdir, o.cairn)
        self.sources = self.plan.first_sources()
        self.past, self.broken, self.salts = {}, [], {}
        self.tampered, self.owned = set(), {}
        self.count = self.number = self.ran = 0
        self.seen, self.loose, self.sets = {}, set(), {}
        self.blobs, self.suspect = set(), set() # contents that went into the cache; those that may be damaged there
        self.counts, self.done, self.mode = {}, [], "normal"
        for path, node in self.sources.items():
            self.space.put(path, node)
        if self.rng.random() < 0.3:
            subprocess.run(["git", "init", "-q", self.space.root], check=True, env=self.space.environment())
        self.slow = 0.05

    # ---- what is around
    def mount(self, at, fs, how="mode=755"):
        done = subprocess.run(["mount", "-t", fs, "-o", how, "oracle", at], stderr=subprocess.DEVNULL).returncode == 0
        if done:
            self.mounts.append(at)
        elif self.o.fs == fs:
            raise SystemExit(f"unable to mount {fs}")
        return done

    def close(self, keep):
        for at in reversed(self.mounts):        # no mount outlives a campaign; what is kept takes its place
            if keep:
                subprocess.run(["cp", "-a", at, at + ".kept"], check=True)
            subprocess.run(["umount", "-l", at], check=True)
            if keep:
                os.rmdir(at)
                os.rename(at + ".kept", at)
        if not keep:
            shutil.rmtree(self.base, ignore_errors=True)

    def write_tool(self, where, salt):
        path = os.path.join(self.mixdir, where, "tl")
        with open(path, "w") as f:
            f.write(self.tool_text(salt))
        os.chmod(path, 0o755)
        self.tools[where] = salt

    def remove_tool(self, where):
        os.unlink(os.path.join(self.mixdir, where, "tl"))
        del self.tools[where]

    def tool_at(self):
        return "p1" if "p1" in self.tools else "p2"

    def tool_text(self, salt):
        return f'#!/bin/sh\nexec {self.mixdir}/mix "$@" -S {salt}\n'

    def tool(self):
        return self.tool_text(self.tools[self.tool_at()])

    def set_delay(self, ms):
        path = os.path.join(self.mixdir, "delay")
        if ms:
            with open(path, "w") as f:
                f.write(str(ms))
        elif os.path.exists(path):
            os.unlink(path)

    def write_spec(self):
        indent = 1 + self.plan.turn % 2
        data = self.plan.text(indent).encode()
        path = self.space.path("cairn.yaml")
        if not os.path.exists(path) or open(path, "rb").read() != data:
            self.space.put("cairn.yaml", Node("f", data))

    def args(self, goals=()):
        v = [f"-V{k}={x}" for k, x in (("v", self.world["vars"]["v"]), ("w", self.world["vars"]["w"])) if x != {"v": "0", "w": "1"}[k]]
        return ["-k", f"-j{self.rng.randint(1, 4)}", *v, *goals]

    def env(self):
        return {**self.world["env"], **self.noise}

    # ---- a round
    def round(self):
        self.number += 1
        self.done = []
        modes = dict(self.MODES)
        for m in filter(None, self.o.modes.split(",")):
            modes[m] = 300
        if not self.small:
            modes["full"] = 0
        if not self.o.fs:
            modes["tick"] = 0
        if self.number == 1:
            modes = {"normal": 1, "kill": 0.2, "race": 2 if "race" in self.o.modes else 0.2}
        self.mode = self.rng.choices(list(modes), list(modes.values()))[0]
        self.clear_orphans()
        if self.number > 1:
            self.change()
        if self.gone():                         # a run with -V leaves what is gone where it is
            self.world["vars"].update(v="0", w="1")
        self.write_spec()
        self.counts[self.mode] = self.counts.get(self.mode, 0) + 1
        if self.o.verbose:
            print(f"  {self.number} {self.mode}: {'; '.join(self.done)}", flush=True)
        self.steps = self.plan.steps(self.sources, self.world)
        getattr(self, "mode_" + self.mode)()
        if self.rng.random() < 0.25 and self.mode != "noop":
            self.done.append("(again)")
            self.mode_noop()

    def gone(self):
        """Are there outputs of steps that are no more?"""
        live = {s.name for s in self.plan.steps(self.sources, self.world)}
        return any(name not in live for name in self.owned)

    def change(self):
        weights = dict(ops.WEIGHTS)
        for name in filter(None, self.o.focus.split(",")):
            weights[ops.NAMES[name]] = 100
        for _ in range(self.rng.choice([0, 1, 1, 1, 2, 2, 3, 5])):
            for _ in range(5):
                said = self.rng.choices(list(weights), list(weights.values()))[0](self)
                if said:
                    self.done.append(said)
                    break

    def clear_orphans(self):
        """Removes what an earlier round left that no step owns: outputs that the user changed and whose step is gone,
        foreign files among outputs that a hit left alone."""
        owned = {p for made in self.owned.values() for p in made}
        for path, node in self.space.scan().items():
            if path.startswith("out/") and node.kind != "d" and path not in owned and path not in self.sources:
                self.space.remove(path)

    def select(self, goals=None):
        chosen, by = set(), {s.name: s for s in self.steps}

        def take(name):
            if name not in chosen:
                chosen.add(name)
                for n in by[name].needs + by[name].after:
                    take(n)
        for s in self.steps:
            if goals is None or s.cmd.name in goals:
                take(s.name)
        return [s for s in self.steps if s.name in chosen]

    def mode_normal(self):
        self.check_run(self.select())

    def mode_noop(self):
        self.check_run(self.select(), scratch=False)

    def mode_dry(self):
        before = self.space.scan()
        run = self.space.run(["-n"] + self.args(), self.env())
        self.expect(run.status == 0, f"a dry run exits with {run.status}", run)
        self.expect(not run.log, f"a dry run ran {run.log}", run)
        self.same_tree(before, self.space.scan(), "a dry run", run)
        self.mode_normal()

    def mode_goals(self):
        names = [x.name for x in self.plan.commands]
        goals = self.rng.sample(names, min(len(names), self.rng.randint(1, 3)))
        goals = [g for g in goals if any(s.cmd.name == g for s in self.steps)]
        if goals:
            self.done.append("goals " + " ".join(goals))
            self.check_run(self.select(goals), goals=goals)

    def mode_force(self):
        every = self.rng.random() < 0.5
        goals = None
        if not every:
            goals = [self.rng.choice([s.cmd.name for s in self.steps])]
        self.done.append("force " + ("all" if every else goals[0]))
        self.check_run(self.select(goals), goals=goals or (), force=lambda s: every or s.cmd.name in goals,
                       more=["--force=all" if every else "--force"])

    def mode_kill(self):
        before = self.space.scan()
        self.set_delay(self.rng.choice([0, 2, 5, 10]))
        process = self.space.start(self.args(), self.env())
        try:
            process.wait(self.rng.random() * self.slow * 2)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.wait()
        self.settle(process.pid)
        self.set_delay(0)
        log = self.space.read_log()
        self.done.append(f"killed after {len(log)} steps")
        self.doubt({s.name for s in self.steps if s.log in log})
        self.check_run(self.select(), before=before, lax_restore=True)

    def settle(self, session):
        """Waits until no step of a killed run is left: it led a session of its own. (Its steps' command lines would not do:
        for a moment of its execve a process has none.)"""
        for _ in range(2000):
            alive = False
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{pid}/stat", "rb") as f:
                        state, _, _, sid = f.read().rpartition(b")")[2].split()[:4]
                        alive |= int(sid) == session and state not in b"ZX"
                except OSError:
                    pass
            if not alive:
                return
            time.sleep(0.005)

    def doubt(self, names):
        """Results of these steps, if they are new, may or may not have been kept."""
        for o in build(self.steps, self.sources, self.world).values():
            if o.key and o.step.name in names and o.key not in self.seen:
                self.seen[o.key] = "maybe"

    def mode_damage(self):
        files = [f for f in self.space.cached() if os.path.basename(f) != "filler"]
        if not files:
            return self.mode_normal()
        every = self.rng.random() < 0.3
        for path in files if every else self.rng.sample(files, min(len(files), self.rng.randint(1, 8))):
            self.damage(path)
        self.done.append("damaged " + ("every file" if every else "some files") + " of the cache")
        for key in self.seen:
            self.seen[key] = "maybe"
        self.suspect |= self.blobs              # a blob that seems to be there is not written again
        if self.rng.random() < 0.7:
            self.done.append(str(ops.tamper_delete(self)))
        if self.rng.random() < 0.5:
            self.done.append(str(ops.wipe(self)))
        self.check_run(self.select(), saved=False)

    def damage(self, path):
        how = self.rng.choice(["flip", "flip", "cut", "empty", "grow", "remove"])
        mode = os.stat(path).st_mode & 0o7777
        if how == "remove":
            os.unlink(path)
            return
        os.chmod(path, mode | 0o200)
        with open(path, "r+b") as f:
            data = bytearray(f.read())
            if how == "flip" and data:
                data[self.rng.randrange(len(data))] ^= 1 << self.rng.randrange(8)
            elif how == "cut":
                del data[self.rng.randrange(len(data) + 1):]
            elif how == "empty":
                data.clear()
            else:
                data += b"more"
            f.seek(0)
            f.write(data)
            f.truncate()
        os.chmod(path, mode)

    def mode_full(self):
        filler = os.path.join(self.base, self.small, "filler")
        room = self.rng.choice([0, 0, 4096, 20000, 60000])
        with open(filler, "wb", buffering=0) as f:
            for chunk in (b"x" * 65536, b"x" * 4096, b"x"):
                try:
                    while f.write(chunk) == len(chunk):
                        pass
                except OSError:
                    pass
            if room:
                f.truncate(max(0, f.tell() - room))
        self.done.append(f"the file system of the {self.small} is full but for {room} bytes")
        before = self.space.scan()
        selected = self.select()
        run = self.space.run(self.args(), self.env())
        os.unlink(filler)
        outcomes = self.outcomes(selected)
        wanted = any(outcomes[s.name].state == "failed" for s in selected)
        if self.small == "cache":
            # What the user put in an output's place can't be saved: rather than lose it, the step fails.
            status = {1 if wanted else 0} | ({1} if self.tampered else set())
            self.expect(run.status in status, f"with a full cache it exits with {run.status}", run)
            if run.status == wanted:
                self.check_outputs(selected, outcomes, before, self.space.scan(), run, True)
            self.check_saved(before, self.space.scan(), run)
        else:
            self.expect(run.status in (0, 1, 3), f"with a full state folder it exits with {run.status}", run)
        self.check_sources(self.space.scan(), run)
        self.doubt({s.name for s in selected})
        self.check_run(selected, before=before, lax_restore=True, saved=False)

    def mode_clone(self):
        self.mode_normal()
        root = os.path.join(self.base, "clone")
        there = Space(self.base, root, self.mixdir, self.o.cairn, os.path.join(self.base, "clone-state"), self.space.cache)
        there.fill(self.sources, self.plan.text())
        selected = self.select()
        run = there.run(self.args(), self.env())
        outcomes = self.outcomes(selected)
        self.expect(run.status in (0, 1), f"in a clone it exits with {run.status}", run)
        for s in selected:
            o = outcomes[s.name]
            # a blob that an earlier round damaged may be of a content no step is known to have made: a run that was raced or killed
            found_damage = self.suspect and "held a damaged file" in run.text
            if o.state == "ok" and s.keyed and not s.skip and self.seen.get(o.key) == "sure" and not found_damage:
                self.expect(s.log not in run.log, f"{s.name} ran in a clone with the same cache", run)
        self.check_outputs(selected, outcomes, {}, there.scan(), run)
        shutil.rmtree(root)
        shutil.rmtree(there.state)

    def mode_race(self):
        steps = self.select()
        outcomes = self.outcomes(steps)
        cands = []
        for s in steps:
            o = outcomes[s.name]
            if o.state != "ok" or s.skip or not s.keyed or s.tool:
                continue
            files = {p for p in list(s.inputs_now) + list(o.reads) if p in self.sources and self.sources[p].kind == "f"}
            made = [p for n in s.needs for p, node in outcomes[n].outputs.items() if node.kind == "f"]
            cands += [(s, p, True) for p in sorted(files)] + [(s, p, False) for p in sorted(made)]
        if not cands:
            return self.mode_normal()
        step, path, source = self.rng.choice(cands)
        step.cmd.salt = str(self.rng.randrange(10 ** 6))        # it must run
        self.write_spec()
        self.steps = self.plan.steps(self.sources, self.world)
        before = self.space.scan()
        when = self.rng.choice(["before", "after"])
        back = not source or self.rng.random() < 0.7
        self.done.append(f"{step.name}: {path} edited {when} it was read" + (" and put back" if back else ""))
        with open(os.path.join(self.mixdir, "gate"), "w") as f:
            f.write(step.log)
        process = self.space.start(self.args(), self.env())
        moved = self.through_gate(process, path, source, when, back)
        os.unlink(os.path.join(self.mixdir, "gate"))
        run = self.space.finish(process)
        if self.o.verbose:
            print(f"    {self.done[-1]}\n      " + run.text.replace("\n", "\n      ").rstrip(), flush=True)
        self.expect(run.status in (0, 1, 3), f"with files edited on the way it exits with {run.status}", run)
        sure = dict(self.seen)
        self.doubt({s.name for s in self.steps})
        must = set()
        if moved:
            key = self.outcomes(self.select())[step.name].key
            if key not in sure:
                must = {step.name}
                self.seen.pop(key, None)
        if not source and os.path.exists(self.space.path(path)) is False:
            self.tampered.add(step.name)
        self.check_run(self.select(), before=before, lax_restore=True, must=must)

    def through_gate(self, process, path, source, when, back):
        """Edits path while the step waits before or after its reading; puts it back at the end. Was it reached?"""
        def wait(name):
            while process.poll() is None:
                if os.path.exists(os.path.join(self.mixdir, name)):
                    return True
                time.sleep(0.001)
            return False

        def go(name):
            open(os.path.join(self.mixdir, name), "w").close()
        reached = wait("ready-before")
        there = os.path.exists(self.space.path(path))
        moved = False
        if reached and there:
            with open(self.space.path(path), "rb") as f:
                old = Node("f", f.read(), os.stat(self.space.path(path)).st_mode & 0o7777)
            new = Node("f", ops.changed(self, old.data), old.mode)
            inplace = self.rng.random() < 0.5
            if when == "before":
                self.space.put(path, new, inplace)
                moved = True
        go("go-before")
        if wait("ready-after") and reached and there:
            if when == "after":
                self.space.put(path, new, inplace)
                moved = True
            if back:
                self.space.put(path, old, self.rng.random() < 0.5)
        elif moved and back:
            self.space.put(path, old)
        if moved and source and not back:
            self.sources[path] = new
            self.steps = self.plan.steps(self.sources, self.world)
        go("go-after")
        return moved

    def mode_tick(self):
        """Edits within one tick of the file system's clock: the file looks the same, size and all times."""
        steps = self.select()
        outcomes = self.outcomes(steps)
        cands = sorted({p for s in steps if outcomes[s.name].state == "ok" and s.keyed and not s.skip for p in s.inputs_now
                        if p in self.sources and self.sources[p].kind == "f" and self.sources[p].data and p != ".gitignore"
                        and not p.startswith("lists/")})
        if not cands:
            return self.mode_normal()
        path = self.rng.choice(cands)
        a, b = (Node("f", ops.changed(self, self.sources[path].data), self.sources[path].mode | 0o200) for _ in range(2))
        for node in (a, b):                     # both are known to the cache
            ops.put(self, path, node)
            self.check_run(self.select(), scratch=False)
        same = 0
        fd = os.open(self.space.path(path), os.O_WRONLY)
        for _ in range(30):
            process = self.space.start(self.args(), self.env(), lambda: self.write_at_tick(fd, a.data))
            was = os.fstat(fd)
            until = time.monotonic() + self.rng.random() * 0.004
            while time.monotonic() < until:
                pass
            os.pwrite(fd, b.data, 0)
            now = os.fstat(fd)
            self.space.finish(process)
            self.doubt({s.name for s in self.steps})
            if was.st_ctime_ns == now.st_ctime_ns:
                same += 1
                self.check_run(self.select(), scratch=False, lax_restore=True)
        os.close(fd)
        self.done.append(f"{path} edited {same} times within a tick")

    def write_at_tick(self, fd, data):
        def now():
            os.pwrite(fd, data, 0)
            return os.fstat(fd).st_ctime_ns
        began = now()
        while now() == began:
            pass

    # ---- what must come of it
    def outcomes(self, selected):
        done = build(self.steps, self.sources, self.world)
        from model import Tree
        tree = Tree(self.sources)
        for o in done.values():
            if o.step.skip and o.state != "blocked":            # a condition leaves a step and its outputs alone
                o.state = "skipped"
            o.step.inputs_now = sorted(set(o.step.inputs(tree, self.sources)), key=order)
        return done

    def expect(self, good, text, run=None):
        if not good:
            raise Fault(text + (f"\n--- what it said\n{run.text[-3000:]}---" if run else ""))

    def check_run(self, selected, goals=(), more=(), force=lambda s: False, before=None, lax_restore=False, saved=True,
                  scratch=True, must=()):
        outcomes = self.outcomes(selected)
        pre = self.space.scan()
        began = time.monotonic()
        run = self.space.run([*more, *self.args(goals)], self.env())
        self.slow = 0.7 * self.slow + 0.3 * (time.monotonic() - began)
        post = self.space.scan()
        if self.o.verbose:
            print("    " + run.text.replace("\n", "\n    ").rstrip(), flush=True)
        self.ran += len(run.log)
        failing = [s.name for s in selected if outcomes[s.name].state == "failed"]
        self.expect(run.status == (1 if failing else 0), f"exit status {run.status}, with {failing or 'none'} to fail", run)
        self.expect(not run.doubled, f"more than one step-end of {run.doubled}", run)
        self.check_states(selected, outcomes, run, pre, force, lax_restore, must)
        self.check_sources(post, run)
        self.check_outputs(selected, outcomes, before or pre, post, run, lax_restore)
        if saved:
            self.check_saved(pre, post, run)
        for s in selected:
            if outcomes[s.name].state == "ok":
                self.owned[s.name] = outcomes[s.name].outputs
                self.tampered.discard(s.name)
        self.tampered = {n for n in self.tampered if any(n in (s.name, s.cmd.name) for s in self.steps if s.name not in
                                                         {x.name for x in selected})}
        self.forget_gone()
        if scratch:
            self.check_scratch(selected, outcomes, post, goals)

    def forget_gone(self):
        live = {s.name for s in self.steps}
        for name in [n for n in self.owned if n not in live]:
            del self.owned[name]

    def check_states(self, selected, outcomes, run, pre, force, lax_restore, must):
        names = {s.name for s in selected}
        self.expect(set(run.states) == names, f"events of {sorted(set(run.states) ^ names)} are missing or too many", run)
        logs = {}
        for line in run.log:
            logs[line] = logs.get(line, 0) + 1
        known = {s.log: s.name for s in selected}
        self.expect(set(logs) <= set(known), f"ran, unasked: {sorted(set(logs) - set(known))}", run)
        for s in selected:
            o, state, n = outcomes[s.name], run.states[s.name], logs.get(s.log, 0)
            wanted = self.wanted(s, o, pre, force, lax_restore, must)
            self.expect(state in wanted, f"{s.name}: {state}, not {' or '.join(sorted(wanted))}", run)
            self.expect(n == (state in ("ran", "failed")), f"{s.name} is said to be {state} and ran {n} times", run)
            made = {n.data for n in o.outputs.values() if n.kind == "f"}
            self.blobs |= made
            if state == "ran" and o.key:
                self.seen[o.key] = "maybe" if made & self.suspect else "sure"
                self.loose.add(o.loose)
                self.sets.setdefault(o.declared, set()).add(frozenset(o.reads))

    def wanted(self, s, o, pre, force, lax_restore, must):
        """The states that s may end in."""
        if o.state != "ok":
            return {o.state}
        if not s.keyed or force(s) or s.name in must or o.key not in self.seen:
            return {"ran"}
        still = self.still(s, o, pre)
        kept = {"hit"} if still == "exact" else {"hit", "restored"} if still == "modes" else {"restored"}
        if lax_restore:
            kept = {"hit", "restored"}
        if self.seen[o.key] == "maybe" or o.loose not in self.loose or len(self.sets.get(o.declared, ())) > SETS:
            return kept | {"ran"}
        return kept

    def still(self, s, o, pre):
        """Are the outputs on disk as they should be?"""
        level = "exact"
        for path, node in o.outputs.items():
            there = pre.get(path)
            if not node.same(there):
                return "differs"
            if not node.exact(there):
                level = "modes"
        for path, node in pre.items():
            if s.covers(path) and path not in o.outputs and path not in (s.folder, s.files):
                if node.kind != "d" or (s.folder and not any(p.startswith(path + "/") for p in o.outputs)):
                    level = "modes"         # a hit may leave foreign files where they are
        return level

    def check_sources(self, post, run):
        for path, node in self.sources.items():
            self.expect(path in post, f"the source {path} is gone", run)
            self.expect(node.exact(post[path]), f"the source {path} is {post[path]}, was {node}", run)

    def check_outputs(self, selected, outcomes, pre, post, run, halved=False):
        want = {p: n for p, n in pre.items() if p not in self.sources and n.kind != "d"}
        live = {s.name for s in self.steps}
        for name, made in self.owned.items():   # what a step that is no more had made goes, unless it was changed
            if name not in live:
                for path, node in made.items():
                    if path in want and (node.kind, node.data) == (want[path].kind, want[path].data):
                        del want[path]
        for s in selected:
            o = outcomes[s.name]
            if o.state != "ok":
                continue
            files = {p for p, n in o.outputs.items() if n.kind != "d"}
            for path in [p for p in want if s.covers(p) or not files.isdisjoint(ops.parents(p))] + list(self.owned.get(s.name, ())):
                want.pop(path, None)
        for s in selected:
            if outcomes[s.name].state == "ok":
                want.update(outcomes[s.name].outputs)
        relaxed = {p for s in selected if outcomes[s.name].state == "ok" and run.states.get(s.name) == "hit"
                   for p in outcomes[s.name].outputs}
        # What a failing step with keep: true, or one that a kill cut short, had half written is nobody's.
        open_end = [s for s in selected if outcomes[s.name].state == "failed" and (s.cmd.keep or halved)]
        hits = [s for s in selected if run.states.get(s.name) == "hit"]
        for path in sorted(set(want) | set(post), key=order):
            if path in self.sources or path in ("cairn.yaml",) or path.endswith(".d") or any(s.covers(path) for s in open_end):
                continue
            a, b = want.get(path), post.get(path)
            if a is None and path in pre and pre[path].same(b) and any(s.covers(path) for s in hits):
                continue
            self.expect(".cairn~" not in path, f"{path} was left behind", run)
            if a is None:
                self.expect(b.kind == "d", f"{path} is there and should not: {b}", run)
            elif a.kind == "d":
                self.expect(b is not None and b.kind == "d", f"the folder {path} is missing", run)
            else:
                good = b is not None and (a.same(b) if path in relaxed else a.exact(b))
                self.expect(good, f"{path} is {b}, should be {a}", run)

    def same_tree(self, a, b, who, run):
        for path in sorted(set(a) | set(b), key=order):
            same = path in a and path in b and a[path].exact(b[path])
            self.expect(same, f"{who} changed {path}: {a.get(path)} -> {b.get(path)}", run)

    def check_saved(self, pre, post, run):
        """What the user wrote in an output's place and is no longer there is in the cache (keep: true hands it to the step)."""
        kept = [s for s in self.steps if s.cmd.keep]
        made = {n.data for outs in self.owned.values() for n in outs.values() if n.kind == "f"}
        lost = {p: n for p, n in pre.items() if n.kind == "f" and p not in self.sources and b"mine " in n.data and n.data not in made
                and not (p in post and post[p].data == n.data) and not any(s.covers(p) for s in kept)}
        if lost:
            held = set()
            for path in self.space.cached():
                with open(path, "rb") as f:
                    held.add(f.read())
            for path, node in lost.items():
                self.expect(node.data in held, f"{path} was the user's, was replaced and is not in the cache: {node}", run)

    def check_scratch(self, selected, outcomes, post, goals):
        """cairn in a fresh clone with a fresh cache."""
        base = os.path.join(self.base, "scratch")
        fresh = Space(base, os.path.join(base, "elsewhere"), self.mixdir, self.o.cairn)
        fresh.fill(self.sources, self.plan.text())
        run = fresh.run(self.args(goals), self.env())
        there = fresh.scan()
        for s in selected:
            if outcomes[s.name].state == "ok":
                self.expect(run.states.get(s.name) == "ran" and run.log.count(s.log) == 1, f"{s.name} did not run from scratch", run)
                for path in outcomes[s.name].outputs:
                    a, b = post.get(path), there.get(path)
                    good = a is not None and b is not None and (a.same(b) if a.kind == "f" else a.kind == b.kind and a.data == b.data)
                    self.expect(good, f"{path} is {a}, from scratch {b}", run)
        shutil.rmtree(base)
