"""Many connections of one process: ADDRESS PORT COUNT [TEXT], each of which says TEXT or nothing.

Prints a line when all are there. Then it answers each line of its input with how many of them the
other side has ended.
"""

import resource
import select
import socket
import sys

address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
text = sys.argv[4].encode().decode("unicode_escape").encode() if len(sys.argv) > 4 else b""
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

# Only the end of a connection is looked for: what is said is never read.
waiting, ended, connections = select.epoll(), 0, {}
for _ in range(count):
    connection = socket.create_connection((address, port))
    connections[connection.fileno()] = connection
    waiting.register(connection, select.EPOLLRDHUP)
    try:
        connection.sendall(text)
    except OSError:
        pass
print("here", flush=True)

for _ in sys.stdin:
    while ready := waiting.poll(timeout=0):
        for descriptor, _ in ready:
            waiting.unregister(descriptor)
            connections.pop(descriptor).close()
            ended += 1
    print(ended, flush=True)
