"""Many connections of one process: ADDRESS PORT COUNT TEXT KEPT, each of which says TEXT.

With KEPT "nothing", what the other side says is never read; with "all" it is kept.

Prints a line when all are there. Then it answers each line of its input with one of JSON: an empty one
with how many of them the other side has ended, any other, a regular expression of bytes, with what of
it each was told, one match after the other, and how many were told just that.
"""

import collections
import json
import re
import resource
import select
import socket
import sys

address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
text = sys.argv[4].encode().decode("unicode_escape").encode("latin-1")
listens = sys.argv[5] == "all"
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

waiting, ended, connections, told = select.epoll(), 0, {}, []
for _ in range(count):
    connection = socket.create_connection((address, port))
    told.append(bytearray())
    connections[connection.fileno()] = connection, told[-1]
    waiting.register(connection, select.EPOLLIN if listens else select.EPOLLRDHUP)
    try:
        connection.sendall(text)
    except OSError:
        pass
print("here", flush=True)


def goes_on(connection, kept):
    """Whether the connection goes on after what has happened to it."""
    if not listens:
        return False
    try:
        piece = connection.recv(1 << 16)
    except ConnectionError:
        return False
    kept += piece
    return len(piece) > 0


for line in sys.stdin:
    while ready := waiting.poll(timeout=0):
        for descriptor, _ in ready:
            if not goes_on(*connections[descriptor]):
                waiting.unregister(descriptor)
                connections.pop(descriptor)[0].close()
                ended += 1
    if pattern := line.rstrip("\n").encode():
        matches = re.compile(pattern, re.DOTALL).findall
        tally = collections.Counter(b" ".join(matches(kept)).decode("latin-1") for kept in told)
        print(json.dumps(tally), flush=True)
    else:
        print(ended, flush=True)
