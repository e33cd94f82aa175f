"""Faults between the filter and the ledger: crashes of either, with reports too, a store that cannot be used, two filters at once."""

import contextlib
import itertools
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import threading
import time

import daemon
import milter_client
import mta
from faults import HONEST, RULES, ZONE, Filter, require, row, scaled

EVENTS = """\

[events]
spool = "@DIRECTORY@/spool"

[ledger]
store = "@DIRECTORY@/ledger.sqlite"
"""
REPORTS = """\

[reports]
organization = "Example Org"
address = "dmarc@example.org"
"""


class Ledger(mta.Server):
    """`postern-ledger serve` beside a filter."""

    def __init__(self, postern):
        super().__init__()
        self.postern = postern

    def start(self):
        self.launch([daemon.ledger(), "serve", "--config", self.postern.configuration], "log")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        require(self.process.wait(30) == 0, "the ledger did not end on SIGTERM: " + self.read("log")[-500:])


class Numbered(threading.Thread):
    """Sends messages one after another, each with a queue ID of its own, and notes when each had its answer."""

    numbers = itertools.count()

    def __init__(self, postern):
        super().__init__()
        self.postern, self.answered, self.goes_on = postern, {}, True

    def run(self):
        while self.goes_on:
            try:
                self.send()
            except (OSError, EOFError):
                time.sleep(0.02)

    def send(self):
        with milter_client.Milter(self.postern.unix) as session:
            session.negotiate()
            session.connect("client.example", HONEST)
            session.helo("mail.bank.example")
            for _ in range(20):
                if not self.goes_on:
                    return
                queue_id = f"K{next(self.numbers)}"
                session.mail("<a@bank.example>")
                session.rcpt("<b@example.org>", macros={"i": queue_id})
                session.header("From", " a@bank.example")
                session.eoh()
                session.body(b"Hello.\r\n")
                session.eom()
                self.answered[queue_id] = time.time()


class Pair:
    """A filter and a ledger under load."""

    def __init__(self, senders=4, more="", zone=ZONE):
        self.stack = contextlib.ExitStack()
        self.postern = Filter(rules=RULES + EVENTS + more, zone=zone)
        os.mkdir(self.postern.path("spool"))
        self.ledger = Ledger(self.postern)
        self.senders = [Numbered(self.postern) for _ in range(senders)]

    def __enter__(self):
        self.stack.enter_context(self.postern)
        self.stack.enter_context(self.ledger)
        for sender in self.senders:
            sender.start()
        return self

    def __exit__(self, *problem):
        for sender in self.senders:
            sender.goes_on = False
        for sender in self.senders:
            sender.join()
        self.stack.close()

    def settle(self):
        """Ends the load and the filter, waits until the spool is empty, and returns what was answered."""
        for sender in self.senders:
            sender.goes_on = False
        for sender in self.senders:
            sender.join()
        self.postern.stop_process()
        mta.wait_until(lambda: not self.waiting(), "the spool to empty", 120)
        self.ledger.end()
        return {queue_id: when for sender in self.senders for queue_id, when in sender.answered.items()}

    def waiting(self):
        return [name for name in os.listdir(self.postern.path("spool")) if name.endswith((".open", ".events"))]

    def restart_filter(self):
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.postern.path("notify"))
        self.postern.start()

    def ask(self, *words):
        """What the ledger says to a command."""
        command = [daemon.ledger(), *words, "--config", self.postern.configuration]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout

    def kill_filter(self):
        """Ends the filter by SIGKILL and starts it again; returns when."""
        began = time.time()
        self.postern.process.kill()
        self.postern.process.wait()
        crash = began, time.time()
        self.restart_filter()
        return crash

    def reported(self):
        """How many messages the reports of all days count."""
        days = [day["day"] for day in json.loads(self.ask("report", "status", "--format", "json"))["days"]]
        reports = "".join(self.ask("report", "preview", "--day", day) for day in days)
        return sum(map(int, re.findall("<count>([0-9]+)</count>", reports)))

    def stored(self):
        """Each queue ID of the store, with how often it is there."""
        counts = {}
        for line in self.ask("export").splitlines():
            queue_id = json.loads(line)["id"]
            counts[queue_id] = counts.get(queue_id, 0) + 1
        return counts

    def require_exact(self, answered, crashes=()):
        """Everything answered is stored once; what is missing was answered within a second before a crash of the filter."""
        stored = self.stored()
        twice = [queue_id for queue_id, count in stored.items() if count > 1]
        missing = [queue_id for queue_id in answered if queue_id not in stored]
        excused = [
            queue_id for queue_id in missing
            if any(began - 1 < answered[queue_id] < ended + 0.1 for began, ended in crashes)
        ]
        rejected = [name for name in os.listdir(self.postern.path("spool")) if name.endswith(".rejected")]
        seen = f"{len(answered)} answered, {len(stored)} stored, {len(twice)} twice, {len(missing)} missing"
        require(not twice and len(missing) == len(excused) and not rejected and len(answered) > 100, f"{seen}, {rejected}")
        return seen + (", all answered within a second before a crash" if missing else "")


def pause():
    time.sleep(random.uniform(0.2, scaled(0.6, 1.2)))


@row("kill -9 of the ledger under load, 100 times", "each event is stored once, none is missing")
def ledger_kills():
    with Pair() as pair:
        for _ in range(scaled(12, 100)):
            pause()
            pair.ledger.kill()
            pair.ledger.start()
        return pair.require_exact(pair.settle())


@row("kill -9 of the filter under load, 100 times", "each event is stored once; only the last moment before a crash is missing")
def filter_kills():
    with Pair() as pair:
        crashes = []
        for _ in range(scaled(8, 100)):
            pause()
            crashes.append(pair.kill_filter())
        return pair.require_exact(pair.settle(), crashes)


@row("kill -9 of the filter or the ledger under load with reports on, 100 times", "the reports count each stored event once")
def report_kills():
    zone = ZONE.replace("v=DMARC1; p=reject", "v=DMARC1; p=reject; rua=mailto:dmarc@bank.example")
    with Pair(more=REPORTS, zone=zone) as pair:
        crashes = []
        for _ in range(scaled(8, 100)):
            pause()
            if random.random() < 0.5:
                crashes.append(pair.kill_filter())
            else:
                pair.ledger.kill()
                pair.ledger.start()
        seen = pair.require_exact(pair.settle(), crashes)
        stored, reported = len(pair.stored()), pair.reported()
        require(reported == stored, f"{seen}; {reported} in reports")
        return f"{seen}; {reported} in reports"


@row("a filter that takes over from another, each with its segments", "each event is stored once, none is missing")
def take_over():
    with Pair() as pair:
        for _ in range(scaled(3, 10)):
            pause()
            old = pair.postern.process
            with contextlib.suppress(FileNotFoundError):
                os.remove(pair.postern.path("notify"))
            pair.postern.launch(
                [daemon.executable(), "serve", "--take-over", "--config", pair.postern.configuration], "log",
                env={**os.environ, "NOTIFY_SOCKET": pair.postern.path("notify")},
            )
            time.sleep(1.5)
            old.send_signal(signal.SIGTERM)
            old.wait(40)
        with open(pair.postern.path("notify"), "w", encoding="utf-8"):
            pass
        return pair.require_exact(pair.settle())


@row("a store that another program has locked", "the ledger says so and goes on when it is free; nothing is missing", quick=False)
def locked():
    with Pair() as pair:
        mta.wait_until(lambda: os.path.exists(pair.postern.path("ledger.sqlite")), "a store", 30)
        time.sleep(2)
        lock = sqlite3.connect(pair.postern.path("ledger.sqlite"), isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        mta.wait_until(lambda: "held by another process" in pair.ledger.read("log"), "a line about the lock", 60)
        lock.execute("ROLLBACK")
        lock.close()
        return pair.require_exact(pair.settle())


@row("no room for the store", "the ledger says so once, the spool waits, and nothing is missing when there is room", quick=False)
def full():
    with Pair() as pair:
        pair.ledger.kill()
        folder = pair.postern.path("store")
        os.mkdir(folder)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "none", folder], check=True)
        try:
            pair.postern.configure((RULES + EVENTS).replace("@DIRECTORY@/ledger.sqlite", "@DIRECTORY@/store/ledger.sqlite"))
            pair.ledger.start()
            mta.wait_until(lambda: "full" in pair.ledger.read("log"), "a line about the disk", 60)
            said = pair.ledger.read("log").count("full")
            subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True)
            seen = pair.require_exact(pair.settle())
            require(said <= 2, f"it was said {said} times")
            return seen
        finally:
            subprocess.run(["umount", "-l", folder], check=False)
