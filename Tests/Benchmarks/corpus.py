#!/usr/bin/python3
"""Make the messages that are measured, and the zone that answers for them.

    Tests/Benchmarks/corpus.py [--count N]

1,000 messages, one a domain: 70 % of 3 kB, 22 % of 30 kB, 7.5 % of 300 kB, the rest of 5 MB, 56 kB on average. A tenth is
unsigned; of the others an eleventh does not verify, and a fifth has an Ed25519 signature beside the RSA one; one in twenty
has an ARC seal. 18 % come from an address that their domain does not name. SPF has eleven shapes, DMARC five. All but the
keys, and what follows from them, is the same each time. `aims`, `compare` and `targets` make them when they are not there.

In $POSTERN_BENCH/corpus (/tmp/postern-bench/corpus): scenario.tsv (id, client address, client name, HELO, sender, recipient,
path), messages, root.zone, and work.json: how many signatures can be verified, and how many octets are hashed for them.
"""
import argparse
import base64
import email.utils
import json
import multiprocessing
import os
import random
import shutil

# python3-dkim
import dkim

import corpus_domains as domains
import scratch

FOLDER = scratch.CORPUS
SEED = 20240607
# A pair of keys serves ten domains, because keys take long to make.
KEYS = 100
WORDS = (
    "the quick brown fox jumps over lazy dog invoice meeting project schedule attached please find regards customer "
    "delivery account payment order confirm address number update service support request system message team report "
    "quarter budget review deadline"
).split()
SIGNED = [b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type", b"from"]
SEALED = [b"from", b"to", b"subject", b"date", b"message-id"]
FAULTS = (("unsigned", 0.10), ("body", 0.04), ("header", 0.02), ("no key", 0.01), ("revoked", 0.01), ("none", 0.82))
SELECTORS = {"no key": b"absent", "revoked": b"revoked"}


def plan(count):
    """What each message is to be."""
    chance = random.Random(SEED)
    sizes = [3000] * int(count * 0.70) + [30_000] * int(count * 0.22) + [300_000] * int(count * 0.075)
    sizes += [5_000_000] * (count - len(sizes))
    chance.shuffle(sizes)

    def draw(*choices):
        return chance.choices([choice for choice, _ in choices], [weight for _, weight in choices])[0]

    return [
        {
            "number": number,
            "size": size,
            "seed": chance.getrandbits(60),
            "fault": draw(*FAULTS),
            "two": chance.random() < 0.20,
            "forms": draw(((b"relaxed", b"relaxed"), 75), ((b"relaxed", b"simple"), 15), ((b"simple", b"simple"), 10)),
            "author": draw(("same", 85), ("below", 8), ("next", 7)),
            "right": chance.random() < 0.82,
            "bounce": chance.random() < 0.03,
            "sealed": chance.random() < 0.05 and size < 1_000_000,
            "next": (number + 1) % count,
        }
        for number, size in enumerate(sizes)
    ]


# ---------------------------------------------------------------- messages


def text(chance, size):
    lines, total = [], 0
    while total < size:
        words = "" if chance.random() < 0.1 else " ".join(chance.choices(WORDS, k=chance.randint(3, 13)))
        lines.append(words + (" " if chance.random() < 0.05 else ""))
        total += len(lines[-1]) + 2
    return "\r\n".join(lines) + "\r\n"


def body(chance, size):
    """A content type, and a body so long that the message has about this size."""
    if size <= 3000:
        return "text/plain; charset=utf-8", text(chance, size - 1300)
    mark, words = f"=_{chance.getrandbits(64):016x}", text(chance, 2500)
    encoded = base64.b64encode(chance.randbytes(int((size - 4500) * 0.73))).decode()
    lines = "\r\n".join(encoded[start : start + 76] for start in range(0, len(encoded), 76))
    part = f"--{mark}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{words}\r\n"
    part += f'--{mark}\r\nContent-Type: application/pdf; name="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    return f'multipart/mixed; boundary="{mark}"', f"{part}{lines}\r\n--{mark}--\r\n"


def unsigned(chance, it, domain, client):
    """A message as its author's server has it."""
    number, time = it["number"], 1717750000 + 37 * it["number"]
    author = {"same": domain, "below": f"news.{domain}", "next": domains.name(it["next"])}[it["author"]]
    kind, content = body(chance, it["size"])
    subject = " ".join(chance.choices(WORDS, k=6))
    fields = {
        "Received": f"from mail.{domain} (mail.{domain} [{client}])\r\n\tby mx.bench.test (Postfix) with ESMTPS"
        f" id 4Q{number:06d}\r\n\tfor <user@bench.test>; {email.utils.formatdate(time + 5)}",
        "Date": email.utils.formatdate(time),
        "From": f'"Sender {number}" <user{number}@{author}>',
        "To": "User Name <user@bench.test>",
        "Reply-To": f"help@{domain}",
        "Message-ID": f"<{chance.getrandbits(64):016x}.{number}@{domain}>",
        "Subject": f"{subject[:30]}\r\n {subject[30:]}" if len(subject) > 31 else subject,
        "MIME-Version": "1.0",
        "Content-Type": kind,
        "List-Unsubscribe": f"<https://{domain}/u?x={chance.getrandbits(80):x}>,\r\n <mailto:unsubscribe@{domain}>",
        "X-Mailer": "BenchMailer 4.2",
        "X-Campaign": f"{chance.getrandbits(40):x}",
        "Feedback-ID": f"{number}:{number % 9}:bench",
        "Precedence": "bulk",
        "X-Priority": "3",
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{head}\r\n{content}".encode()


def sign(message, it, domain, keys):
    """The message with its signatures, and how many of them can be verified, by algorithm."""
    if it["fault"] == "unsigned":
        return message, {}
    selector = SELECTORS.get(it["fault"], b"rsa")
    options = {"canonicalize": it["forms"], "include_headers": SIGNED}
    fields = dkim.DKIM(message).sign(selector, domain.encode(), keys["rsa"][0], **options)
    if it["two"]:
        options["signature_algorithm"] = b"ed25519-sha256"
        fields = dkim.DKIM(message).sign(b"ed", domain.encode(), keys["ed25519"][0], **options) + fields
    head, _, content = message.partition(b"\r\n\r\n")
    if it["fault"] == "body":
        content = content[:200] + b"tampered " + content[200:]
    if it["fault"] == "header":
        head = head.replace(b"\r\nSubject: ", b"\r\nSubject: [list] ")
    verifiable = {"rsa": int(selector == b"rsa"), "ed25519": int(it["two"])}
    return fields + head + b"\r\n\r\n" + content, verifiable


def seal(message, it, domain, keys):
    """The message as a forwarder hands it on (RFC 8617)."""
    forwarder = domains.provider(it["number"])
    results = f"Authentication-Results: mx.{forwarder}; spf=pass smtp.mailfrom={domain}\r\n".encode() + message
    server, key = f"mx.{forwarder}".encode(), keys[it["number"] % domains.PROVIDERS]["rsa"][0]
    fields = dkim.ARC(results).sign(b"arc", forwarder.encode(), key, server, include_headers=SEALED)
    return b"".join(fields) + results


def make(arguments):
    """Writes a message; gives its line of the scenario, and the work that it makes."""
    it, keys = arguments
    number, chance = it["number"], random.Random(it["seed"])
    domain = domains.name(number)
    client = domains.spf(number)[1] if it["right"] else f"203.0.113.{1 + number % 250}"
    message, verifiable = sign(unsigned(chance, it, domain, client), it, domain, keys[number % KEYS])
    if it["sealed"]:
        message = seal(message, it, domain, keys)
    path = f"messages/{number:04d}.eml"
    with open(f"{FOLDER}/{path}", "wb") as file:
        file.write(message)
    sender = "-" if it["bounce"] else f"bounce{number}@{domain}"
    columns = (f"m{number:04d}", client, f"mail.{domain}", f"mail.{domain}", sender, "user@bench.test", path)
    return "\t".join(columns), {**verifiable, "octets": len(message) if verifiable else 0}


# ---------------------------------------------------------------- all of it


def zone(count, keys):
    lines = [
        "$ORIGIN .",
        ". 3600 IN SOA ns.bench.test. root.bench.test. 1 3600 900 604800 60",
        ". 3600 IN NS ns.bench.test.",
        "ns.bench.test. 3600 IN A 127.0.0.1",
        "mx.bench.test. 3600 IN A 127.0.0.1",
    ]
    for number in range(count):
        lines += [domains.line(*record) for record in domains.records(number, keys[number % KEYS])]
    for number in range(domains.PROVIDERS):
        lines += [domains.line(*record) for record in domains.provider_records(number, keys[number])]
    return "\n".join(lines) + "\n"


def make_all(count):
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.makedirs(f"{FOLDER}/messages")
    with multiprocessing.Pool() as pool:
        keys = pool.map(domains.keys, range(KEYS), 1)
        lines, costs = zip(*pool.map(make, [(it, keys) for it in plan(count)], 10))
    scratch.write(f"{FOLDER}/root.zone", zone(count, keys))
    totals = {key: sum(cost.get(key, 0) for cost in costs) for key in ("rsa", "ed25519", "octets")}
    scratch.write(f"{FOLDER}/work.json", json.dumps({"messages": count, **totals}) + "\n")
    # Last, because it is what tells that all is there.
    scratch.write(f"{FOLDER}/scenario.tsv", "\n".join(lines) + "\n")


def ensure():
    """Makes the messages if they are not there yet."""
    if not os.path.exists(f"{FOLDER}/scenario.tsv"):
        scratch.say(f"making 1,000 messages in {FOLDER}; this takes a minute once")
        make_all(1000)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--count", type=int, default=1000)
    make_all(arguments.parse_args().count)
    print(scratch.read(f"{FOLDER}/work.json"), end="")


if __name__ == "__main__":
    main()
