"""Stands between cairn and an engine: engine-proxy.py LISTEN ENGINE MODE, both Unix sockets.
MODE: mute   an attach call is never answered
      cut N  the first attach stream ends after N bytes from the engine"""
import os, select, socket, sys, threading

listen, engine, mode = sys.argv[1], sys.argv[2], sys.argv[3]
left = int(sys.argv[4]) if mode == "cut" else None
lock = threading.Lock()


def first_attach():
    global left
    with lock:
        n, left = left, None
        return n


def serve(client):
    server = socket.socket(socket.AF_UNIX)
    server.connect(engine)
    room, quiet = None, False
    try:
        while True:
            for s in select.select([client, server], [], [])[0]:
                data = s.recv(65536)
                if not data:
                    return
                if s is client and b"/attach?" in data.split(b"\r\n", 1)[0]:
                    quiet = mode == "mute"
                    room = first_attach()
                    open(listen + ".attached", "a").write("x")
                if quiet:
                    continue
                if s is server and room is not None:
                    client.sendall(data[:room])
                    room -= len(data)
                    if room <= 0:
                        return
                    continue
                (server if s is client else client).sendall(data)
    except OSError:
        pass
    finally:
        client.close()
        server.close()


door = socket.socket(socket.AF_UNIX)
door.bind(listen + ".new")
door.listen(64)
os.rename(listen + ".new", listen)
while True:
    threading.Thread(target=serve, args=(door.accept()[0],), daemon=True).start()
