#!/usr/bin/python3
"""How much memory the answers in the cache take, beside what the cache says that they take.

Usage: cache_memory.py [--count N] [KIND...]

Fills an empty cache with answers of one kind each time, and has messages use them, so that what they are parsed to is there
as well. Prints a line a kind; exits with 1 where the process grew by more than the cache says and a tenth of that.
"""

import argparse
import asyncio
import base64
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Integration")]

import daemon
import name_server
import swarm
from name_server import A, MX, TXT, Record

SIGNATURE = (
    "v=1; a={algorithm}; c=relaxed/relaxed; d={domain}; s={selector}; h=from; "
    "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b={signature}"
)


def public_key(kind, bits=None):
    options = ["-algorithm", kind] + (["-pkeyopt", f"rsa_keygen_bits:{bits}"] if bits else [])
    key = subprocess.run(["openssl", "genpkey", *options], check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubout", "-outform", "DER"], input=key, check=True, capture_output=True)
    return base64.b64encode(der.stdout[-32:] if kind == "ED25519" else der.stdout).decode()


def keys(kind, bits):
    """Messages with ten signatures each, every one by a key of its own."""
    record = f"v=DKIM1; k={'ed25519' if kind == 'ED25519' else 'rsa'}; p={public_key(kind, bits)}"
    algorithm = "ed25519-sha256" if kind == "ED25519" else "rsa-sha256"
    signature = base64.b64encode(b"\1" * (64 if kind == "ED25519" else bits // 8)).decode()

    def answer(query):
        if "_domainkey" in query.name:
            return query.reply(Record(query.name, TXT, record, 86400))
        return query.reply(code=name_server.NXDOMAIN, authority=(name_server.Zone.SOURCE,))

    def message(number):
        fields = [
            ("DKIM-Signature", SIGNATURE.format(
                algorithm=algorithm, domain="keys.test", selector=f"s{number}-{n}", signature=signature))
            for n in range(10)
        ]
        return swarm.Message("", headers=[*fields, ("From", "a@gone.test")], body=b"")

    return answer, message, 10


def records(text):
    """Messages whose SPF record is one of its own."""

    def answer(query):
        if query.kind == "TXT" and query.name.startswith("d"):
            return query.reply(Record(query.name, TXT, text, 86400))
        if query.kind == "MX":
            return query.reply(*(Record(query.name, MX, f"10 mx{n}.hosts.test", 86400) for n in range(5)))
        if query.kind == "A":
            return query.reply(*(Record(query.name, A, f"192.0.2.{n}", 86400) for n in range(5)))
        return query.reply(code=name_server.NXDOMAIN, authority=(name_server.Zone.SOURCE,))

    return answer, lambda number: swarm.Message(f"a@d{number}.spf.test", headers=[("From", "a@gone.test")]), 1


def policies(text):
    """Messages whose author's domain has a DMARC record of its own."""

    def answer(query):
        if query.kind == "TXT" and query.name.startswith("_dmarc.d"):
            return query.reply(Record(query.name, TXT, text, 86400))
        return query.reply(code=name_server.NXDOMAIN, authority=(name_server.Zone.SOURCE,))

    return answer, lambda number: swarm.Message("", headers=[("From", f"a@d{number}.dmarc.test")]), 1


NETWORKS = " ".join(f"ip4:198.51.{n}.0/24" for n in range(20))
KINDS = {
    "DMARC records": lambda: policies("v=DMARC1; p=reject; rua=mailto:reports@example.org; adkim=s; aspf=s"),
    "RSA keys of 1024 bits": lambda: keys("RSA", 1024),
    "RSA keys of 2048 bits": lambda: keys("RSA", 2048),
    "RSA keys of 4096 bits": lambda: keys("RSA", 4096),
    "Ed25519 keys": lambda: keys("ED25519", None),
    "short SPF records": lambda: records("v=spf1 -all"),
    "SPF records of 20 networks": lambda: records(f"v=spf1 {NETWORKS} -all"),
    "SPF records with MX": lambda: records("v=spf1 mx -all"),
}


async def send(address, message, numbers):
    session = await swarm.Session.open(address, "203.0.113.5", "gone.test")
    for number in numbers:
        await session.send(message(number))
    await session.close()


def cache(postern):
    line = re.search(r"^cache +(\d+) answers, (\d+) octets", postern.ask("status").stdout, re.M)
    return int(line[1]), int(line[2])


def measure(name, make, count):
    answer, message, each = make()
    with (
        name_server.in_process(script=answer) as address,
        daemon.Postern("[checks.iprev]\nenabled = false\n[why]\nhistory = 0\n", servers=[address]) as postern,
    ):
        asyncio.run(send(postern.inet, message, range(10)))
        answers, octets = cache(postern)
        before = postern.memory()
        asyncio.run(send(postern.inet, message, range(10, 10 + count // each)))
        added, grown = cache(postern)[0] - answers, cache(postern)[1] - octets
        memory = (postern.memory() - before) << 10
    print(f"{name}: {added} answers, said {grown / added:.0f} octets each, took {memory / added:.0f}", flush=True)
    return memory <= grown * 1.1 + (2 << 20)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("kinds", nargs="*", help="words of the kinds to be measured; all, when there is none")
    options = parser.parse_args()
    kinds = [name for name in KINDS if not options.kinds or any(word in name for word in options.kinds)]
    fits = [measure(name, KINDS[name], options.count) for name in kinds]
    sys.exit(0 if all(fits) else 1)


if __name__ == "__main__":
    main()
