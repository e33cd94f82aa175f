#!/usr/bin/python3
"""Compare whom we take for the author with what three readers of addresses find, over malformed From fields.

The readers are Python's email package and Perl's Email::Address::XS and Mail::Address, which have no line in common. Where
all of them find addresses of one domain only, so must we; and where we find one domain, one of them must find it. What
author_differences.py argues otherwise is counted by its reason. Exits 1 on a difference without one.

Usage: author_readers.py [--count N] [--seed S] [--show REASON]
Environment: POSTERN, the postern binary; judge-driver is expected beside it.
"""

import argparse
import collections
import email
import email.policy
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import author_differences  # noqa: E402
import author_fields  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def lines(command, values):
    """What a program prints for each value, which it is given in hexadecimal."""
    given = "".join(value.hex() + "\n" for value in values).encode()
    done = subprocess.run(command, input=given, stdout=subprocess.PIPE, check=True)
    printed = done.stdout.decode().split("\n")[:-1]
    assert len(printed) == len(values), f"{command[0]} answered {len(printed)} of {len(values)}"
    return printed


def ours(values):
    """How we read each, and the domains."""
    driver = os.path.join(os.path.dirname(os.environ["POSTERN"]), "judge-driver")
    for line in lines([driver, "authors"], values):
        reading, *domains = line.split()
        yield reading, set(domains)


def python(value):
    """The domains that Python's email package finds."""
    try:
        message = email.message_from_bytes(b"From: " + value + b"\r\n\r\n", policy=email.policy.default)
        domains = [address.domain for address in message["From"].addresses if address.domain]
        return {domain.lower().encode("utf-8", "surrogateescape") for domain in domains}
    except Exception:  # It is not proof against everything that is tried here.
        return set()


def perl(values):
    """The domains that the two Perl modules find."""
    for line in lines(["perl", os.path.join(HERE, "author_readers.pl")], values):
        yield [{bytes.fromhex(one) for one in found.split(",") if one} for found in line.split("\t")]


def names(domains):
    """Domains as octets in A-labels; without address literals, which name none."""
    for domain in domains:
        if domain.startswith(b"["):
            continue
        try:
            yield domain.decode().encode("idna").decode().lower()
        except UnicodeError:
            yield repr(domain)


def difference(value, reading, domains, readers):
    """What is wrong in a word; nothing where nothing is."""
    agreed = len(set(map(frozenset, readers))) == 1 and len(readers[0]) == 1
    found = len(domains) == 1 and reading != "unreadable"
    if agreed and not (found and domains == readers[0]):
        return "missed"
    if found and not any(domains <= reader for reader in readers):
        return "alone"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", default="postern")
    parser.add_argument("--show")
    arguments = parser.parse_args()

    values = author_fields.fields(arguments.seed, arguments.count)
    readings, reasons, unexplained = collections.Counter(), collections.Counter(), []
    for value, (reading, domains), others in zip(values, ours(values), perl(values)):
        readings[reading] += 1
        readers = [set(names(found)) for found in (python(value), *others)]
        kind = difference(value, reading, domains, readers)
        if kind is None:
            continue
        reason = author_differences.reason(kind, value, readers)
        reasons[f"{kind}: {reason}"] += 1
        if reason is None or arguments.show == reason:
            unexplained.append((kind, value, reading, domains, readers))
    for kind, value, reading, domains, readers in unexplained[:40]:
        print(f"{kind}: {value!r}\n  we: {reading} {domains}; Python, Email::Address::XS, Mail::Address: {readers}")
    print(f"{len(values)} fields: " + ", ".join(f"{count} {reading}" for reading, count in sorted(readings.items())))
    for reason, count in sorted(reasons.items(), key=lambda pair: -pair[1]):
        print(f"{count:7} {reason}")
    return 1 if unexplained and not arguments.show else 0


if __name__ == "__main__":
    sys.exit(main())
