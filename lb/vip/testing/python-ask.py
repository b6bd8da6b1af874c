"""Asks python-echo.py by an address, in ways that are not the usual; a line for each that says what came of it."""
import hashlib, os, socket, sys

address = sys.argv[1]
family = socket.AF_INET6 if ":" in address else socket.AF_INET


def said(what, run):
    try:
        print(what, "right" if run() else "wrong", flush=True)
    except OSError as error:
        print(what, error, flush=True)


def half_closed(length):
    sent = os.urandom(length)
    with socket.create_connection((address, 80), timeout=10) as stream:
        stream.sendall(sent)
        stream.shutdown(socket.SHUT_WR)
        got = b""
        while data := stream.recv(65536):
            got += data
    return got.startswith(hashlib.sha1(sent).hexdigest().encode()) and len(got) == 1_000_041


def datagram(length, connected):
    sent = os.urandom(length)
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        one.settimeout(5)
        if connected:
            one.connect((address, 53))
            one.send(sent)
            return one.recv(65536) == sent
        one.sendto(sent, (address, 53))
        got, peer = one.recvfrom(65536)
        return got == sent and peer[0] == address and peer[1] == 53


for length in (0, 1, 1400, 3_000_000):
    said(f"stream of {length} half closed", lambda: half_closed(length))
for length in (0, 1, 1400, 1472, 1600, 9000, 60000):
    for connected in (True, False):
        said(f"datagram of {length}{' connected' if connected else ''}", lambda: datagram(length, connected))
