"""relay - a port that passes connections on to a server's, and counts the bytes that come back."""
import contextlib, socket, threading, time


class Relay:
    """From a port of its own to the server's; counts what comes back."""

    def __init__(self, port):
        self.target, self.received, self.looks, self.pause_s = port, 0, [], 0        # when, how many; a slow link: before each piece
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            with contextlib.suppress(OSError):
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
                for end in (client, server):     # or a header waits 40 ms for its body
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self.pump, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self.pump, args=(server, client, True), daemon=True).start()

    def pump(self, source, sink, counts):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if counts:
                    self.received += len(data)
                    self.looks.append((time.time(), len(data)))
                    time.sleep(self.pause_s)
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
