#!/usr/bin/env python3
"""Runs the jobs of a generated GitHub workflow the way a runner does: each in a fresh clone, in the order of needs, one for
each entry of a matrix; checkout, artifacts and the cache are folders.

	actions.py WORKFLOW REPOSITORY WORK	prints a line for each job: what became of it

WORK keeps the cache between calls; WORK/clones/JOB is the clone a job worked in. Knows only what the generator writes: an
action, a condition or an expression that it does not know is an error."""
import json
import os
import re
import shutil
import subprocess
import sys

import yaml

flow, repository, work = yaml.load(open(sys.argv[1]), yaml.BaseLoader), sys.argv[2], os.path.abspath(sys.argv[3])
shutil.rmtree(work + "/clones", ignore_errors=True)
shutil.rmtree(work + "/artifacts", ignore_errors=True)
for name in ("clones", "artifacts", "cache"):
    os.makedirs(f"{work}/{name}", exist_ok=True)
run_id = str(len(os.listdir(work + "/cache")) + 1)
fixed = {"runner.os": "Linux", "runner.arch": "X64", "github.run_id": run_id, "github.run_attempt": "1", "vars.GET_CAIRN || 'cairn version'": "cairn version"}
done, outputs = {}, {}


def fill(text, more):
    def one(m):
        known = {**fixed, **more}
        return known[m[1]] if m[1] in known else os.environ.get(m[1][8:], "") if m[1].startswith("secrets.") else sys.exit(f"unknown: {m[1]}")
    return re.sub(r"\$\{\{ (.*?) \}\}", one, text)


def wanted(job):
    results = [done[n] for n in job.get("needs", [])]
    if "if" not in job:
        return True
    m = re.fullmatch(r"\$\{\{ (.*?)( && needs\.plan\.outputs\.([\w-]+) != '\[\]')? \}\}", job["if"])
    if m[1] == "always() && needs.plan.result == 'success'":
        fine = done["plan"] == "success"
    elif m[1] == "!failure() && !cancelled()":
        fine = "failure" not in results and not any(bad(n) for n in job["needs"])
    else:
        sys.exit(f"unknown condition {job['if']}")
    return fine and (not m[3] or outputs["plan"][m[3]] != "[]")


def bad(name):          # did it or something it needs fail?
    return done[name] == "failure" or any(bad(n) for n in flow["jobs"][name].get("needs", []))


def step(s, folder, home, more, found):
    inputs = {k: fill(v, more) for k, v in s.get("with", {}).items()}
    local = {"CAIRN_CACHE_DIR": home + "/store", "STORE_IN": home + "/in", "STORE_OUT": home + "/out"}
    place = {"/tmp/cairn-store": "store", "/tmp/cairn-in": "in", "/tmp/cairn-out/store.tar": "out/store.tar"}
    path = f"{home}/{place[inputs['path']]}" if "path" in inputs else None
    action = s.get("uses", "").split("@")[0]
    if action == "actions/checkout":
        subprocess.run(["git", "clone", "-q", repository, folder], check=True)
    elif action == "actions/upload-artifact":
        os.makedirs(f"{work}/artifacts/{inputs['name']}")       # a name is taken once
        shutil.copy(path, f"{work}/artifacts/{inputs['name']}/")
    elif action == "actions/download-artifact":
        assert inputs["pattern"] == "store-*"
        shutil.copytree(f"{work}/artifacts", path)
    elif action == "actions/cache/restore":
        kept = sorted(os.listdir(work + "/cache"), key=lambda k: int(k.split("-")[-2]))
        if kept and kept[-1].startswith(inputs["restore-keys"].strip()):
            shutil.copytree(f"{work}/cache/{kept[-1]}", path)
    elif action == "actions/cache/save":
        shutil.copytree(path, f"{work}/cache/{inputs['key']}")
    elif "run" in s:
        env = {**os.environ, **local, "XDG_STATE_HOME": home + "/state", "GITHUB_OUTPUT": home + "/outputs", **{k: fill(v, more) for k, v in s.get("env", {}).items()}}
        os.makedirs(folder, exist_ok=True)
        r = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", fill(s["run"], more)], cwd=folder, env=env, capture_output=True, text=True)
        if r.returncode:
            print(r.stdout + r.stderr, file=sys.stderr)
            return False
        if os.path.exists(home + "/outputs"):
            found.update(line.split("=", 1) for line in open(home + "/outputs").read().split("\n") if line)
    else:
        sys.exit(f"unknown step {s}")
    return True


def run(name, job, more, label):
    home = f"{work}/clones/{label}"
    os.makedirs(home)
    found = {}
    ok = all(step(s, home + "/w", home, more, found) for s in job["steps"])
    outputs[name] = found
    return ok


left = dict(flow["jobs"])
while left:
    name = next((n for n, j in left.items() if all(d in done for d in j.get("needs", []))), None) or sys.exit("needs go in a circle")
    job = left.pop(name)
    if not wanted(job):
        done[name] = "skipped"
        continue
    if "strategy" in job:
        m = re.fullmatch(r"\$\{\{ fromJSON\(needs\.plan\.outputs\.([\w-]+)\) \}\}", job["strategy"]["matrix"]["step"])
        results = []
        for i, entry in enumerate(json.loads(outputs["plan"][m[1]])):
            results.append(run(name, job, {"matrix.step": entry, "strategy.job-index": str(i)}, f"{name}-{i}"))
            print(f"{entry} {'success' if results[-1] else 'failure'}")
        done[name] = "success" if all(results) else "failure"
    else:
        done[name] = "success" if run(name, job, {}, name) else "failure"
sys.exit(1 if "failure" in done.values() else 0)
