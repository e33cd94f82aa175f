#!/usr/bin/python3
"""Many messages and domains through the reports of the ledger, with kill -9 of its intake.

    Tests/Ledger/reports.py [--messages N] [--domains N] [--kills N] [--seed N] [--keep DIRECTORY]

Makes the events of two closed days: records that change at noon, t=y, np, IPv6, a d= that is never the same, domains of
which nothing passes, and mail that does not count. `postern-ledger take` is killed at random points until it has been killed
often enough, and then ends its work. The reports are made into a directory. By the rules of the manual, and not by our code,
it is counted here what each domain must be told of each day; every file is validated against the schema of RFC 9990 (Debian's
lxml; without it, or without the corpora, one line says so). Mail of a closed day must be shown, and not be in a report. What
it took is printed. The exit status is 1 where something is not as described.

Environment: POSTERN, the postern binary; postern-ledger is expected beside it.
"""

import argparse
import collections
import glob
import gzip
import importlib.util
import json
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Integration")]

import daemon
import generate

DAY = 86400
SCHEMA = "dmarc-rfc9989-examples/aggregate/dmarc-xml-0.2.xsd"
NAMESPACE = "{urn:ietf:params:xml:ns:dmarc-2.0}"
SEGMENT = 1500
CONFIGURATION = """\
[dns]
servers = ["127.0.0.1"]

[events]
spool = "{folder}/spool"

[ledger]
store = "{folder}/store"
max_bytes = "64GiB"

[reports]
organization = "Example Org"
address = "dmarc@example.org"
window = "00:00-24:00"
"""


def record(domain, afternoon):
    """The tags of a domain's record, and who wants reports of it: every tenth record changes at noon."""
    chance = random.Random(domain + "pm" * (afternoon and domain.endswith("0.example")))
    tags = {
        "p": chance.choice(("none", "quarantine", "reject")), "sp": chance.choice((None, "reject")),
        "np": chance.choice((None, None, "reject")), "adkim": chance.choice("rs"), "aspf": "r", "fo": "0",
        "t": chance.choice("nnny"), "psd": "u",
    }
    return tags, [f"mailto:r{chance.randrange(1000)}@{domain}"] if chance.random() < 0.95 else []


def change(event, number, domains):
    """Makes an event one of a domain with a record."""
    chance = random.Random(-number)
    place = chance.randrange(domains) if chance.random() < 0.5 else int(chance.paretovariate(0.7)) % domains
    domain = f"d{place}.example"
    below = chance.choice(("", "", "", "www.", "nx."))
    tags, rua = record(domain, event["time"] % DAY >= DAY // 2)
    result = "fail" if place % 11 == 0 else event["dmarc"]["result"].replace("none", "fail")
    asked = tags["p"] if not below else (tags["np"] if below == "nx." else None) or tags["sp"] or tags["p"]
    lower = {"reject": "quarantine"}.get(asked, "none")
    event["dmarc"].update(
        result=result, domain=domain, organizational=domain, published=asked, effective=lower if tags["t"] == "y" else asked,
        tags=tags, rua=rua, aligned=["dkim", "spf"] if result == "pass" else [], **{"from": below + domain})
    event["author"]["domains"] = [below + domain]
    event["mail_from"] = "" if chance.random() < 0.05 else f"a@{domain}"
    event["dkim"][0].update(d=domain if chance.random() < 0.95 else f"{chance.getrandbits(64):x}.example", result="pass")
    event["client"]["trusted"] = chance.random() < 0.02
    if chance.random() < 0.02:
        event["verdict"].update(action="tempfail", rule="slow")
    return event


def counts(event):
    """Whether an event is told to somebody: mail of others with a record that asks for reports, judged to its end."""
    verdict = event["verdict"]
    return not event["client"]["trusted"] and verdict["action"] != "tempfail" and bool(event["dmarc"]["rua"])


def segment(work):
    """Writes a segment; returns how many messages count, and may cause a report, of each record, and which domains passed."""
    spool, sequence, numbers, start, step, domains = work
    told, causing, passed, lines = collections.Counter(), collections.Counter(), set(), []
    for number in numbers:
        event = change(generate.event(number, start + number * step), number, domains)
        lines.append(json.dumps(event, separators=(",", ":")) + "\n")
        if not counts(event):
            continue
        dmarc = event["dmarc"]
        key = int(event["time"] // DAY), dmarc["domain"], json.dumps([dmarc["tags"], dmarc["rua"]])
        told[key] += 1
        causing[key] += bool(event["mail_from"])
        if dmarc["result"] == "pass":
            passed.add(dmarc["domain"])
    write(spool, sequence, lines)
    return told, causing, passed


def write(spool, sequence, lines):
    path = os.path.join(spool, f"mx1.{generate.BOOT}.{sequence:08}.events")
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.writelines(lines)
    os.rename(path + ".new", path)


def spool_of(spool, today, messages, domains):
    """Writes the spool; returns what must be told, by day and domain, and how many messages count."""
    step = 2 * DAY / messages
    work = [
        (spool, 1 + first // SEGMENT, range(first, min(first + SEGMENT, messages)), today - 2 * DAY, step, domains)
        for first in range(0, messages, SEGMENT)
    ]
    told, causing, passed = collections.Counter(), collections.Counter(), set()
    with multiprocessing.Pool() as pool:
        for some, cause, domains_passed in pool.imap_unordered(segment, work):
            told.update(some)
            causing.update(cause)
            passed |= domains_passed
    expected = collections.Counter()
    for (day, domain, policy), count in told.items():
        if causing[day, domain, policy] and domain in passed:
            expected[day, domain] += count
    return expected, sum(told.values())


class Program:
    """Runs of postern-ledger, and what they took."""

    def __init__(self, configuration):
        self.configuration = configuration
        self.seconds = self.memory = self.began = 0

    def start(self, *words):
        self.began = time.monotonic()
        return subprocess.Popen(
            [daemon.ledger(), *words, "--config", self.configuration], stdout=subprocess.PIPE, text=True)

    def end(self, process):
        """Waits for the end; returns the status."""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.seconds += used.ru_utime + used.ru_stime
        self.memory = max(self.memory, used.ru_maxrss)
        return process.returncode

    def run(self, *words):
        """Runs to the end; returns what was said."""
        with self.start(*words) as process:
            said = process.stdout.read()
            if self.end(process) != 0:
                sys.exit(f"{' '.join(words)} ended with {process.returncode}")
        return said

    def spent(self, name, events, began):
        """Prints what was taken since the last time."""
        each = f", {self.seconds / events * 1e6:.1f} µs of CPU each" if events else ""
        print(f"{name}: {time.monotonic() - began:.1f} s, CPU {self.seconds:.1f} s{each}, memory {self.memory >> 10} MiB", flush=True)
        self.seconds = self.memory = 0


def take(program, kills, messages):
    """Takes the spool in, with kills at random points; returns how many hit."""
    hit = 0
    for _ in range(kills):
        with program.start("take") as process:
            try:
                process.wait(random.uniform(0.02, 1.2 * messages * 1e-4 / max(1, kills)))
            except subprocess.TimeoutExpired:
                process.kill()
                hit += 1
                program.end(process)
    program.run("take")
    return hit


def schema_path():
    folders = (os.environ.get("POSTERN_CORPORA"), os.path.join(daemon.PACKAGE, "..", "shared", "corpora"), os.path.join(daemon.PACKAGE, ".build", "corpora"))
    paths = [os.path.join(folder, SCHEMA) for folder in folders if folder]
    return next(filter(os.path.exists, paths), None)


def validator():
    """A function that says what is wrong with a report: nothing where the schema cannot be used."""
    path = schema_path()
    if importlib.util.find_spec("lxml") is None or path is None:
        print(f"not run: validation; lxml or {SCHEMA} is not here")
        return lambda octets: None
    from lxml import etree
    schema = etree.XMLSchema(etree.parse(path))
    return lambda octets: None if schema.validate(etree.fromstring(octets)) else schema.error_log.last_error


def judge(paths, wrong_with):
    """Reads the reports; returns the messages by day and domain, what is wrong, and the octets of the files."""
    told, wrong, octets = collections.Counter(), [], 0
    for path in paths:
        with gzip.open(path) as file:
            text = file.read()
        octets += os.path.getsize(path)
        if problem := wrong_with(text):
            wrong.append(f"{os.path.basename(path)}: {problem}")
        root = xml.etree.ElementTree.fromstring(text)
        day = int(root.find(f".//{NAMESPACE}begin").text) // DAY
        domain = root.find(f"{NAMESPACE}policy_published/{NAMESPACE}domain").text
        told[day, domain] += sum(int(count.text) for count in root.iter(f"{NAMESPACE}count"))
    return told, wrong, octets


def files(program, folder, name):
    """Makes the reports into a directory of their own; returns their paths."""
    place = os.path.join(folder, name)
    os.mkdir(place)
    program.run("report", "send", "--directory", place)
    return glob.glob(os.path.join(place, "*.gz"))


def late(program, folder, today, sequence):
    """Closes the days, takes more of their mail in; returns how many messages are shown as late."""
    # Reports in a directory change nothing; to send those of nobody closes days.
    program.run("report", "send", "--domain", "nobody.example")
    events = [change(generate.event(number, today - DAY + 60), number, 50) for number in range(sequence, sequence + 100)]
    write(os.path.join(folder, "spool"), sequence, [json.dumps(event) + "\n" for event in events])
    program.run("take")
    shown = sum(day["late"] for day in json.loads(program.run("report", "status", "--format", "json"))["days"])
    return shown, sum(map(counts, events))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--domains", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", metavar="DIRECTORY")
    options = parser.parse_args()
    random.seed(options.seed)
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(check(options, options.keep or temporary))


def prepare(options, folder):
    """Writes the configuration and the spool; returns the program, when today began, and what must be told."""
    spool = os.path.join(folder, "spool")
    os.makedirs(spool)
    program = Program(os.path.join(folder, "postern.toml"))
    with open(program.configuration, "w", encoding="utf-8") as file:
        file.write(CONFIGURATION.format(folder=folder))
    now = time.time()
    today = int(now // DAY * DAY)
    # Yesterday is over ten seconds after midnight.
    time.sleep(max(0, today + 11 - now))
    expected, total = spool_of(spool, today, options.messages, options.domains)
    last = options.messages + 1
    write(spool, last, [json.dumps(change(generate.event(last, time.time()), last, options.domains)) + "\n"])
    return program, today, expected, total


def check(options, folder):
    """Plays it all; returns the exit status."""
    program, today, expected, total = prepare(options, folder)
    began = time.monotonic()
    hit = take(program, options.kills, options.messages)
    program.spent(f"intake of {options.messages:,} events, killed {hit} times", options.messages, began)
    began = time.monotonic()
    paths = files(program, folder, "first")
    program.spent(f"{len(paths):,} reports", 0, began)
    told, problems, octets = judge(paths, validator())
    print(f"{sum(told.values()):,} of {total:,} messages that count are told, of {len(told):,} domains and days; {octets:,} octets of gzip")
    problems += [f"{key}: {told[key]}, not {expected[key]}" for key in told | expected if told[key] != expected[key]]
    shown, came_late = late(program, folder, today, options.messages + 2)
    if shown != came_late:
        problems.append(f"{shown} late messages are shown, not {came_late}")
    if judge(files(program, folder, "again"), lambda octets: None)[0] != told:
        problems.append("late messages are in the reports")
    if hit < min(20, options.kills):
        problems.append(f"only {hit} kills hit")
    print(*problems[:20], f"{len(problems)} problems", sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    main()
