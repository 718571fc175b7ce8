#!/usr/bin/python3
"""Answers as it is told, for tests: canned.py FOLDER. A GET or HEAD of /.../NAME is answered by the file NAME: the status, headers,
an empty line, the body. The status "401-unless-authorized" is 307 for who sends an Authorization. Prints its port, logs
"PATH AUTHORIZATION" to standard error, ends with standard input."""
import http.server, os, sys, threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        given = self.headers.get("Authorization", "-")
        print(self.path, given, file=sys.stderr, flush=True)
        try:
            with open(os.path.join(sys.argv[1], os.path.basename(self.path.split("?")[0])), "rb") as f:
                head, body = f.read().split(b"\n\n", 1)
        except OSError:
            head, body = b"404", b""
        status, *headers = head.decode().split("\n")
        if status == "401-unless-authorized":
            status = "401" if given == "-" else "307"
        self.send_response(int(status))
        for header in headers:
            self.send_header(*header.split(": ", 1))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *words):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
