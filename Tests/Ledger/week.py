#!/usr/bin/python3
"""A week's mail of a small site, as a real filter tells it to the ledger.

    Tests/Ledger/week.py DIRECTORY [--messages N]

Plays made-up mail to `postern serve` ($POSTERN, or this checkout's debug build) in observe mode, and leaves in DIRECTORY: a
spool whose events are spread over the last seven days, postern.toml with the rules that watched, strict.toml with the same
rules enforced, and the store that postern-ledger(8) made of the spool. Only the times of the events are changed.

Who sends: three companies that sign and are permitted; a newsletter that signs for itself; an alumni service that forwards
mail of many authors, unbroken; a mailing list that puts a footer below what its members wrote; a shop whose record forgets
its new host; and strangers who forge all of them.
"""

import argparse
import asyncio
import glob
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "Integration"), os.path.join(HERE, "..", "Faults")]

import daemon

try:
    import mail
except ModuleNotFoundError as missing:
    sys.exit(f"{sys.argv[0]}: the Python module {missing.name} is missing (Debian: python3-dkim, for /usr/bin/python3)")
from swarm import Message, Session
from test_events import Spooled

COMPANIES = ("bank.example", "carrier.example", "university.example")
ZONE = """\
bank.example. 300 IN TXT "v=spf1 ip4:192.0.2.10 -all"
_dmarc.bank.example. 300 IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@bank.example"
carrier.example. 300 IN TXT "v=spf1 ip4:192.0.2.20 -all"
_dmarc.carrier.example. 300 IN TXT "v=DMARC1; p=quarantine"
university.example. 300 IN TXT "v=spf1 ip4:192.0.2.30 -all"
shop.example. 300 IN TXT "v=spf1 ip4:192.0.2.40 -all"
news.example. 300 IN TXT "v=spf1 ip4:192.0.2.50 ~all"
lists.example. 300 IN TXT "v=spf1 ip4:203.0.113.60 -all"
10.2.0.192.in-addr.arpa. 300 IN PTR mail.bank.example.
mail.bank.example. 300 IN A 192.0.2.10
20.2.0.192.in-addr.arpa. 300 IN PTR out.carrier.example.
out.carrier.example. 300 IN A 192.0.2.20
9.113.0.203.in-addr.arpa. 300 IN PTR relay.alumni.example.
relay.alumni.example. 300 IN A 203.0.113.9
60.113.0.203.in-addr.arpa. 300 IN PTR lists.lists.example.
lists.lists.example. 300 IN A 203.0.113.60
41.2.0.192.in-addr.arpa. 300 IN PTR new.shop.example.
new.shop.example. 300 IN A 192.0.2.41
"""
RULES = """\
[[rules]]
name = "spf-strict"
when = { spf = "fail" }
action = "reject"

[[rules]]
name = "dmarc-fail"
when = { dmarc = "fail", dmarc_policy = ["reject", "quarantine"] }
action = "junk"

"""
EVENTS = """\
[events]
spool = "@DIRECTORY@/spool"
host = "mx1"
"""
PEOPLE = ("ann", "bob", "eve", "joe")


def fields(message):
    """The fields and the body of a message."""
    header, _, body = message.partition(b"\r\n\r\n")
    lines = header.decode().replace("\r\n ", "\n ").replace("\r\n\t", "\n\t").split("\r\n")
    return [(name, value.removeprefix(" ")) for name, _, value in (line.partition(":") for line in lines)], body


class Week:
    """The mail, as (client, HELO, message)."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.numbers = itertools.count()
        self.signed = {domain: mail.key(domain).sign(mail.letter(author=f"staff@{domain}")) for domain in COMPANIES}
        self.newsletter = mail.key("news.example").sign(mail.letter(author="letter@news.example"))

    def one(self):
        kinds = (self.company, self.news, self.alumni, self.list, self.shop, self.forger)
        return self.random.choices(kinds, (50, 15, 6, 4, 5, 20))[0]()

    def message(self, client, helo, sender, letter, body=b""):
        headers, text = fields(letter)
        queue_id = f"4{self.random.getrandbits(36):09X}{next(self.numbers):X}"
        recipients = (f"{self.random.choice(PEOPLE)}@example.org",)
        return client, helo, Message(sender, recipients, headers, text + body, queue_id)

    def company(self):
        domain = self.random.choice(COMPANIES)
        host = 10 * (1 + COMPANIES.index(domain))
        return self.message(f"192.0.2.{host}", f"mail.{domain}", f"staff@{domain}", self.signed[domain])

    def news(self):
        return self.message("192.0.2.50", "out.news.example", "bounce@news.example", self.newsletter)

    def alumni(self):
        domain = self.random.choice(COMPANIES)
        return self.message("203.0.113.9", "relay.alumni.example", f"staff@{domain}", self.signed[domain])

    def list(self):
        domain = self.random.choice(COMPANIES)
        return self.message("203.0.113.60", "lists.lists.example", "list-bounces@lists.example", self.signed[domain], b"-- \r\nA list\r\n")

    def shop(self):
        host = self.random.choice([40, 40, 41])
        return self.message(f"192.0.2.{host}", "mail.shop.example", "orders@shop.example", mail.letter(author="orders@shop.example"))

    def forger(self):
        domain = self.random.choice([*COMPANIES, "shop.example"])
        client = f"198.51.100.{self.random.randrange(1, 250)}"
        return self.message(client, f"host-{self.random.randrange(99)}.example", f"billing@{domain}", mail.letter(author=f"billing@{domain}"))


async def play(address, week, count):
    for _ in range(count):
        client, helo, message = week.one()
        session = await Session.open(address, client, helo)
        await session.send(message)
        await session.close()


async def play_all(address, count):
    await asyncio.gather(*(play(address, Week(seed), count // 4) for seed in range(4)))


def spread(paths):
    """Spreads the events of segments over the last seven days."""
    lines = [(path, line) for path in sorted(paths) for line in open(path, encoding="utf-8")]
    began, step = time.time() - 7 * 86400, 7 * 86400 / max(1, len(lines))
    text = {path: [] for path in paths}
    for number, (path, line) in enumerate(lines):
        event = json.loads(line)
        event["time"] = round(began + number * step, 3)
        text[path].append(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")
    for path, written in text.items():
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(written)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("directory")
    arguments.add_argument("--messages", type=int, default=4000)
    arguments = arguments.parse_args()
    os.makedirs(os.path.join(arguments.directory, "spool"))
    zone = ZONE + "".join(mail.key(domain).record for domain in (*COMPANIES, "news.example"))
    with Spooled(RULES + EVENTS, zone, mode="observe") as postern:
        asyncio.run(play_all(postern.unix, arguments.messages))
        postern.stop_process()
        for name in postern.segments():
            shutil.move(os.path.join(postern.spool, name), os.path.join(arguments.directory, "spool"))
    spread(glob.glob(os.path.join(arguments.directory, "spool", "*.events")))
    place = os.path.abspath(arguments.directory)
    ledger = f'[ledger]\nstore = "{place}/ledger.sqlite"\n'
    for name, mode in (("postern.toml", "observe"), ("strict.toml", "enforce")):
        with open(os.path.join(place, name), "w", encoding="utf-8") as file:
            file.write(f'mode = "{mode}"\n\n' + RULES + EVENTS.replace("@DIRECTORY@", place) + "\n" + ledger)
    subprocess.run([daemon.ledger(), "take", "--config", os.path.join(place, "postern.toml")], check=True)


main()
