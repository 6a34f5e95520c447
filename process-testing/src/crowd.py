"""Many connections of one process: ADDRESS PORT COUNT KEPT. What they say is the first line of its
input, a list in JSON with a character for each byte: one says the first text, the next the second, and
after the last it begins again.

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
listens = sys.argv[4] == "all"
texts = [text.encode("latin-1") for text in json.loads(sys.stdin.readline())]
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

waiting, ended, connections, told = select.epoll(), 0, {}, []
for number in range(count):
    connection = socket.create_connection((address, port))
    told.append(bytearray())
    connections[connection.fileno()] = connection, told[-1]
    waiting.register(connection, select.EPOLLIN if listens else select.EPOLLRDHUP)
    try:
        connection.sendall(texts[number % len(texts)])
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
