#!/usr/bin/python3
"""Makes small images and pushes them to a registry on loopback that asks for no credentials, for tests.
    image.py push HOST:PORT/NAME:TAG [--platform OS/ARCH[/VARIANT]] [--env K=V]... [--file NAME=TEXT]... [--base TAR]...
                  [--created TIME] [--plain] [--oci] [--label K=V] [--cmd WORD]...
        prints "MANIFEST CONFIG"; --plain leaves layers uncompressed; --base is a tar archive that becomes the first layer
    image.py index HOST:PORT/NAME:TAG PLATFORM=DIGEST...
        prints the index's digest
"""
import argparse, gzip, hashlib, http.client, io, json, sys, tarfile

DOCKER = "application/vnd.docker."
OCI = "application/vnd.oci.image."


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Registry:
    def __init__(self, ref):
        self.host, rest = ref.split("/", 1)
        self.name, self.tag = rest.rsplit(":", 1)

    def call(self, method, path, body=b"", headers={}):
        conn = http.client.HTTPConnection(self.host)
        conn.request(method, path, body, headers)
        reply = conn.getresponse()
        data = reply.read()
        if reply.status >= 400 and method != "HEAD":
            sys.exit(f"image.py: {method} {path}: {reply.status} {data.decode()}")
        return reply

    def blob(self, data):
        if self.call("HEAD", f"/v2/{self.name}/blobs/{digest(data)}").status != 200:
            where = self.call("POST", f"/v2/{self.name}/blobs/uploads/").getheader("Location")
            where = "/" + where.split("/", 3)[3] if "://" in where else where
            where += ("&" if "?" in where else "?") + "digest=" + digest(data)
            self.call("PUT", where, data, {"Content-Type": "application/octet-stream"})
        return {"digest": digest(data), "size": len(data)}

    def manifest(self, doc):
        data = json.dumps(doc).encode()
        self.call("PUT", f"/v2/{self.name}/manifests/{self.tag}", data, {"Content-Type": doc["mediaType"]})
        return digest(data), len(data)


def layer_of(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for entry in files:
            name, text = entry.split("=", 1)
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(text), 0o755
            tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def push(words):
    p = argparse.ArgumentParser()
    p.add_argument("ref")
    p.add_argument("--platform", default="linux/amd64")
    for name in ("env", "file", "base", "label", "cmd"):
        p.add_argument("--" + name, action="append", default=[])
    p.add_argument("--created", default="2020-01-01T00:00:00Z")
    p.add_argument("--plain", action="store_true")
    p.add_argument("--oci", action="store_true")
    a = p.parse_args(words)
    registry = Registry(a.ref)
    tars = [open(base, "rb").read() for base in a.base] + ([layer_of(a.file)] if a.file or not a.base else [])
    kind = "layer.v1.tar" if a.oci else "image.rootfs.diff.tar"
    layers = []
    for tar in tars:
        data = tar if a.plain else gzip.compress(tar, mtime=0)
        part = registry.blob(data)
        suffix = "" if a.plain else "+gzip" if a.oci else ".gzip"
        layers.append({"mediaType": (OCI if a.oci else DOCKER) + kind + suffix, **part})
    system, arch, *variant = a.platform.split("/")
    config = {"architecture": arch, "os": system, "created": a.created, "config": {},
              "rootfs": {"type": "layers", "diff_ids": [digest(tar) for tar in tars]}, "history": [{"created": a.created} for _ in tars]}
    if variant:
        config["variant"] = variant[0]
    if a.env:
        config["config"]["Env"] = a.env
    if a.cmd:
        config["config"]["Cmd"] = a.cmd
    if a.label:
        config["config"]["Labels"] = dict(l.split("=", 1) for l in a.label)
    config = registry.blob(json.dumps(config).encode())
    doc = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json" if a.oci else DOCKER + "distribution.manifest.v2+json",
           "config": {"mediaType": OCI + "config.v1+json" if a.oci else DOCKER + "container.image.v1+json", **config}, "layers": layers}
    print(registry.manifest(doc)[0], config["digest"])


def index(words):
    registry = Registry(words[0])
    manifests = []
    for word in words[1:]:
        platform, name = word.split("=", 1)
        system, arch, *variant = platform.split("/")
        reply = registry.call("HEAD", f"/v2/{registry.name}/manifests/{name}",
                              headers={"Accept": f"{DOCKER}distribution.manifest.v2+json, {OCI}manifest.v1+json"})
        entry = {"architecture": arch, "os": system}
        if variant:
            entry["variant"] = variant[0]
        manifests.append({"mediaType": reply.getheader("Content-Type"), "digest": name, "size": int(reply.getheader("Content-Length")), "platform": entry})
    print(registry.manifest({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": manifests})[0])


{"push": push, "index": index}[sys.argv[1]](sys.argv[2:])
