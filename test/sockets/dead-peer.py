# A server whose kernel stops acknowledging at a word, as a machine does that has lost its power. A socket filter that
# accepts nothing drops every segment before TCP sees it; it needs no rights, but a call that Node does not have.
import ctypes
import socket
import struct
import sys
import threading

SO_ATTACH_FILTER = 26
LIST = b'{"kind":"NodeList","apiVersion":"v1","metadata":{"resourceVersion":"100"},"items":[]}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
sockets = []


def deafen(each):
    program = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    each.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HxxxxxxP", 1, ctypes.addressof(program)))


def serve(connection):
    asked = b""
    while True:
        part = connection.recv(65536)
        if not part:
            return
        asked += part
        while b"\r\n\r\n" in asked:
            request, asked = asked.split(b"\r\n\r\n", 1)
            if b"watch=1" in request:
                connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
                print("watching", flush=True)
            else:
                connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(LIST) + LIST)


def accept():
    while True:
        connection, _ = door.accept()
        sockets.append(connection)
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


door = socket.socket()
sockets.append(door)
door.bind(("127.0.0.1", 0))
door.listen()
print("port", door.getsockname()[1], flush=True)
threading.Thread(target=accept, daemon=True).start()
sys.stdin.readline()
for each in sockets:
    deafen(each)
print("dead", flush=True)
sys.stdin.readline()
