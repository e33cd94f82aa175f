#!/usr/bin/python3
"""Writes a spool of made-up mail, to try and to measure the ledger with.

    generate.py DIRECTORY MESSAGES [--days N] [--hostile]

The messages end now, and are spread evenly over the days before. The same numbers give the same messages. With --hostile,
names and addresses hold what must not reach a terminal.
"""

import argparse
import json
import os
import random
import time

SEGMENT = 4 << 20
BOOT = "00112233445566ff"
RULES = ("strict", "forged", "weak", "no-name", "loud")
HOSTILE = "\u001b[31mred\u202e\r\n\u0007"


def results(rng):
    """DMARC, SPF and DKIM of a message: most mail passes."""
    dmarc = rng.choices(("pass", "none", "fail", "temperror"), (80, 11, 8.5, 0.5))[0]
    spf = "pass" if dmarc == "pass" else rng.choice(("fail", "softfail", "none", "neutral"))
    return dmarc, spf, "pass" if dmarc == "pass" else rng.choice(("fail", "none"))


def answers(domain, address):
    return [
        {"name": domain, "type": "TXT", "outcome": "records", "ttl": 300, "source": "server",
         "records": [f"v=spf1 ip4:192.0.2.0/24 include:_spf.{domain} -all"]},
        {"name": "_dmarc." + domain, "type": "TXT", "outcome": "no such name", "ttl": 300, "source": "cache", "records": []},
        {"name": "mail." + domain, "type": "A", "outcome": "records", "ttl": 60, "source": "server", "records": [address]},
    ]


def verdict(rng, dmarc):
    action = "accept" if dmarc == "pass" else rng.choices(("accept", "junk", "reject"), (70, 10, 20))[0]
    rule = rng.choice(RULES) if action != "accept" else None
    would = None
    if action == "accept" and dmarc == "fail":
        would = {"action": "reject", "rule": rng.choice(RULES), "stage": "eom"}
    reply = "550 5.7.1 rejected by policy" if action == "reject" else None
    return {"mode": "observe" if would else "enforce", "action": action, "stage": "eom", "rule": rule, "reply": reply,
            "would": would, "marks": [], "exempted": [], "trial": [], "undecided": [], "refused": [], "partial": None,
            "removed": 0}


def event(number, moment, hostile=False):
    rng = random.Random(number)
    domain = f"example{int(rng.paretovariate(0.7)) % 20000}.com"
    dmarc, spf, dkim = results(rng)
    address = f"192.0.{rng.randrange(256)}.{rng.randrange(256)}"
    if rng.random() < 0.2:
        address = f"2001:db8:{rng.randrange(1, 65536):x}::{rng.randrange(1, 65536):x}"
    sender = f"user{rng.randrange(50)}@{domain}"
    host = "mail." + domain
    spice = HOSTILE if hostile else ""
    return {
        "v": 1, "time": round(moment, 3), "host": "mx1.example.org", "listener": "inet:8891@127.0.0.1",
        "configuration": "5f3a9c21d0be8877", "id": f"{0x4000000000 + number:X}", "direction": "inbound",
        "addresses": "full",
        "client": {"ip": address, "name": host, "helo": host + spice, "trusted": False, "authenticated": False,
                   "login": None},
        "mail_from": sender + spice, "rcpt_to": [f"user{rng.randrange(5000)}@example.net" + spice],
        "refused_rcpt_to": [], "unnamed_rcpt_to": 0, "deferred_rcpt_to": [], "rcpt_stage": None,
        "message_id": f"{number}.{rng.getrandbits(64):x}@{domain}", "octets": rng.randrange(2000, 200000),
        "author": {"domains": [domain], "count": 1, "reading": "readable"},
        "spf": {"result": spf, "domain": domain, "mechanism": "ip4:192.0.2.0/24" + spice, "explanation": None,
                "problem": None},
        "spf_helo": {"result": "none", "domain": host, "mechanism": None, "explanation": None, "problem": None},
        "sender_id": {"result": spf, "pra": sender, "header": "From", "domain": domain, "mechanism": None,
                      "explanation": None, "problem": None},
        "dkim": [{"d": domain, "s": "2026r", "a": "rsa-sha256", "result": dkim, "aligned": "strict", "testing": False,
                  "problem": None if dkim == "pass" else "body hash differs", "diagnosis": []}],
        "dmarc": {"result": dmarc, "from": domain, "domain": domain, "organizational": domain, "method": "treewalk",
                  "published": "reject", "effective": "reject",
                  "tags": {"p": "reject", "sp": None, "np": None, "adkim": "r", "aspf": "r", "fo": "0", "t": "n",
                           "psd": "u"},
                  "rua": ["mailto:dmarc@" + domain], "ruf": [], "aligned": ["dkim", "spf"] if dmarc == "pass" else [],
                  "problem": None},
        "iprev": {"result": "pass", "names": [host], "unanswered": [], "problem": None},
        "facts": {"dkim": dkim, "dkim_aligned": dkim, "sender_id_aligned": spf, "pra": sender},
        "verdict": verdict(rng, dmarc), "signed": [], "unsigned": None, "problem": None,
        "dns": {"lookups": 7, "cached": 4, "starved": 0,
                "answers": None if dmarc == "pass" else answers(domain, address)},
        "ms": 12,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("messages", type=int)
    parser.add_argument("--days", type=float, default=7)
    parser.add_argument("--hostile", action="store_true")
    options = parser.parse_args()
    os.makedirs(options.directory, exist_ok=True)
    start = time.time() - options.days * 86400
    step = options.days * 86400 / max(1, options.messages)
    sequence, size, segment = 0, SEGMENT, None
    for number in range(options.messages):
        if size >= SEGMENT:
            if segment:
                segment.close()
            sequence, size = sequence + 1, 0
            segment = open(os.path.join(options.directory, f"mx1.{BOOT}.{sequence:08}.events"), "wb")
        line = json.dumps(event(number, start + number * step, options.hostile), separators=(",", ":")).encode() + b"\n"
        segment.write(line)
        size += len(line)
    if segment:
        segment.close()


if __name__ == "__main__":
    main()
