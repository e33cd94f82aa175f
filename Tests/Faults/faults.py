"""What the rows of the fault table share: the row itself, Postern with any setting, and one message by a scripted MTA."""

import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "Integration"))

# pylint: disable=wrong-import-position
import daemon  # noqa: E402
import milter_client  # noqa: E402

ROWS = []

# The domain whose mail is forged: only 192.0.2.10 may send it.
ZONE = """\
bank.example. 300 IN TXT "v=spf1 ip4:192.0.2.10 -all"
_dmarc.bank.example. 300 IN TXT "v=DMARC1; p=reject"
mail.bank.example. 300 IN A 192.0.2.10
10.2.0.192.in-addr.arpa. 300 IN PTR mail.bank.example.
"""
RULES = """\
[[rules]]
name = "spf"
when = { spf = "fail" }
action = "reject"

[[rules]]
name = "dmarc"
when = { dmarc = "fail", dmarc_policy = "reject" }
action = "reject"
"""
HONEST, FORGER = "192.0.2.10", "203.0.113.66"


class Skipped(Exception):
    """The row cannot be run here, and why."""


class Failed(Exception):
    """What was seen is not what the row expects."""


def row(fault, expects, quick=True):
    """Makes a function a row: it returns what it saw, and raises `Failed` where that is not what is expected."""

    def add(function):
        ROWS.append((fault, expects, quick, function))
        return function

    return add


def require(condition, seen):
    if not condition:
        raise Failed(seen)


class Filter(daemon.Postern):
    """Postern behind a scripted name server, with any part of its configuration replaced."""

    def __init__(self, server=None, rules=RULES, mode="enforce", replace=(), dns="", zone=ZONE, limit=None):
        self.replace, self.more_dns, self.limit = dict(replace), dns, limit
        servers = [server.address] if hasattr(server, "address") else list(server or ())
        super().__init__(rules, zone, mode, servers)

    def frame(self):
        text = super().frame().replace("[log]", self.more_dns + "\n\n[log]")
        for old, new in self.replace.items():
            if old not in text:
                raise ValueError(f"{old!r} is not in the configuration")
            text = text.replace(old, new)
        return text

    def launch(self, arguments, output, **options):
        super().launch([*(self.limit or ()), *arguments], output, **options)

    def processor_time(self):
        """CPU seconds so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def logged(self, text):
        """How many lines of the log say this."""
        return sum(text in line for line in self.read("log").splitlines())


class Told:
    """What became of a message: the last reply as SMTP words, and how long RCPT and the end took."""

    def __init__(self, words, at_recipient=0.0, at_end=0.0, outcome=None):
        self.words, self.at_recipient, self.at_end, self.outcome = words, at_recipient, at_end, outcome

    @property
    def code(self):
        return self.words[:3]

    @property
    def results(self):
        """The methods and their results of our Authentication-Results."""
        for _, _, name, value in self.outcome.header_changes() if self.outcome else ():
            if name == "Authentication-Results" and value:
                parts = (part.strip().partition("=") for part in value.split(";")[1:])
                return {method: rest.split()[0] for method, _, rest in parts if rest}
        return {}


def words(reply):
    """A milter reply as SMTP words: 250 where the MTA goes on."""
    if reply is None or reply.command in "acs":
        return "250"
    return {"y": reply.text, "r": "550", "t": "451", "4": "421"}.get(reply.command, reply.command)


def tell(milter, author="a@bank.example", client=FORGER, headers=(), body=b"Hello.\r\n", recipients=("b@example.org",), again=False):
    """One message from MAIL to its end, on a connection that is greeted here."""
    if not again:
        milter.connect("client.example", client)
        milter.helo("mail.bank.example")
    milter.mail(f"<{author}>")
    began = time.monotonic()
    for recipient in recipients:
        reply = milter.rcpt(f"<{recipient}>")
        if words(reply) != "250":
            return Told(words(reply), time.monotonic() - began)
    at_recipient = time.monotonic() - began
    milter.data()
    for name, value in (*headers, ("From", author), ("Subject", "a fault")):
        milter.header(name, value)
    milter.eoh()
    milter.body(body)
    began = time.monotonic()
    outcome = milter.eom()
    return Told(words(outcome.reply), at_recipient, time.monotonic() - began, outcome)


def ask(postern, timeout=40, **message):
    """One message on a connection of its own."""
    with milter_client.Milter(postern.unix, timeout) as milter:
        milter.negotiate()
        return tell(milter, **message)


def honest(postern, count=1, **options):
    """The longest time that an honest message took, of so many; each must be accepted with spf=pass."""
    longest = 0.0
    for _ in range(count):
        began = time.monotonic()
        told = ask(postern, client=HONEST, **options)
        longest = max(longest, time.monotonic() - began)
        require(told.code == "250" and told.results.get("spf") == "pass", f"honest mail: {told.words} {told.results}")
    return longest
