# Listens on a datagram socket of the unix family, as a service manager does, and prints each word that it is told as a line.
# On READY=1 it first tries the ports given: `usage: notify-socket.py <path> [port...]`
import os, socket, sys

path, ports = sys.argv[1], [int(port) for port in sys.argv[2:]]
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(path)
print("listening", flush=True)
while True:
    data, descriptors, _, _ = socket.recv_fds(server, 65536, 8)
    # A barrier: whoever waits for it goes on when its descriptor is closed.
    for descriptor in descriptors:
        os.close(descriptor)
    word = data.decode().replace("\n", " ")
    if "READY=1" in word:
        for port in ports:
            with socket.socket() as probe:
                word += f" {port}={'open' if probe.connect_ex(('127.0.0.1', port)) == 0 else 'closed'}"
    print(word, flush=True)
