"""Numbered mail through a real Postfix: what was sent, accepted, delivered and stamped, so that nothing can be lost unseen."""

import collections
import contextlib
import re
import smtplib
import threading

import mail

Count = collections.namedtuple("Count", "sent accepted delivered stamped twice")


class NumberedMail:
    """Threads that send numbered messages one after another until told to stop."""

    def __init__(self, postfix, threads=4):
        self.postfix = postfix
        self.sent, self.accepted = set(), set()
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
            with contextlib.suppress(OSError, smtplib.SMTPException), mail.Session(self.postfix) as session:
                while not self.stopped.is_set():
                    number += step
                    with self.lock:
                        self.sent.add(number)
                    outcome = session.send(mail.letter(author="a@bank.example", extra=[f"X-Number: {number}"]), "a@bank.example")
                    if outcome.code == 250:
                        with self.lock:
                            self.accepted.add(number)
                    else:
                        # smtpd(8) does without a filter that has gone until the session ends.
                        break

    def count(self):
        """Sums of what was sent, when all is delivered: to be asked first while Postfix runs and the threads have ended."""
        self.counted = self.counted or self.sums()
        return self.counted

    def sums(self):
        self.postfix.settle(120)
        delivered, stamped = collections.Counter(), 0
        for message in self.postfix.delivered("bob@example.org"):
            number = int(re.search(rb"^X-Number: (\d+)", message, re.M)[1])
            delivered[number] += 1
            stamped += bool(mail.results(message))
        twice = sum(count > 1 for count in delivered.values())
        missing = self.accepted - set(delivered)
        if missing:
            raise AssertionError(f"{len(missing)} accepted messages are missing")
        return Count(len(self.sent), len(self.accepted), sum(delivered.values()), stamped, twice)
