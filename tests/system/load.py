"""Senders that go on until they are told to stop."""

import threading


class Load:
    """Some threads, each an MTA. Whatever happens to the network, they try again.
    addresses: where they go, when no name server is there to say it. pause_s: of each after a session of ten."""

    def __init__(self, mta, threads=3, addresses=None, size_bytes=600, pause_s=0):
        self.mta = mta
        self.addresses = addresses
        self.size_bytes = size_bytes
        self.pause_s = pause_s
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def _run(self):
        while not self.stopping.is_set():
            for address in self.addresses or self.mta.addresses("example.test"):
                if self.stopping.is_set() or self.mta.send_by(address, 10, size_bytes=self.size_bytes):
                    break
            else:
                self.stopping.wait(0.1)
            self.stopping.wait(self.pause_s)

    def end(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
