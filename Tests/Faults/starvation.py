#!/usr/bin/python3
"""What becomes of other people's mail while somebody fills the filter with lookups that nobody answers.

Usage: starvation.py [--unbound] [--seconds N] [--mixed] [CLIENTS...]

Each number of CLIENTS (default: 1 20) is a round of its own: so many clients hold 200 sessions each, and every message in
them asks about ten silent domains of the attacker. Meanwhile forged mail of domains with "-all" and honest mail of others
come, each of a domain that was never asked about before. With --mixed the attacker's servers answer for SPF and MX, and are
silent about the hosts and keys that these lead to. With --unbound a stock unbound stands between.

Prints a line a round, and exits with 1 where a forged message was accepted, where less than 95 % of the honest mail was
judged, or where its last word took longer than two seconds for one in a hundred.
"""

import argparse
import asyncio
import collections
import contextlib
import itertools
import multiprocessing
import os
import resource
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Integration")]

import daemon
import mta
import name_server
import swarm
from name_server import MX, TXT, Record

SESSIONS = 200
DOMAINS = 10
SIGNATURE = (
    "v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s={selector}; h=from; "
    "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA"
)
RULES = """\
[[rules]]
name = "spf-strict"
when = { spf = ["fail"] }
action = "reject"
reply = "550 5.7.23 SPF fail"
"""


class World:
    """What the honest name servers know, and who is silent."""

    def __init__(self, mixed):
        self.mixed = mixed

    def answer(self, query):
        labels = query.name.split(".")
        owner = ".".join(labels[-2:])
        if owner.startswith("silent"):
            return self.attacker(query, labels, owner)
        if query.kind == "TXT" and query.name == owner and owner.startswith(("bank", "good")):
            return query.reply(Record(query.name, TXT, "v=spf1 ip4:203.0.113.5 -all"))
        if query.name in ("", "test") and query.kind in ("NS", "SOA"):
            return name_server.ZONE_ANSWER
        return query.reply(code=name_server.NXDOMAIN, authority=(name_server.Zone.SOURCE,))

    def attacker(self, query, labels, owner):
        if not self.mixed:
            return None
        if query.kind == "TXT" and query.name == owner:
            return query.reply(Record(owner, TXT, f"v=spf1 mx:a.{owner} mx:b.{owner} mx:c.{owner} -all", 1))
        if query.kind == "MX":
            hosts = [Record(query.name, MX, f"10 h{n}-{os.urandom(4).hex()}.{query.name}", 1) for n in range(10)]
            return query.reply(*hosts)
        return None


def attack(address, clients, pipe):
    """Holds the sessions of these clients until it is told to stop, and tells what they were answered."""
    answers = collections.Counter()
    numbers = itertools.count(1)
    label = os.urandom(3).hex()

    def message(number):
        domains = [f"silent{n}.test" for n in range(DOMAINS)]
        signatures = [
            ("DKIM-Signature", SIGNATURE.format(domain=domain, selector=f"s{number}-{label}")) for domain in domains
        ]
        domain = domains[number % DOMAINS]
        sender = f"x@{domain}" if number % 2 else f"x@n{number}-{label}.{domain}"
        author = f"<x@a{number}-{label}.{domain}>"
        return swarm.Message(sender, headers=[*signatures, ("From", author)], queue_id=f"X{number}")

    async def hold(client):
        session = None
        while True:
            number = next(numbers)
            try:
                session = session or await swarm.Session.open(address, client, f"h{number}-{label}.silent0.test")
                outcome = await session.send(message(number))
                answers[outcome.action] += 1
                if outcome.action == "closed":
                    session = None
            except (OSError, ConnectionError):
                session = None
                answers["refused"] += 1
                await asyncio.sleep(0.5)

    async def run():
        tasks = [asyncio.create_task(hold(client)) for client in clients for _ in range(SESSIONS)]
        await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())
    pipe.send(answers)


class Round:
    """One attack, and the mail that comes meanwhile."""

    # So many clients are held by one process.
    CLIENTS_EACH = 5

    def __init__(self, postern, clients, seconds):
        self.postern, self.clients, self.seconds = postern, clients, seconds
        self.numbers = itertools.count(1)
        self.attacks = collections.Counter()
        self.forged = []
        self.honest = []

    async def send(self, into, owner, client):
        number = next(self.numbers)
        domain = f"{owner}{number}-{os.urandom(3).hex()}.test"
        began = time.monotonic()
        try:
            session = await swarm.Session.open(self.postern.inet, client, f"mail.{domain}")
            outcome = await session.send(
                swarm.Message(f"a@{domain}", headers=[("From", f"a@{domain}")], queue_id=f"M{number}")
            )
            await session.close()
        except (OSError, ConnectionError):
            outcome = swarm.Outcome("closed")
        outcome.began, outcome.whole = began, time.monotonic() - began
        into.append(outcome)

    async def mail(self):
        """Ten honest and ten forged messages a second."""
        tasks = []
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            tasks.append(asyncio.create_task(self.send(self.honest, "good", "203.0.113.5")))
            tasks.append(asyncio.create_task(self.send(self.forged, "bank", "198.51.100.9")))
            await asyncio.sleep(0.1)
        await asyncio.gather(*tasks)

    def run(self):
        context = multiprocessing.get_context("fork")
        clients = [f"192.0.2.{number + 1}" for number in range(self.clients)]
        attackers = []
        for start in range(0, len(clients), self.CLIENTS_EACH):
            here, there = multiprocessing.Pipe()
            part = clients[start:start + self.CLIENTS_EACH]
            process = context.Process(target=attack, args=(self.postern.inet, part, there), daemon=True)
            process.start()
            attackers.append((process, here))
        mta.wait_until(lambda: self.open_connections() >= 0.9 * SESSIONS * len(clients), "the attackers' sessions", 60)
        began, self.cpu = time.monotonic(), -self.postern.processor_time()
        asyncio.run(self.mail())
        self.cpu = (self.cpu + self.postern.processor_time()) / (time.monotonic() - began)
        for process, pipe in attackers:
            pipe.send("over")
            self.attacks += pipe.recv()
            process.join()

    def open_connections(self):
        words = "".join(status(self.postern, "connections")).split()
        return int(words[1]) if words else 0

    # What came of it
    @property
    def judged(self):
        return [outcome for outcome in self.honest if any("spf=pass" in value for _, value in outcome.fields)]

    def report(self, name):
        times = sorted(outcome.whole for outcome in self.honest)
        p99 = times[int(len(times) * 0.99)]
        share = len(self.judged) / len(self.honest)
        accepted = sum(outcome.action == "accept" for outcome in self.forged)
        print(
            f"{name}: {self.clients} x {SESSIONS} sessions, answered {dict(self.attacks)}; "
            f"forged {dict(collections.Counter(outcome.action for outcome in self.forged))}; "
            f"honest judged {share:.1%}, {dict(collections.Counter(outcome.action for outcome in self.honest))}, "
            f"p50 {times[len(times) // 2]:.2f} s, p99 {p99:.2f} s; {self.cpu:.0%} CPU, {self.postern.memory()} KiB",
            flush=True,
        )
        return accepted == 0 and share >= 0.95 and p99 < 2


UNBOUND = """\
server:
  directory: "{directory}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: "{directory}/unbound.log"
  interface: 127.0.0.1@{port}
  access-control: 127.0.0.0/8 allow
  do-ip6: no
  do-not-query-localhost: no
  module-config: "iterator"
stub-zone:
  name: "."
  stub-addr: {honest}
{silent}
remote-control:
  control-enable: no
"""
STUB = 'stub-zone:\n  name: "{name}"\n  stub-addr: {address}\n'


class Unbound(mta.Server):
    """unbound as it comes, told where the zones are: the honest ones at one server, each silent one at its own."""

    def __init__(self, honest, silent):
        super().__init__()
        self.port = mta.free_port()
        stubs = "".join(
            STUB.format(name=name, address=address.replace(":", "@")) for name, address in silent.items()
        )
        self.write(
            "unbound.conf",
            UNBOUND.format(directory=self.directory, port=self.port, honest=honest.replace(":", "@"), silent=stubs),
        )

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        self.launch(["/usr/sbin/unbound", "-d", "-c", self.path("unbound.conf")], "output")
        mta.wait_until(lambda: mta.accepts(self.port) or not self.running(), "unbound's socket")
        if not self.running():
            raise RuntimeError("unbound did not start:\n" + self.read("output"))


def status(postern, word):
    text = postern.ask("status").stdout
    return [line for line in text.splitlines() if line.startswith(word)]


def rounds(options, address):
    passed = True
    with daemon.Postern(RULES, servers=[address], connections=5000) as postern:
        for clients in options.clients:
            attacked = Round(postern, clients, options.seconds)
            attacked.run()
            passed = attacked.report("unbound" if options.unbound else "direct") and passed
            print("  " + "\n  ".join(status(postern, "DNS") + status(postern, "room")), flush=True)
        told = [line for line in postern.read("log").splitlines() if "lookups " in line]
        print("  log: " + "\n       ".join(told or ["nothing"]))
    return passed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("clients", nargs="*", type=int)
    parser.add_argument("--unbound", action="store_true")
    parser.add_argument("--mixed", action="store_true")
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    options.clients = options.clients or [1, 20]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    world = World(options.mixed)
    with contextlib.ExitStack() as servers:
        honest = servers.enter_context(name_server.in_process(script=world.answer))
        if not options.unbound:
            sys.exit(0 if rounds(options, honest) else 1)
        silent = {
            f"silent{n}.test": servers.enter_context(name_server.in_process(script=world.answer, host=f"127.0.1.{n + 1}"))
            for n in range(DOMAINS)
        }
        unbound = servers.enter_context(Unbound(honest, silent))
        passed = rounds(options, unbound.address)
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
