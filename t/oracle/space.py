"""A workspace on disk with its own home, state and cache: writes sources, runs cairn, says what came of it."""
import json
import os
import shutil
import signal
import stat
import subprocess

from model import Node, scan


class Run:
    def __init__(self, status, events, log, text):
        self.status, self.events, self.log, self.text = status, events, log, text
        self.states = {}                        # step -> state
        self.doubled = []
        for e in events:
            if e.get("event") == "step-end":
                if e["step"] in self.states:
                    self.doubled.append(e["step"])
                self.states[e["step"]] = e["state"]


class Space:
    def __init__(self, base, root, mixdir, cairn, state=None, cache=None):
        self.base, self.root, self.mixdir, self.cairn = base, root, mixdir, cairn
        self.state = state or os.path.join(base, "state")
        self.cache = cache or os.path.join(base, "cache")
        for d in (root, self.state, self.cache, os.path.join(base, "home"), os.path.join(base, "tmp")):
            os.makedirs(d, exist_ok=True)

    def path(self, rel):
        return os.path.join(self.root, rel)

    # ---- disk
    def remove(self, rel):
        p = self.path(rel)
        if os.path.islink(p) or os.path.isfile(p):
            os.unlink(p)
        elif os.path.isdir(p):
            shutil.rmtree(p)

    def put(self, rel, node, inplace=True):
        """Makes the disk hold node at rel, in place when a file is there."""
        p = self.path(rel)
        os.makedirs(os.path.dirname(p), exist_ok=True)
        if node.kind == "d":
            os.makedirs(p, exist_ok=True)
            return
        if node.kind == "l":
            self.remove(rel)
            os.symlink(os.fsdecode(node.data), p)
            return
        if os.path.islink(p) or os.path.isdir(p) or not inplace:
            self.remove(rel)
        if os.path.exists(p) and not os.access(p, os.W_OK):
            os.chmod(p, 0o644)
        with open(p, "r+b" if os.path.exists(p) else "wb") as f:
            f.write(node.data)
            f.truncate()
        if stat.S_IMODE(os.stat(p).st_mode) != node.mode:
            os.chmod(p, node.mode)

    def prune(self, rel):
        """Removes the folders above rel that are empty."""
        folder = os.path.dirname(rel)
        while folder and os.path.isdir(self.path(folder)) and not os.listdir(self.path(folder)):
            os.rmdir(self.path(folder))
            folder = os.path.dirname(folder)

    def fill(self, sources, spec):
        for rel, node in sources.items():
            self.put(rel, node)
        self.put("cairn.yaml", Node("f", spec.encode()))

    def scan(self):
        return scan(self.root)

    # ---- the program
    def environment(self, more=()):
        env = {
            "PATH": f"{self.mixdir}/p1:{self.mixdir}/p2:/usr/bin:/bin", "HOME": os.path.join(self.base, "home"),
            "TMPDIR": os.path.join(self.base, "tmp"), "LC_ALL": "C.UTF-8", "TERM": "dumb", "XDG_STATE_HOME": self.state,
            "XDG_CACHE_HOME": self.cache, "XDG_CONFIG_HOME": os.path.join(self.base, "config"),
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_PRELOAD"):
            if name in os.environ:
                env[name] = os.environ[name]
        env.update(more)
        return env

    def start(self, args, env=(), just_before=None):
        for name in ("log", "ready-before", "ready-after", "go-before", "go-after"):
            if os.path.exists(os.path.join(self.mixdir, name)):
                os.unlink(os.path.join(self.mixdir, name))
        self.events = os.path.join(self.base, "events.jsonl")
        if os.path.exists(self.events):
            os.unlink(self.events)
        with open(os.path.join(self.base, "said"), "wb") as said:
            environment = self.environment(env)
            if just_before:
                just_before()
            return subprocess.Popen([self.cairn, "run", f"--events={self.events}", *args], cwd=self.root, stdin=subprocess.DEVNULL,
                                    stdout=said, stderr=subprocess.STDOUT, env=environment, start_new_session=True)

    def finish(self, process, timeout=120):
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            status = "hung"
        return Run(status, self.read_events(), self.read_log(), self.said())

    def said(self):
        with open(os.path.join(self.base, "said"), "rb") as f:
            return f.read().decode("utf-8", "replace")

    def read_log(self):
        try:
            with open(os.path.join(self.mixdir, "log"), "rb") as f:
                return [os.fsdecode(line) for line in f.read().split(b"\n")[:-1]]
        except FileNotFoundError:
            return []

    def read_events(self):
        try:
            with open(self.events, "rb") as f:
                lines = f.read().split(b"\n")
        except FileNotFoundError:
            return []
        out = []
        for line in lines:
            if line:
                try:
                    out.append(json.loads(line))
                except ValueError:
                    out.append({"event": "malformed", "line": line.decode("utf-8", "replace")})
        return out

    def run(self, args, env=(), timeout=120):
        return self.finish(self.start(args, env), timeout)

    def cached(self):
        """Files of the cache."""
        out = []
        for folder, _, names in os.walk(self.cache):
            out += [os.path.join(folder, n) for n in names if os.path.isfile(os.path.join(folder, n))]
        return sorted(out)
