#!/usr/bin/python3
"""A token server for a registry, after the distribution project's token authentication: token-server.py CERT KEY USER PASSWORD
Signs with openssl what docker-registry verifies. Anybody may pull from "open/..."; USER with PASSWORD, or with the identity
token "identity-of-USER", from everything. Prints its port, logs "GET|POST who scope" to standard error, ends with standard
input."""
import base64, http.server, json, subprocess, sys, threading, time, urllib.parse

cert, key, user, password = sys.argv[1:5]
der = subprocess.run(["openssl", "x509", "-in", cert, "-outform", "DER"], capture_output=True, check=True).stdout


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(claims):
    head = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
    text = url64(json.dumps(head).encode()) + "." + url64(json.dumps(claims).encode())
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=text.encode(), capture_output=True, check=True).stdout
    return text + "." + url64(signature)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, doc):
        body = json.dumps(doc).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def give(self, who, words, name):
        scope = words.get("scope", [""])[0]
        print(self.command, who or "-", scope, file=sys.stderr, flush=True)
        kind, repository, actions = scope.split(":")
        access = [{"type": kind, "name": repository, "actions": actions.split(",")}] if who or repository.startswith("open/") else []
        now = int(time.time())
        token = signed({"iss": "testbed", "sub": who, "aud": words["service"][0], "exp": now + 300, "nbf": now - 60, "iat": now,
                        "jti": str(time.time_ns()), "access": access})
        self.answer(200, {name: token, "expires_in": 300})

    def do_GET(self):
        words = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        given = self.headers.get("Authorization")
        who = ""
        if given:
            if given != "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode():
                return self.answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "no"}]})
            who = user
        self.give(who, words, "token")

    def do_POST(self):
        words = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if words.get("grant_type") != ["refresh_token"] or words.get("refresh_token") != ["identity-of-" + user]:
            return self.answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "no"}]})
        self.give(user, words, "access_token")

    def log_message(self, *words):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
