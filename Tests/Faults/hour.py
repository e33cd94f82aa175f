#!/usr/bin/python3
"""An hour of mail, ordinary and hostile, and whether anything is lost, unstamped or leaks.

    Tests/Faults/hour.py [--minutes N] [--rate N] [--postern PATH]

Starts Postern with a configuration of its own and a name server on loopback whose answers last 45 seconds, and sends so many
messages a second by milter: signed, unsigned and forged ones, mail of our own, hostile ones, messages that are aborted and
connections that hang up. Twice a minute the configuration is read again.

Prints a line a minute, and the sums. Ends with 1 where a message got no answer, an accepted one no Authentication-Results or
own mail no signature, where forged mail of a domain with "-all" was accepted, or honest mail was refused, where the rate was
not kept, or where memory, descriptors or threads grew. Memory is judged by a line through the least of each minute after the
warm-up, a sixth of the time; in less than 30 minutes it is printed and not judged. PATH is a release build, or the hour says
little.
"""

import argparse
import asyncio
import collections
import contextlib
import multiprocessing
import os
import random
import statistics
import sys
import time

import hostile
import mail
import name_server
import swarm
from faults import FORGER, HONEST, RULES, Filter, split
from name_server import TXT, ZONE_ANSWER, Record

OWN = "198.51.100.7"
DOMAINS = 60
CLIENTS = 2
SESSIONS = 12
# How many messages one connection brings, as Postfix' smtpd processes do.
A_CONNECTION = 25
# The shares of a hundred messages.
SHARES = {"signed": 45, "unsigned": 25, "forged": 20, "own": 10}
# So many of a hundred are aborted, and at so many the connection hangs up.
ABORTED, HUNG_UP = 2, 2
# Costly messages a second.
COSTLY = 1
TTL = 45
# So many minutes tell whether memory grows.
JUDGED = 30
CONFIGURATION = RULES + """
[[signing]]
domain = "ours.example"
keys = [{ selector = "s", file = "@DIRECTORY@/keys/s.pem" }]
"""


def domain(number):
    return f"d{number}.example"


def zone():
    """Domains with a key, SPF and DMARC; answers last 45 s, so that they are asked for again and again."""
    record = mail.key("d0.example").record.partition(" TXT ")[2]
    lines = []
    for number in range(DOMAINS):
        lines.append(f's._domainkey.{domain(number)}. {TTL} IN TXT {record}'.rstrip())
        lines.append(f'{domain(number)}. {TTL} IN TXT "v=spf1 ip4:{HONEST} -all"')
        lines.append(f'_dmarc.{domain(number)}. {TTL} IN TXT "v=DMARC1; p=reject"')
    text = "\n".join(lines) + "\n" + hostile.ZONE + hostile.wide_zone(50)
    return text.replace(" 300 IN ", f" {TTL} IN ")


def fresh(query):
    """Names that nobody has asked about before, besides what the zone says."""
    if query.kind == "TXT" and query.name.endswith(".fresh.example") and query.name.count(".") == 2:
        return query.reply(Record(query.name, TXT, f"v=spf1 ip4:{HONEST} -all", TTL))
    return ZONE_ANSWER


def letters():
    """The messages of each kind, made once."""
    body = (b"x" * 70 + b"\r\n") * 40
    key = mail.key("d0.example")
    made = collections.defaultdict(list)
    for number in range(DOMAINS):
        author = f"a@{domain(number)}"
        plain = mail.letter(author=author, body=body)
        key.domain = domain(number)
        for kind, letter in (("signed", key.sign(plain)), ("unsigned", plain), ("forged", plain)):
            fields, content = split(letter)
            made[kind].append(swarm.Message(author, headers=fields, body=content))
    fields, content = split(mail.letter(author="a@ours.example", body=body))
    made["own"].append(swarm.Message("a@ours.example", headers=fields, body=content))
    made["costly"] = [kind.message() for kind in hostile.KINDS] + [hostile.wide()]
    return made


class Traffic:
    """The messages that one process sends, and what came of them."""

    def __init__(self, address, made, rate, number):
        self.address, self.made, self.rate, self.number = address, made, rate, number
        self.counts = collections.Counter()
        self.times = []
        self.random = random.Random(number)
        self.fresh = 0
        self.over = asyncio.Event()

    def message(self, kind):
        """A message of a kind, and at times one of a domain that was never heard of."""
        message = self.random.choice(self.made[kind])
        if kind in ("unsigned", "forged") and self.random.random() < 0.1:
            self.fresh += 1
            author = f"a@n{self.number}-{self.fresh}.fresh.example"
            message = swarm.Message(author, headers=[("From", author), ("Subject", "fresh")])
        return message

    async def hold(self, kind, interval, delay):
        """One connection after another with messages of a kind, one in each interval."""
        client = {"signed": HONEST, "unsigned": HONEST, "own": OWN}.get(kind, FORGER)
        due = time.monotonic() + delay
        session, left = None, 0
        while not await self.waited(due - time.monotonic()):
            due += interval
            if left == 0:
                if session:
                    await session.close()
                session, left = await swarm.Session.open(self.address, client), A_CONNECTION
            left -= 1
            if not await self.send(session, kind):
                session, left = None, 0

    async def waited(self, seconds):
        """Waits; whether all is over meanwhile."""
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.over.wait(), seconds)
        return self.over.is_set()

    async def send(self, session, kind):
        """Sends one; whether the connection goes on."""
        chance = self.random.random() * 100
        if kind != "costly" and chance < ABORTED:
            self.counts["aborted"] += 1
            await session.send(self.message(kind), last="A")
            return True
        if kind != "costly" and chance < ABORTED + HUNG_UP:
            self.counts["hung up"] += 1
            await session.send(self.message(kind), last="Q")
            session.writer.transport.abort()
            return False
        began = time.monotonic()
        self.counts["sent"] += 1
        outcome = await session.send(self.message(kind))
        self.counts["answered"] += outcome.action != "closed"
        self.counts[kind, outcome.action] += 1
        if kind != "costly":
            self.times.append(time.monotonic() - began)
        if outcome.action == "accept":
            stamp = "DKIM-Signature" if kind == "own" else "Authentication-Results"
            self.counts["accepted"] += 1
            self.counts["stamped"] += any(name == stamp for name, _ in outcome.fields)
        return outcome.action != "closed"

    async def guarded(self, *arguments):
        """A connection that fails is counted, and another takes its place."""
        while not self.over.is_set():
            try:
                await self.hold(*arguments)
            except OSError as error:
                self.counts["failed", str(error)] += 1
                await asyncio.sleep(1)

    async def run(self, pipe):
        tasks = []
        for kind, share in SHARES.items():
            count = max(1, SESSIONS * share // 100)
            interval = count / (self.rate * share / 100)
            tasks += [asyncio.create_task(self.guarded(kind, interval, interval * at / count)) for at in range(count)]
        tasks.append(asyncio.create_task(self.guarded("costly", CLIENTS / COSTLY, self.number / COSTLY)))
        while not pipe.poll():
            await asyncio.sleep(1)
            pipe.send((self.counts.copy(), self.times))
            self.times = []
        # What is under way may end; what has not ended then is lost.
        self.over.set()
        await asyncio.wait(tasks, timeout=60)
        pipe.send((self.counts.copy(), self.times))


class Clients:
    """The processes that send."""

    def __init__(self, address, rate):
        self.address, self.rate = address, rate
        self.made = letters()
        self.processes, self.counts, self.times = [], {}, []

    def __enter__(self):
        context = multiprocessing.get_context("fork")
        for number in range(CLIENTS):
            here, there = multiprocessing.Pipe()
            traffic = Traffic(self.address, self.made, self.rate / CLIENTS, number)
            process = context.Process(target=lambda traffic=traffic, pipe=there: asyncio.run(traffic.run(pipe)), daemon=True)
            process.start()
            self.processes.append((process, here))
        return self

    def __exit__(self, *_):
        for process, _ in self.processes:
            process.kill()
            process.join()

    def finish(self):
        """The sums when all that is under way has ended."""
        for _, pipe in self.processes:
            pipe.send("over")
        stop = time.monotonic() + 90
        while any(process.is_alive() for process, _ in self.processes) and time.monotonic() < stop:
            self.collect()
            time.sleep(0.2)
        return self.collect()

    def collect(self):
        """The sums so far; `times` are those since the last line."""
        for number, (_, pipe) in enumerate(self.processes):
            with contextlib.suppress(EOFError, OSError):
                while pipe.poll():
                    self.counts[number], times = pipe.recv()
                    self.times += times
        return sum(self.counts.values(), collections.Counter())

    def processor_time(self):
        return sum(time.clock_gettime((~process.pid << 3) | 2) for process, _ in self.processes)


Sample = collections.namedtuple("Sample", "time memory descriptors threads")


def least(samples):
    """The sample of least memory in each minute: what a costly message holds for a moment is no leak."""
    minutes = collections.defaultdict(list)
    for each in samples:
        minutes[each.time // 60].append(each)
    return [min(part, key=lambda each: each.memory) for part in minutes.values()]


def slope(samples):
    """The line through memory by least squares: KiB a second, and how far samples are from it."""
    line = statistics.linear_regression([each.time for each in samples], [each.memory for each in samples])
    rest = [each.memory - line.slope * each.time - line.intercept for each in samples]
    return line.slope, statistics.pstdev(rest)


def watch(postern, clients, options):
    """Samples until the time is over; prints a line a minute."""
    samples, began = [], time.monotonic()
    minute, cpu, own, sent, last = 0, postern.processor_time(), clients.processor_time(), 0, 0.0
    print("minute  sent/s  p50 ms  p99 ms  MiB    descriptors  threads  CPU   CPU of the clients", flush=True)
    while minute < options.minutes:
        time.sleep(5)
        now = time.monotonic() - began
        counts = clients.collect()
        if not postern.running():
            break
        samples.append(Sample(now, postern.memory(), postern.descriptors(), postern.threads()))
        if len(samples) % 6 == 0:
            postern.reload()
        if now < 60 * (minute + 1):
            continue
        minute += 1
        times = sorted(clients.times) or [0.0]
        clients.times = []
        spent, last = now - last, now
        cpu, own, sent, before = postern.processor_time(), clients.processor_time(), counts["sent"], (cpu, own, sent)
        print(
            f"{minute:6}  {(sent - before[2]) / spent:6.0f}  {times[len(times) // 2] * 1000:6.1f}"
            f"  {times[int(len(times) * 0.99)] * 1000:6.1f}  {samples[-1].memory / 1024:5.1f}  {samples[-1].descriptors:11}"
            f"  {samples[-1].threads:7}  {(cpu - before[0]) / spent:4.0%}  {(own - before[1]) / spent:4.0%}",
            flush=True,
        )
    return samples


def verdicts(postern, counts, samples, options):
    """What is wrong, in words."""
    wrong = []
    if not postern.running():
        wrong.append("Postern ended:\n" + postern.read("log")[-2000:])
    if counts["sent"] != counts["answered"]:
        wrong.append(f"{counts['sent'] - counts['answered']} messages got no answer")
    wrong += [f"{kind} mail: {count} connections {what}" for (kind, what), count in pairs(counts) if what == "closed"]
    wrong += [f"{count} connections failed: {what}" for (kind, what), count in pairs(counts) if kind == "failed"]
    if counts["stamped"] != counts["accepted"]:
        wrong.append(f"{counts['accepted'] - counts['stamped']} accepted messages are not stamped, or not signed")
    if counts["forged", "accept"]:
        wrong.append(f"{counts['forged', 'accept']} forged messages were accepted")
    for kind in ("signed", "unsigned", "own"):
        if counts[kind, "reject"] or counts[kind, "tempfail"] > 0.001 * counts["sent"]:
            wrong.append(f"{kind} mail: {counts[kind, 'reject']} refused, {counts[kind, 'tempfail']} put off")
    if counts["sent"] < 0.9 * options.rate * 60 * options.minutes:
        wrong.append(f"{counts['sent']} messages sent, too few for the rate")
    return wrong + growth(samples, options)


def pairs(counts):
    return [(key, count) for key, count in counts.items() if isinstance(key, tuple)]


def growth(samples, options):
    """What has grown after the warm-up."""
    kept = [each for each in samples if each.time > 10 * options.minutes]
    if len(kept) < 4:
        return ["too few samples"]
    points = least(kept)
    rise, scatter = slope(points if len(points) > 2 else kept)
    grown = rise * (kept[-1].time - kept[0].time)
    print(f"memory: {rise * 3600 / 1024:+.2f} MiB an hour, {grown / 1024:+.2f} MiB in all, scatter {scatter / 1024:.2f} MiB")
    wrong = []
    if options.minutes >= JUDGED and grown > max(2048, 2 * scatter):
        wrong.append("memory grows")
    half = len(kept) // 2
    for what, room in (("descriptors", 6), ("threads", 4)):
        early, late = (max(getattr(each, what) for each in part) for part in (kept[:half], kept[half:]))
        print(f"{what}: at most {early} in the first half, {late} in the second")
        if late > early + room:
            wrong.append(f"{what} grow")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--postern", metavar="PATH")
    options = parser.parse_args()
    if options.postern:
        os.environ["POSTERN"] = os.path.abspath(options.postern)
    postern = Filter(
        ["127.0.0.1:9"], CONFIGURATION, trusted=[OWN],
        # A line for each message would fill the disk, and nobody reads a million.
        replace={'destination = "stderr"': 'destination = "stderr"\nlevel = "notice"'},
        # A cache that is full when the warm-up ends, because answers beyond their time stay until their room is wanted.
        dns=f'[dns.cache]\nmax_bytes = "4MiB"\nmax_ttl = "{TTL}s"\nnegative_max_ttl = "{TTL}s"',
    )
    with contextlib.ExitStack() as stack:
        stack.callback(postern.stop)
        address = stack.enter_context(name_server.in_process(zone(), script=fresh, remembers=False))
        os.mkdir(postern.path("keys"), 0o700)
        postern.write("keys/s.pem", mail.key("ours.example").pem.decode(), 0o600)
        postern.dns = f'servers = ["{address}"]'
        postern.configure(CONFIGURATION)
        postern.start()
        with Clients(postern.unix, options.rate) as clients:
            samples = watch(postern, clients, options)
            counts = clients.finish()
        if postern.running():
            print(postern.ask("status").stdout)
        print(", ".join(f"{counts[what]} {what}" for what in ("sent", "answered", "accepted", "stamped", "aborted", "hung up")))
        print(", ".join(f"{kind} {what}: {count}" for (kind, what), count in sorted(pairs(counts))))
        wrong = verdicts(postern, counts, samples, options)
    well = "nothing lost, nothing unstamped, no forged message accepted"
    print("\n".join(wrong) if wrong else f"{well}, nothing grows" if options.minutes >= JUDGED else well)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
