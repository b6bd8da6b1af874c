"""Answers what it got: TCP after the client has said that it is done, with a digest; UDP each datagram as it is."""
import hashlib, socket, sys, threading

family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET


def one(connection):
    digest = hashlib.sha1()
    while data := connection.recv(65536):
        digest.update(data)
    connection.sendall(digest.hexdigest().encode() + b"\n" + b"x" * 1_000_000)
    connection.close()


def streams():
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((sys.argv[1], 7100))
    server.listen(512)
    print("ready", flush=True)
    while True:
        threading.Thread(target=one, args=(server.accept()[0],), daemon=True).start()


datagrams = socket.socket(family, socket.SOCK_DGRAM)
datagrams.bind((sys.argv[1], 7101))
threading.Thread(target=streams, daemon=True).start()
while True:
    data, client = datagrams.recvfrom(65536)
    datagrams.sendto(data, client)
