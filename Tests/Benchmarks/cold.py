"""How long messages wait for the DNS, beside what the dependence of their lookups on one another makes necessary.

A lookup depends on an answer if only the answer tells that it is to be made: a term's on its SPF record, that of an MX
host's address on the MX record, a step of a DMARC tree walk (RFC 9989 section 4.10) on the step before. All others follow
from envelope and header, so they could be made at once. An answer that an earlier message brought counts as no step, if
none of the message's own tells the same.
"""
import math
import os
import re
import select
import socket
import statistics
import struct
import subprocess
import sys
import time

# python3-dnspython
import dns.message
import dns.rdatatype

import daemon
import load
import name_server
import scratch

# Where the tap listens.
ADDRESS = "127.0.53.54"


class Lookup:
    """A question that the daemon asked for a message, and what its answer tells of."""

    def __init__(self, question, message, asked):
        # In wire format; read when all are there, so that nothing waits for that.
        self.question, self.answer = question, b""
        # Places in the order of all questions and answers.
        self.message, self.asked, self.answered = message, asked, math.inf

    def read(self):
        question = dns.message.from_wire(self.question).question[0]
        self.name = question.name.to_text(omit_final_dot=True).lower()
        self.key = self.name, dns.rdatatype.to_text(question.rdtype)
        self.words = set()
        if not self.answer:
            return
        if self.name.startswith("_dmarc."):
            labels = self.name.split(".")[1:]
            self.words = {".".join(["_dmarc", *labels[start:]]) for start in range(1, len(labels))}
            return
        for record in (record for records in dns.message.from_wire(self.answer).answer for record in records):
            text = b"".join(record.strings).decode("latin-1") if hasattr(record, "strings") else record.to_text()
            words = {word.rstrip(".") for word in re.split(r"[\s:=/]+", text.lower())}
            # A term without a name asks for that of its record; one with macros may ask for any.
            own = {self.name} if words & {"spf1", "spf2.0"} else set()
            self.words |= words | own | ({"%{"} if own and "%{" in text else set())


class Message:
    """A message: the domains that it names, and then its times in milliseconds."""

    def __init__(self, columns):
        self.id, self.end, self.total, self.chain, self.sequence = columns[0], 0.0, 0.0, 0, 0
        with open(columns[6], "rb") as file:
            header = re.split(rb"\r?\n\r?\n", file.read(), maxsplit=1)[0].decode("latin-1").lower()
        named = re.findall(r"(?:@|\bd=)([\w.-]+)", header)
        self.domains = {*named, columns[3].lower(), columns[4].partition("@")[2].lower()}

    def names(self, lookup):
        """Whether envelope and header alone tell of a lookup."""
        if lookup.name.startswith("_dmarc."):
            domain = lookup.name.removeprefix("_dmarc.")
            return any(f".{each}".endswith(f".{domain}") for each in self.domains)
        domain = lookup.name.partition("._domainkey.")[2] or lookup.name
        return lookup.key[1] == "TXT" and domain in self.domains


class Lookups:
    """All lookups of a run."""

    def __init__(self, lookups):
        self.of_key, self.of_word = {}, {}
        for lookup in lookups:
            lookup.read()
            same = self.of_key.setdefault(lookup.key, [])
            # Asked again, for the first answer did not come in time.
            if not same or same[-1].message is not lookup.message:
                same.append(lookup)
            for word in lookup.words:
                self.of_word.setdefault(word, set()).add(lookup.key)

    def of(self, message):
        """A message's lookups, each with its place in its chain; infinite when nothing tells of it."""
        mine = {each.key: each for lookups in self.of_key.values() for each in lookups if each.message is message}
        known = {}

        def steps_before(lookup):
            """How many lookups of the message have to end before this one can begin."""
            if lookup.key not in known:
                known[lookup.key] = math.inf  # whatever leads here again
                is_named, least = message.names(lookup), math.inf
                if not is_named or lookup.name.startswith("_dmarc."):
                    tellers = self.of_word.get(lookup.name, set()) | self.of_word.get("%{", set())
                    told = [mine.get(key) or self.of_key[key][0] for key in tellers if key != lookup.key]
                    told = [teller for teller in told if teller.answered < lookup.asked]
                    # What the message itself asked is why; else an earlier one's answer, which costs no step.
                    own = [teller for teller in told if teller.message is message]
                    for teller in own or told:
                        least = min(least, steps_before(teller) + (teller.message is message))
                known[lookup.key] = 0 if is_named and least == math.inf else least
            return known[lookup.key]

        return [(steps_before(each) + 1, each) for each in mine.values()]


class Tap:
    """Stands between daemon and name server, and sees each question and answer."""

    def __init__(self, server):
        self.near, self.far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.near.bind((ADDRESS, 53))
        self.far.connect((server, 53))
        self.open, self.lookups, self.number = {}, [], 0
        self.round_trips = []

    def question(self, message):
        wire, client = self.near.recvfrom(65535)
        self.number += 1
        self.far.send(struct.pack("!H", self.number % 65536) + wire[2:])
        lookup = Lookup(wire, message, self.number)
        self.lookups.append(lookup)
        self.open[self.number % 65536] = client, wire[:2], lookup, time.monotonic()

    def answer(self):
        wire = self.far.recv(65535)
        client, number, lookup, asked = self.open.pop(struct.unpack("!H", wire[:2])[0])
        self.near.sendto(number + wire[2:], client)
        self.round_trips.append((time.monotonic() - asked) * 1000)
        if wire[2] & 2:
            sys.exit(f"a truncated answer: {wire!r}, and the tap does not pass on TCP")
        self.number += 1
        lookup.answer, lookup.answered = wire, self.number


class Run:
    """Follows a load program message by message."""

    def __init__(self, lines):
        # All read before the first is sent: the tap would let a lookup wait for a file.
        self.messages = {line[0]: Message(line) for line in lines}
        self.message, self.ended, self.text = None, [], b""

    def take(self, octets):
        *whole, self.text = (self.text + octets).split(b"\n")
        for line in whole:
            words = line.decode().split()
            if words[:1] == ["begin"]:
                self.message = self.messages[words[1]]
            elif words[:1] == ["end"]:
                self.end(*words[1:])

    def end(self, identifier, verdict, *microseconds):
        if verdict == "tempfail":
            sys.exit(f"{identifier}: {verdict}")
        self.message.end, self.message.total = (int(each) / 1000 for each in microseconds)
        self.ended.append(self.message)
        if len(self.ended) % 100 == 0:
            scratch.say(f"{len(self.ended)} of {len(self.messages)} messages")


def watch(output, tap, run):
    """Follows a run and what is asked in it; gives the messages."""
    while True:
        ready = select.select([output, tap.near, tap.far], [], [], 30)[0]
        if not ready:
            sys.exit("no message and no lookup for 30 s")
        # The load program first: it names a message before the daemon hears of it.
        if output in ready:
            octets = os.read(output.fileno(), 65536)
            if not octets:
                return run.ended
            run.take(octets)
        if tap.far in ready:
            tap.answer()
        if tap.near in ready:
            tap.question(run.message)


def measure(lines, delay):
    """Sends messages one after the other to a daemon that knows no answer, whose name server takes so many milliseconds;
    gives rows of a table."""
    run, tap = Run(lines), Tap(scratch.NAME_SERVER)
    with (
        name_server.serving(delay),
        daemon.start("targets-cold", daemon.STANDARD_ERROR, more=f'[dns]\nservers = ["{ADDRESS}"]') as process,
        subprocess.Popen(
            load.command([process], load.scenario(lines), concurrency=1, trace=True), stdout=subprocess.PIPE
        ) as program,
    ):
        try:
            messages = watch(program.stdout, tap, run)
        finally:
            program.terminate()
    if len(messages) != len(lines):
        sys.exit(f"{len(messages)} of {len(lines)} messages ended")
    lookups = Lookups(tap.lookups)
    asked = {message: lookups.of(message) for message in messages}
    for message, steps_of in asked.items():
        for steps, lookup in steps_of:
            if steps == math.inf:
                sys.exit(f"{message.id}: nothing tells of {' '.join(lookup.key)}")
        message.chain = max((steps for steps, _ in steps_of), default=0)
        message.sequence = longest_sequence([lookup for _, lookup in steps_of])
    round_trip, longest = statistics.median(tap.round_trips), max(tap.round_trips)
    for each in sorted(messages, key=lambda each: each.chain - each.total / round_trip)[:5]:
        chain = " ".join(f"{steps}:{lookup.name}/{lookup.key[1]}" for steps, lookup in asked[each])
        scratch.say(f"{each.id}: {each.total:.1f} ms, chain of {each.chain}: {chain}")
    return rows_of(messages, round_trip, longest)


def longest_sequence(lookups):
    """How many lookups at most began each after the end of the one before."""
    count, last = 0, 0
    for lookup in sorted(lookups, key=lambda each: each.answered):
        if lookup.asked > last:
            count, last = count + 1, lookup.answered
    return count


def rows_of(messages, round_trip, longest):
    chains = [message.chain for message in messages]
    spread = ", ".join(f"{length}: {chains.count(length)}" for length in sorted(set(chains)))
    rows = [("a round trip to the name server, p50, longest", "", f"{round_trip:.1f}, {longest:.1f} ms")]
    rows.append(("messages by the length of their longest chain, all sizes, cold", "", spread))
    further = [message.sequence - message.chain for message in messages]
    within = f"{100 * sum(value <= 1 for value in further) / len(messages):.1f} %, {max(further)}"
    rows.append(("lookups made one after the other: at most one more than the chain, worst", "100 %, ≤ 1", within))
    none = f"{100 * sum(value <= 0 for value in further) / len(messages):.1f} %"
    rows.append(("the same: none more than the chain", "", none))
    for title, time_of in (("end of message", lambda each: each.end), ("whole message", lambda each: each.total)):
        excess = {each: time_of(each) / round_trip - each.chain for each in messages}
        within = sum(value <= 1 for value in excess.values()) / len(messages)
        worst = max(excess, key=excess.get)
        rows.append((f"{title}: within one round trip more than the chain", "100 %", f"{100 * within:.1f} %"))
        rows.append((f"{title}: round trips beyond the chain, p50", "", f"{statistics.median(excess.values()):.2f}"))
        figure = f"{excess[worst]:.2f} ({worst.id}, chain of {worst.chain})"
        rows.append((f"{title}: round trips beyond the chain, worst", "≤ 1", figure))
    return rows
