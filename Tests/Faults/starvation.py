#!/usr/bin/python3
"""What becomes of other people's mail while somebody fills the filter with lookups that nobody answers.

Usage: starvation.py [--unbound] [--seconds N] [--mixed] [CLIENTS...]

Each number of CLIENTS (default: 1 20) is a round of its own, with a Postern of its own: so many clients hold 200 sessions
each, and every message in them asks about ten silent domains of the attacker. Meanwhile forged mail of domains with "-all"
and honest mail of others come, each of a domain that was never asked about before; and mail of one domain that is known,
which shows what the machine itself takes, as the share of the time does in which the filter was ready to run and no processor
was free. Memory is divided by the lookups that are open, with all that their messages and sessions take. With --mixed the
attacker's servers answer for SPF and MX, and are silent about the hosts and keys that these lead to. With --unbound a stock
unbound stands between.

table.py plays a short round of 200 sessions as well. Prints a table, and what the log says of each round. Exits with 1 where a forged message was accepted, where less than 95 %
of the honest mail was judged or the rest of it not put off, where an honest message took more than two seconds for one in a
hundred, or where the log does not say once that lookups wait.
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

# pylint: disable=wrong-import-position
import daemon  # noqa: E402
import faults  # noqa: E402
import mta  # noqa: E402
import name_server  # noqa: E402
import swarm  # noqa: E402
from name_server import MX, TXT, Record  # noqa: E402

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
        if query.name in ("", "test"):
            # They exist, whatever is asked: unbound asks for them by itself (RFC 9156), and believes a denial for all below.
            known = query.name == "" and query.kind == "NS"
            return name_server.ZONE_ANSWER if known else query.reply(authority=(name_server.Zone.SOURCE,))
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


class Mail:
    """The mail that comes meanwhile, sent by a process of its own: ten honest and ten forged messages a second, two known."""

    KINDS = ("honest", "forged", "known")

    def __init__(self, address, seconds):
        self.address, self.seconds = address, seconds
        self.numbers = itertools.count(1)
        self.outcomes = {kind: [] for kind in self.KINDS}

    async def send(self, kind):
        number = next(self.numbers)
        domain = {"honest": "good", "forged": "bank"}.get(kind, "known") + f"{number}-{os.urandom(3).hex()}.test"
        if kind == "known":
            domain = "good.test"
        client = "198.51.100.9" if kind == "forged" else "203.0.113.5"
        began = time.monotonic()
        try:
            session = await swarm.Session.open(self.address, client, f"mail.{domain}")
            message = swarm.Message(f"a@{domain}", headers=[("From", f"a@{domain}")], queue_id=f"{kind}{number}")
            outcome = await session.send(message)
            await session.close()
        except (OSError, ConnectionError):
            outcome = swarm.Outcome("closed")
        outcome.whole, outcome.queue_id = time.monotonic() - began, f"{kind}{number}"
        self.outcomes[kind].append(outcome)

    async def all(self):
        tasks = []
        for turn in range(int(self.seconds * 10)):
            for kind in self.KINDS if turn % 5 == 0 else self.KINDS[:2]:
                tasks.append(asyncio.create_task(self.send(kind)))
            await asyncio.sleep(0.1)
        await asyncio.gather(*tasks)

    def run(self, pipe):
        asyncio.run(self.all())
        pipe.send(self.outcomes)


def processor_time(pid):
    """The seconds of CPU that a process has taken."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def processor_wait(pid):
    """The seconds that the threads of a process were ready to run and had no processor."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[1])
    return total / 1e9


def percentile(outcomes, share):
    return sorted(outcome.whole for outcome in outcomes)[int((len(outcomes) - 1) * share)]


class Round:
    """One attack, and the mail that comes meanwhile."""

    # So many clients are held by one process.
    CLIENTS_EACH = 5
    MOST_LINES = 5
    COLUMNS = (
        ("sessions", 10), ("forged: accepted/refused/put off", 32), ("honest: judged/put off/other", 28),
        ("p50", 7), ("p99", 7), ("known p99", 9), ("CPU", 5), ("no CPU free", 11), ("name server", 11), ("senders", 7),
        ("MiB", 5), ("kB a lookup", 11),
    )

    def __init__(self, postern, clients, seconds):
        self.postern, self.clients, self.seconds = postern, clients, seconds
        self.attacks = collections.Counter()

    @staticmethod
    def child(target, *arguments):
        context = multiprocessing.get_context("fork")
        here, there = multiprocessing.Pipe()
        process = context.Process(target=target, args=(*arguments, there), daemon=True)
        process.start()
        return process, here

    def run(self):
        servers = [process.pid for process in multiprocessing.active_children()]
        idle = self.postern.memory()
        clients = [f"192.0.2.{number + 1}" for number in range(self.clients)]
        attackers = [
            self.child(attack, self.postern.inet, clients[start:start + self.CLIENTS_EACH])
            for start in range(0, len(clients), self.CLIENTS_EACH)
        ]
        mta.wait_until(lambda: self.open_connections() >= 0.9 * SESSIONS * len(clients), "the attackers' sessions", 60)
        mail, pipe = self.child(Mail(self.postern.inet, self.seconds).run)
        parties = ([self.postern.process.pid], servers, [mail.pid] + [process.pid for process, _ in attackers])
        began, before = time.monotonic(), self.processor_times(parties)
        self.outcomes = pipe.recv()
        spent = [after - start for after, start in zip(self.processor_times(parties), before)]
        self.shares = [seconds / (time.monotonic() - began) for seconds in spent]
        self.memory = self.postern.memory()
        self.lookup = (self.memory - idle) / max(1, self.open_lookups())
        mail.join()
        self.told = status(self.postern, "DNS") + status(self.postern, "room") + self.lines()
        for process, pipe in attackers:
            pipe.send("over")
            self.attacks += pipe.recv()
            process.join()

    @staticmethod
    def processor_times(parties):
        filter_time, *others = [sum(map(processor_time, pids)) for pids in parties]
        return [filter_time, sum(map(processor_wait, parties[0])), *others]

    def open_lookups(self):
        words = "".join(status(self.postern, "DNS")).split()
        return int(words[-2]) if words else 0

    def open_connections(self):
        words = "".join(status(self.postern, "connections")).split()
        return int(words[1]) if words else 0

    # What came of it
    def lines(self):
        """What the log says of lookups and of the DNS, and of forged messages that were accepted."""
        log = self.postern.read("log").splitlines()
        accepted = {f"{outcome.queue_id}:" for outcome in self.outcomes["forged"] if outcome.action == "accept"}
        bypasses = [line for line in log if accepted.intersection(line.split())]
        told = [line for line in log if "lookups " in line or "DNS is " in line]
        return told + bypasses[:self.MOST_LINES]

    def count(self, kind, *actions):
        return sum(outcome.action in actions for outcome in self.outcomes[kind])

    def is_slow(self):
        return percentile(self.outcomes["honest"], 0.99) >= 2

    def failures(self):
        """What is not as it should be, but for the time that it takes."""
        honest = self.outcomes["honest"]
        judged = self.judged()
        notices = sum("lookups wait for room" in line for line in self.told)
        if self.count("forged", "accept"):
            yield "forged mail was accepted"
        if judged < 0.95 * len(honest):
            yield f"only {judged / len(honest):.1%} of the honest mail was judged"
        if judged + self.count("honest", "tempfail") < len(honest):
            yield "honest mail was neither judged nor put off"
        if notices != 1:
            yield f"the log says {notices} times that lookups wait"

    def judged(self):
        return sum(any("spf=pass" in value for _, value in outcome.fields) for outcome in self.outcomes["honest"])

    def report(self):
        honest, judged = self.outcomes["honest"], self.judged()
        deferred = self.count("honest", "tempfail")
        cells = (
            f"{self.clients} x {SESSIONS}",
            "/".join(str(self.count("forged", action)) for action in ("accept", "reject", "tempfail")),
            f"{judged}/{deferred}/{len(honest) - judged - deferred}",
            f"{percentile(honest, 0.5):.2f} s", f"{percentile(honest, 0.99):.2f} s",
            f"{percentile(self.outcomes['known'], 0.99):.2f} s",
            *(f"{share:.0%}" for share in self.shares), str(self.memory // 1024), f"{self.lookup:.1f}",
        )
        print("  ".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, self.COLUMNS)), flush=True)
        failures = list(self.failures()) + ["honest mail waits"] * self.is_slow()
        for line in [f"the attacker was answered {dict(self.attacks)}", *self.told, *(f"FAIL: {text}" for text in failures)]:
            print("    " + line, flush=True)
        return not failures


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
  local-zone: "test." nodefault
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
    print("  ".join(f"{name:>{width}}" for name, width in Round.COLUMNS))
    passed = True
    for clients in options.clients:
        with daemon.Postern(RULES, servers=[address], connections=5000) as postern:
            attacked = Round(postern, clients, options.seconds)
            attacked.run()
            passed = attacked.report() and passed
    return passed


def raise_descriptors():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@faults.row(
    "200 sessions of one client, ten silent domains in each message",
    "no forged mail is accepted, 95 % of other mail is judged and the rest put off; said in the log once",
)
def one_client():
    raise_descriptors()
    with name_server.in_process(script=World(mixed=False).answer) as server:
        with daemon.Postern(RULES, servers=[server]) as postern:
            attacked = Round(postern, 1, seconds=8)
            attacked.run()
    failures = list(attacked.failures())
    faults.require(not failures, "; ".join(failures))
    honest = attacked.outcomes["honest"]
    return (
        f"{attacked.count('forged', 'reject')} forged messages refused, {attacked.count('forged', 'tempfail')} put off; "
        f"{attacked.judged()} of {len(honest)} others judged, p99 {percentile(honest, 0.99):.2f} s"
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("clients", nargs="*", type=int)
    parser.add_argument("--unbound", action="store_true")
    parser.add_argument("--mixed", action="store_true")
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    options.clients = options.clients or [1, 20]
    raise_descriptors()
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
