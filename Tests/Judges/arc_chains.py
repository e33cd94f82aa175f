#!/usr/bin/python3
"""Compare our ARC with dkimpy's: it seals messages, and both verify them.

Messages are made at random from a seed, and sealed by one to six sealers; some sealers change the subject or add a footer
before they seal. Then one octet of a set, of a signed field or of the body is changed, and neither may let the chain pass.
Exits 1 on a difference.

Usage: arc_chains.py [--count N] [--seed N] [--keep DIRECTORY]
Environment: POSTERN, the postern binary; judge-driver is expected beside it.
"""

import argparse
import multiprocessing
import os
import random
import re
import sys
import tempfile
import time

import dkim

from dkim_round_trips import Driver, make_keys

DOMAIN = "example.org"
SIGNED = [b"from", b"to", b"subject", b"date", b"message-id"]
WORDS = "tea at four a gate beside main one x=y a;b 100% FREE -- . ..".split()


def message(pick):
    lines = [" ".join(pick.choice(WORDS) for _ in range(pick.randint(0, 9))) for _ in range(pick.randint(0, 40))]
    body = "".join(line + pick.choice(["", " ", "\t "]) + "\r\n" for line in lines)
    fields = [f"From: a@{DOMAIN}", "To: b@example.net", f"Subject: {' '.join(pick.choices(WORDS, k=4))}",
              "Date: Mon, 2 Nov 2026 10:00:00 +0000", f"Message-ID: <{pick.randint(1, 10**9)}@{DOMAIN}>"]
    return ("\r\n".join(fields) + "\r\n\r\n" + body).encode()


def seal(job):
    """A chain by dkimpy, and the lowest instance since which nothing has changed; 0 for the first."""
    source, path, keys, seed = job
    pick = random.Random(seed)
    with open(source, "rb") as file:
        text = file.read()
    count = pick.randint(1, 6)
    oldest = 1
    for instance in range(1, count + 1):
        if instance > 1 and pick.random() < 0.3:
            text = text.replace(b"Subject: ", b"Subject: [l] ", 1) if pick.random() < 0.5 else text + b"-- \r\nlist\r\n"
            oldest = instance
        selector = pick.choice(sorted(keys))
        result = b"dkim=pass" if instance == 1 else b"spf=none; arc=pass"
        field = b"Authentication-Results: mx.example.org; " + result + b"\r\n"
        chain = dkim.ARC(field + text, minkey=1024).sign(
            selector.encode(), DOMAIN.encode(), keys[selector], b"mx.example.org", include_headers=SIGNED)
        assert chain, path
        text = b"".join(chain) + text
    with open(path, "wb") as file:
        file.write(text)
    return 0 if oldest == 1 else oldest


def mutate(text, pick):
    """Changes what no canonicalization tolerates."""
    places = [match.start(1) for match in re.finditer(rb"(?m)^(?:Subject: |From: )(?:\[l\] )*(\w)", text)]
    places += [match.start(1) for match in re.finditer(rb"; b=\s*[\w+/]{9}([A-Z])", text)]
    places += [match.start(1) for match in re.finditer(rb"(?m)^ARC-Authentication-Results: i=\d+; (m)", text)]
    places += [match.start(1) for match in re.finditer(rb"\bcv=([np])", text)]
    place = pick.choice(places)
    return text[:place] + (b"Q" if text[place:place + 1] != b"Q" else b"R") + text[place + 1:]


def dkimpy_verify(job):
    path, records = job
    with open(path, "rb") as file:
        text = file.read()
    lookup = {(name + ".").encode(): text.encode() for name, text in records.items()}
    try:
        result = dkim.arc_verify(text, minkey=1024,
                                 dnsfunc=lambda name, timeout=5: lookup.get(name if isinstance(name, bytes) else name.encode()))
        return result[0].decode()
    except Exception:
        return "fail"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=8617)
    parser.add_argument("--keep")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(judge(os.environ["POSTERN"], arguments.keep or temporary, arguments.count, arguments.seed))


def judge(postern, folder, count, seed):
    records, _, raw = make_keys(postern, folder)
    keys = {selector: pem for selector, pem in raw.items() if selector.startswith("r")}
    driver = Driver(os.path.join(os.path.dirname(postern), "judge-driver"))
    for name, text in records.items():
        assert driver.run("zone", text, name) == "ok"
    pick = random.Random(seed)
    paths = [f"{folder}/{number}" for number in range(count)]
    for path in paths:
        with open(path + ".eml", "wb") as file:
            file.write(message(pick))
    differences = 0
    now = int(time.time())
    with multiprocessing.Pool(2) as pool:
        oldest = pool.map(seal, [(f"{path}.eml", f"{path}.sealed", keys, seed + number) for number, path in enumerate(paths)])
        for path in paths:
            with open(f"{path}.sealed", "rb") as file:
                sealed = file.read()
            with open(f"{path}.mutated", "wb") as file:
                file.write(mutate(sealed, pick))
        cases = [(f"{path}.sealed", f"pass:{first}") for path, first in zip(paths, oldest)]
        cases += [(f"{path}.mutated", "fail:") for path in paths]
        theirs = pool.map(dkimpy_verify, [(path, records) for path, _ in cases], 8)
        for (path, expected), word in zip(cases, theirs):
            ours = driver.run("arc", path, now, pick.choice([1, 13, 4096, 65535]))
            if not ours.startswith(expected + ":") and not (expected == "fail:" and ours.startswith("fail:")):
                differences += 1
                print(f"{path}: expected {expected}, postern says {ours}", file=sys.stderr)
            if word != expected.partition(":")[0]:
                differences += 1
                print(f"{path}: expected {expected}, dkimpy says {word}", file=sys.stderr)
    driver.close()
    print(f"{count} chains, {count} mutated; {differences} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    main()
