"""Postern itself, with a configuration and a zone of its own."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time

from mta import Server, free_port, wait_until

PACKAGE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))

FRAME = """\
authserv_id = "mx.example.org"
mode = "{mode}"
{top}

[[listen]]
socket = "unix:{directory}/milter.sock"
mode = "0666"

[[listen]]
socket = "inet:{port}@127.0.0.1"
max_connections = {connections}

[trust]
networks = [{trusted}]
{skip}

[dns]
{dns}

[log]
destination = "stderr"

[admin]
control = "{directory}/control.sock"
{metrics}

"""


def executable():
    """The program under test: $POSTERN, or what was built last in this checkout."""
    return os.environ.get("POSTERN") or os.path.join(PACKAGE, ".build/debug/postern")


def ledger():
    """The ledger that was built beside the program under test."""
    return os.path.join(os.path.dirname(executable()), "postern-ledger")


def give_to_service(path):
    """Gives a file to the account as which root's `config check` judges, where this host has it."""
    try:
        shutil.chown(path, "postern")
    except LookupError:
        pass


class LogLine:
    """A message's line in the log: the queue ID and the fields, in their order."""

    FIELD = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|<[^>]*>|\S*)')

    def __init__(self, text):
        self.text = text
        self.queue_id, _, rest = text.partition(": ")
        self.names = [name for name, _ in self.FIELD.findall(rest)]
        self.fields = dict(self.FIELD.findall(rest))

    def __getitem__(self, name):
        return self.fields[name]

    def get(self, name, default=None):
        return self.fields.get(name, default)

    def __repr__(self):
        return self.text


class Postern(Server):
    """`postern serve` in the foreground.

    `rules` is the rest of the configuration file, `top` its settings outside of any table. Lookups are answered by `zone`, or by the name servers in `servers`.
    """

    LINE = re.compile(r"(?:^|\s)([0-9A-Za-z]+: (?:action|would)=.*)$", re.M)

    def __init__(
        self, rules="", zone="", mode="enforce", servers=(), trusted=(), skipped=(), top="", connections=1000,
        metrics="",
    ):
        super().__init__()
        self.port = free_port()
        self.mode = mode
        self.trusted, self.skipped = trusted, skipped
        self.top = top
        self.connections = connections
        self.metrics = f'listen = "{metrics}"' if metrics else ""
        if servers:
            self.dns = "servers = [" + ", ".join(f'"{server}"' for server in servers) + "]"
        else:
            self.dns = f'zone = "{self.write("zone", zone)}"'
        self.configuration = self.path("postern.toml")
        self.configure(rules)

    @property
    def unix(self):
        return "unix:" + self.path("milter.sock")

    @property
    def inet(self):
        return f"inet:127.0.0.1:{self.port}"

    def frame(self):
        return FRAME.format(
            mode=self.mode, top=self.top, directory=self.directory, port=self.port, connections=self.connections,
            dns=self.dns, metrics=self.metrics,
            trusted=", ".join(f'"{network}"' for network in self.trusted),
            skip="skip = [" + ", ".join(f'"{network}"' for network in self.skipped) + "]" if self.skipped else "",
        )

    def configure(self, rules):
        self.write("postern.toml", self.frame() + rules.replace("@DIRECTORY@", self.directory))

    def start(self):
        notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with notices:
            notices.bind(self.path("notify"))
            notices.settimeout(20)
            self.launch(
                [executable(), "serve", "--config", self.configuration], "log",
                env={**os.environ, "NOTIFY_SOCKET": self.path("notify"), "SWIFT_BACKTRACE": "enable=no"},
            )
            notices.settimeout(0.1)
            wait_until(lambda: not self.running() or self.is_ready(notices), "READY=1 from Postern")
        if not self.running():
            raise RuntimeError("Postern did not start:\n" + self.read("log"))

    @staticmethod
    def is_ready(notices):
        try:
            return b"READY=1" in notices.recv(4096).split(b"\n")
        except TimeoutError:
            return False

    def stop_process(self):
        """Ends the program as a service manager does, and forgets what it said of being ready."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        os.remove(self.path("notify"))

    def ask(self, *arguments):
        """What `postern status` and the like say."""
        return subprocess.run(
            [executable(), *arguments, "--control", self.path("control.sock")],
            capture_output=True, text=True, timeout=30, check=False,
        )

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def check_configuration(self):
        return subprocess.run(
            [executable(), "config", "check", self.configuration], capture_output=True, text=True, timeout=30, check=False
        )

    def command(self, name, *arguments):
        """What a command prints that asks the running daemon."""
        return subprocess.run(
            [executable(), name, *arguments, "--control", self.path("control.sock")],
            capture_output=True, text=True, timeout=30, check=True,
        ).stdout

    def memory(self):
        """The resident set in KiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"^VmRSS:\s+(\d+)", file.read(), re.M)[1])

    def processor_time(self):
        """The seconds of CPU that it has taken, threads that have ended included."""
        # clock_getcpuclockid(3): the clock of another process.
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def lines(self):
        """The messages' lines so far."""
        return [LogLine(text) for text in self.LINE.findall(self.read("log"))]

    def line(self, queue_id=None, after=0):
        """The line of a queue ID, or the newest one beyond the first `after`; waits for it."""

        def find():
            lines = self.lines()[after:]
            return next((line for line in reversed(lines) if queue_id in (None, line.queue_id)), None)

        return wait_until(find, f"log line of {queue_id or 'a message'}")
