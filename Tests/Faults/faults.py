"""What the rows of the fault table share: the row itself, Postern with any setting, and one message by a scripted MTA."""

import asyncio
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "Integration"))

# pylint: disable=wrong-import-position
import daemon  # noqa: E402
import mail  # noqa: E402
import milter_client  # noqa: E402
import swarm  # noqa: E402

ROWS = []
QUICK = False

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


def scaled(quick, whole):
    """How much of it there is: less in the quick half of the table."""
    return quick if QUICK else whole


def require(condition, seen):
    if not condition:
        raise Failed(seen)


class Filter(daemon.Postern):
    """Postern behind a scripted name server, with any part of its configuration replaced."""

    def __init__(self, server=None, rules=RULES, mode="enforce", replace=(), dns="", zone=ZONE, limit=None, **options):
        self.replace, self.more_dns, self.limit = dict(replace), dns, limit
        servers = [server.address] if hasattr(server, "address") else list(server or ())
        super().__init__(rules, zone, mode, servers, **options)

    def frame(self):
        text = super().frame().replace("[log]", self.more_dns + "\n\n[log]")
        for old, new in self.replace.items():
            if old not in text:
                raise ValueError(f"{old!r} is not in the configuration")
            text = text.replace(old, new)
        return text

    def launch(self, arguments, output, **options):
        super().launch([*(self.limit or ()), *arguments], output, **options)

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


def tell(
    milter, author="a@bank.example", client=FORGER, headers=(), body=b"Hello.\r\n", recipients=("b@example.org",)
):
    """One message from MAIL to its end, on a connection that has nothing behind it but the negotiation."""
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


def play(postern, message, client=FORGER):
    """What becomes of a message of swarm.py."""
    return asyncio.run(swarm.play(postern.unix, message, client))


def ordinary_zone():
    """The zone with the key of ordinary mail."""
    return ZONE + mail.key("bank.example").record


def split(letter):
    """A message's fields and body as a milter has them."""
    header, _, body = letter.partition(b"\r\n\r\n")
    fields = []
    for line in re.split(rb"\r\n(?![ \t])", header):
        name, _, value = line.partition(b":")
        fields.append((name.decode(), value.strip().replace(b"\r\n", b"\n").decode()))
    return fields, body


def ordinary(postern, count=20):
    """The CPU seconds that an ordinary message takes: 3 kB, signed, of a domain that is known already (see ordinary_zone)."""
    letter = mail.letter(author="a@bank.example", body=(b"x" * 70 + b"\r\n") * 40)
    fields, body = split(mail.key("bank.example").sign(letter))
    sent = swarm.Message("a@bank.example", headers=fields, body=body)

    async def several(number):
        session = await swarm.Session.open(postern.unix, HONEST)
        outcomes = [await session.send(sent) for _ in range(number)]
        await session.close()
        return outcomes

    # Once for what is looked up and set up only once.
    asyncio.run(several(5))
    before = postern.processor_time()
    outcomes = asyncio.run(several(count))
    used = (postern.processor_time() - before) / count
    require(all((outcome.results or {}).get("dkim") == "pass" for outcome in outcomes), f"ordinary mail: {outcomes[0]}")
    return used


# What a message may cost at most, in ordinary messages: so many, and so many more for each kB of it and of the answers to it.
# On a machine where an ordinary one takes 0.14 ms that is 10 ms, and 0.2 ms a kB.
PRICE, PRICE_OF_KB = 70, 1.4


def allowed(octets):
    """How many ordinary messages one of so many octets may cost."""
    return PRICE + PRICE_OF_KB * octets / 1000
