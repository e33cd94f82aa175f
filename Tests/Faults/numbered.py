"""Numbered mail through a real mail server: what was sent, accepted, delivered and stamped, so that no loss is unseen."""

import collections
import contextlib
import re
import smtplib
import threading

import mail

Count = collections.namedtuple("Count", "sent accepted delivered stamped twice refused")


class NumberedMail:
    """Threads that send numbered messages one after another until told to stop."""

    def __init__(self, server, threads=4, **client):
        self.server, self.client = server, client
        self.sent, self.accepted = set(), set()
        self.others = collections.Counter()
        self.counted = None
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.send, args=(number, threads)) for number in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join(90)

    def send(self, number, step):
        while not self.stopped.is_set():
            with contextlib.suppress(OSError, smtplib.SMTPException), mail.Session(self.server, **self.client) as session:
                while not self.stopped.is_set():
                    number += step
                    with self.lock:
                        self.sent.add(number)
                    letter = mail.letter(author="a@bank.example", extra=[f"X-Number: {number}"])
                    outcome = session.send(letter, "a@bank.example")
                    if outcome.code == 250:
                        with self.lock:
                            self.accepted.add(number)
                    else:
                        with self.lock:
                            self.others[outcome.code] += 1
                        # smtpd(8) does without a filter that has gone until the session ends.
                        break

    def count(self):
        """Sums of what was sent, when all is delivered: to be asked first while the server runs and the threads have ended."""
        self.counted = self.counted or self.sums()
        return self.counted

    def sums(self):
        self.server.settle(120)
        delivered, stamped = collections.Counter(), 0
        for message in self.server.delivered("bob@example.org"):
            number = int(re.search(rb"^X-Number: (\d+)", message, re.M)[1])
            delivered[number] += 1
            stamped += bool(mail.results(message))
        twice = sum(count > 1 for count in delivered.values())
        missing = self.accepted - set(delivered)
        if missing:
            raise AssertionError(f"{len(missing)} accepted messages are missing")
        refused = sum(count for code, count in self.others.items() if not 400 <= code < 500)
        return Count(len(self.sent), len(self.accepted), sum(delivered.values()), stamped, twice, refused)
