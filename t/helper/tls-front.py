#!/usr/bin/python3
"""TLS in front of a plain server on loopback, for tests: tls-front.py CERT KEY CLIENT_CA|- PORT. Prints its own port, ends
when its standard input does."""
import os, socket, ssl, sys, threading

cert, key, client_ca, port = sys.argv[1:5]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
if client_ca != "-":
    context.load_verify_locations(client_ca)
    context.verify_mode = ssl.CERT_REQUIRED
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)

def copy(source, sink, last):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    last(sink)

def shut(sink):
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass

def end(sink):
    try:
        sink.unwrap()           # tells that this is the end, as TLS wants it
    except OSError:
        pass
    sink.close()

def serve(raw):
    try:
        front = context.wrap_socket(raw, server_side=True)
    except OSError:
        return
    back = socket.create_connection(("127.0.0.1", int(port)))
    threading.Thread(target=copy, args=(front, back, shut), daemon=True).start()
    copy(back, front, end)

def accept():
    while True:
        raw, _ = listener.accept()
        threading.Thread(target=serve, args=(raw,), daemon=True).start()

threading.Thread(target=accept, daemon=True).start()
sys.stdin.read()
os._exit(0)
