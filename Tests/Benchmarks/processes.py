"""Daemons that are started to be measured."""
import copy
import os
import signal
import socket
import subprocess
import sys
import time

import scratch


class Process:
    """A daemon, from when its socket takes connections until it is stopped.

    An address is unix:PATH or HOST:PORT.
    """

    def __init__(self, command, address, name, log=None):
        self.command, self.address = command, address
        self.log = log or f"{scratch.RUN}/{name}.log"
        if address.startswith("unix:") and os.path.exists(address[5:]):
            os.unlink(address[5:])
        os.makedirs(scratch.RUN, exist_ok=True)
        with open(self.log, "wb") as file:
            self.process = subprocess.Popen(
                command, stdout=file, stderr=file, stdin=subprocess.DEVNULL, start_new_session=True
            )
        self.pid = self.process.pid
        self.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is not None:
            print(f"{self.command[0]} ended with status {self.process.returncode}; see {self.log}", file=sys.stderr)
        self.stop()

    def wait(self):
        for _ in range(300):
            if self.process.poll() is not None:
                break
            if self.answers():
                return
            time.sleep(0.1)
        self.stop()
        sys.exit(f"{self.command[0]} did not open {self.address}; see {self.log}")

    def answers(self):
        try:
            if self.address.startswith("unix:"):
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(self.address[5:])
            else:
                host, _, port = self.address.rpartition(":")
                socket.create_connection((host, int(port)), 1).close()
        except OSError:
            return False
        return True

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                for process in reversed(self.tree()):
                    os.kill(process, signal.SIGKILL)
                self.process.wait()

    def at(self, address):
        """The same daemon, at another of its addresses."""
        other = copy.copy(self)
        other.address = address
        return other

    def tree(self):
        """The process and its descendants."""
        found = [self.pid]
        for process in found:
            try:
                for thread in os.listdir(f"/proc/{process}/task"):
                    found += [int(child) for child in scratch.read(f"/proc/{process}/task/{thread}/children").split()]
            except OSError:
                continue
        return found
