#!/usr/bin/python3
"""Judge the events of mail that is played to a filter: by the schema that ships, and by DuckDB with the table that ships.

    Tests/Judges/events.py [--messages N] [--skip-build]

The messages are of all kinds: honest, forged, signed, broken, hostile, to several recipients, of our own. jsonschema judges
every event against event.schema.json with nothing added; DuckDB, where it is installed (PyPI has it, Debian has not), loads
the same events by events.duckdb.sql, and both must count the same. The exit status is 1 where an event is not as described.
"""

import argparse
import asyncio
import collections
import functools
import importlib.util
import json
import os
import random
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "Integration"), os.path.join(HERE, "..", "Faults")]

import jsonschema

import mail

from swarm import Message, Session
from test_events import SCHEMA, Spooled, schema

ZONE = """\
example.com. 300 IN TXT "v=spf1 ip4:192.0.2.0/24 exp=why.example.com -all"
why.example.com. 300 IN TXT "%{i} may not send for \\"%{o}\\""
_dmarc.example.com. 300 IN TXT "v=DMARC1; p=reject; sp=none; np=quarantine; fo=1:d:s; rua=mailto:r@example.com!10m,mailto:s@example.com; ruf=mailto:f@example.com"
strict.example. 300 IN TXT "v=spf1 -all"
_dmarc.strict.example. 300 IN TXT "v=DMARC1; p=quarantine; t=y; psd=n; adkim=s; aspf=s"
broken.example. 300 IN TXT "v=spf1 ip4:x"
_dmarc.broken.example. 300 IN TXT "v=DMARC1; p=odd"
9.113.0.203.in-addr.arpa. 300 IN PTR mail.example.com.
mail.example.com. 300 IN A 203.0.113.9
"""
RULES = """\
[[rules]]
name = "spf-strict"
when = { spf = "fail", recipient_domains = "protected.example" }
action = "reject"

[[rules]]
name = "on-trial"
when = { dmarc = "fail" }
action = "quarantine"
observe = true

[[rules]]
name = "mark"
when = { iprev = "pass" }
action = "mark"

[[rules]]
name = "weak"
when = { spf = ["softfail", "permerror"] }
unless = { helo = "friend.example" }
action = "junk"

[events]
spool = "@DIRECTORY@/spool"
host = "judge"
answers = "all"
"""
CLIENTS = ["192.0.2.1", "203.0.113.9", "198.51.100.7", "2001:db8::1"]
DOMAINS = ["example.com", "strict.example", "broken.example", "none.example", "bücher.example", "b\\c.example", ""]
HOSTILE = ["", "\"", "\\", "\x1b[31m", "\x7f", "é", "\u2028", "\udcff", "a" * 300, "{}[],:", "%s%n", "</script>"]


@functools.cache
def signed():
    """A signed letter as its fields and its body."""
    header, _, body = mail.key("example.com").sign(mail.letter()).partition(b"\r\n\r\n")
    lines = header.decode().replace("\r\n ", "\n ").replace("\r\n\t", "\n\t").split("\r\n")
    return [(name, value.removeprefix(" ")) for name, _, value in (line.partition(":") for line in lines)], body


def messages(count, chance):
    """Messages of every kind, each with its client and its HELO name."""
    for number in range(count):
        domain = chance.choice(DOMAINS)
        odd = chance.choice(HOSTILE) if chance.random() < 0.3 else "a"
        sender = f"{odd}@{domain}" if domain else ""
        fields, body = signed() if chance.random() < 0.3 else ([("From", f"{odd} <a@{domain}>"), ("Message-ID", f"<{odd}>")], b"Hello.\r\n")
        if chance.random() < 0.05:
            fields = [*fields, ("From", "b@other.example")]
        recipients = chance.sample(["a@protected.example", "b@open.example", odd + "@open.example", "postmaster"], chance.choice([1, 1, 2, 3]))
        yield chance.choice(CLIENTS), chance.choice(["mail.example.com", "friend.example", odd]), Message(
            sender.replace("\0", ""), tuple(recipients), fields, body if chance.random() < 0.9 else body + b"x", f"J{number}")


async def play(address, count, seed):
    """Sends the messages, some in one session."""
    left = list(messages(count, random.Random(seed)))
    while left:
        client, helo, _ = left[-1]
        session = await Session.open(address, client, helo)
        for _ in range(min(10, len(left))):
            outcome = await session.send(left.pop()[2])
            if outcome.action == "closed":
                break
        await session.close()


async def play_all(address, count):
    await asyncio.gather(*(play(address, count // 8, seed) for seed in range(8)))


def judged_by_schema(lines):
    validator = jsonschema.Draft202012Validator(schema())
    wrong = 0
    for line in lines:
        for error in validator.iter_errors(json.loads(line)):
            wrong += 1
            if wrong <= 5:
                print(f"not as {os.path.basename(SCHEMA)} says: {error.json_path}: {error.message[:200]}")
    return wrong


def judged_by_duckdb(path, events):
    """How many counts differ; None where DuckDB is not installed."""
    if importlib.util.find_spec("duckdb") is None:
        return None
    import duckdb

    with duckdb.connect() as database:
        with open(os.path.join(HERE, "..", "..", "Packaging", "events.duckdb.sql"), encoding="utf-8") as file:
            database.execute(file.read())
        database.execute(f"COPY event FROM '{path}' (FORMAT json, MAXIMUM_OBJECT_SIZE 4194304)")
        seen = dict(database.execute("SELECT verdict.action, count(*) FROM event GROUP BY ALL").fetchall())
        signatures = database.execute("SELECT sum(len(dkim)) FROM event").fetchone()[0]
    wanted = collections.Counter(event["verdict"]["action"] for event in events)
    wrong = sum(seen.get(action, 0) != count for action, count in wanted.items())
    return wrong + (signatures != sum(len(event["dkim"] or []) for event in events))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--messages", type=int, default=1600)
    arguments.add_argument("--skip-build", action="store_true")
    arguments = arguments.parse_args()
    if not arguments.skip_build:
        subprocess.run(["swift", "build", "--product", "postern"], cwd=os.path.join(HERE, "..", ".."), check=True)
    with Spooled(RULES, ZONE + mail.key("example.com").record) as postern:
        asyncio.run(play_all(postern.unix, arguments.messages))
        postern.stop_process()
        lines = [line for name in postern.segments() for line in open(os.path.join(postern.spool, name), "rb")]
        path = postern.path("all.json")
        with open(path, "wb") as file:
            file.writelines(lines)
        events = [json.loads(line) for line in lines]
        wrong = judged_by_schema(lines)
        loaded = judged_by_duckdb(path, events)
    actions = collections.Counter(event["verdict"]["action"] for event in events)
    print(f"{len(events)} events ({', '.join(f'{count} {action}' for action, count in sorted(actions.items()))}): {wrong} not as the schema says")
    print("DuckDB: not installed, so not asked" if loaded is None else f"DuckDB: {loaded} counts differ")
    sys.exit(1 if wrong or loaded or len(events) < arguments.messages * 9 // 10 else 0)


main()
