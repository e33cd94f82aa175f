#!/usr/bin/python3
"""Compare our ARC with dkimpy's: each seals messages, alone and on top of the other, and both verify them.

Messages are made at random from a seed, and sealed by one to six sealers; some sealers change the subject or add a footer
before they seal. Then one octet of a set, of a signed field or of the body is changed, or a field of a set is taken out:
neither may let the chain pass, and we seal it with cv=fail. At last a chain of 50 sets of ours, which takes no other.
Exits 1 on a difference.

Usage: arc_chains.py [--count N] [--seed N] [--keep DIRECTORY]
Environment: POSTERN, the postern binary; judge-driver is expected beside it.
"""

import argparse
import multiprocessing
import os
import random
import re
import shutil
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


# Who seals an instance of how many.
KINDS = {
    "dkimpy": lambda instance, count: False,
    "postern": lambda instance, count: True,
    "postern on dkimpy": lambda instance, count: instance == count,
    "dkimpy on postern": lambda instance, count: instance < count,
}


class Sealers:
    """dkimpy and a driver of ours, in a process of the pool."""

    def __init__(self, binary, folder, records, keys):
        self.folder, self.keys, self.now = folder, keys, int(time.time())
        self.driver = zoned(binary, records)

    def ours(self, path, selector, chunk=65535):
        """Seals a file, and returns what the driver says: the instance and cv."""
        key = f"{self.folder}/{DOMAIN}_{selector}.pem"
        return self.driver.run("seal", path, path, self.now, chunk, DOMAIN, selector, key)

    def theirs(self, path, selector, instance):
        with open(path, "rb") as file:
            text = file.read()
        result = b"dkim=pass" if instance == 1 else b"spf=none; arc=pass"
        field = b"Authentication-Results: mx.example.org; " + result + b"\r\n"
        chain = dkim.ARC(field + text, minkey=1024).sign(
            selector.encode(), DOMAIN.encode(), self.keys[selector], b"mx.example.org", include_headers=SIGNED)
        assert chain, path
        with open(path, "wb") as file:
            file.write(b"".join(chain) + text)


def zoned(binary, records):
    driver = Driver(binary)
    for name, text in records.items():
        assert driver.run("zone", text, name) == "ok"
    return driver


def begin(*arguments):
    global sealers
    sealers = Sealers(*arguments)


def change(path, pick):
    """What a list does to a message."""
    with open(path, "rb") as file:
        text = file.read()
    text = text.replace(b"Subject: ", b"Subject: [l] ", 1) if pick.random() < 0.5 else text + b"-- \r\nlist\r\n"
    with open(path, "wb") as file:
        file.write(text)


def seal(job):
    """Makes a chain; returns its length, and the lowest instance since which nothing has changed, 0 for the first."""
    source, path, kind, seed = job
    pick = random.Random(seed)
    shutil.copy(source, path)
    count = pick.randint(2 if " on " in kind else 1, 6)
    oldest = 1
    for instance in range(1, count + 1):
        # We seal what we have verified, so that only dkimpy, which believes what it is told, can be a list.
        is_ours = KINDS[kind](instance, count)
        if instance > 1 and not is_ours and pick.random() < 0.3:
            change(path, pick)
            oldest = instance
        selector = pick.choice(sorted(sealers.keys))
        if is_ours:
            said = sealers.ours(path, selector, pick.choice([1, 13, 4096, 65535]))
            assert said == f"{instance}:{'none' if instance == 1 else 'pass'}", f"{path}: {said}"
        else:
            sealers.theirs(path, selector, instance)
    return count, 0 if oldest == 1 else oldest


def reseal(job):
    """Seals a chain that has failed; returns what was made."""
    path, selector = job
    shutil.copy(path, path + ".again")
    return sealers.ours(path + ".again", selector)


def without_field(text, pick):
    """Takes a field of a set out."""
    fields = list(re.finditer(rb"(?m)^ARC-[^:]*: ?i=(\d+).*\r\n(?:[ \t].*\r\n)*", text.partition(b"\r\n\r\n")[0] + b"\r\n"))
    field = pick.choice(fields)
    return text[:field.start()] + text[field.end():]


def highest(text):
    return max(int(number) for number in re.findall(rb"(?m)^ARC-[^:]*: ?i=(\d+)", text))


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


def write(path, text):
    with open(path, "wb") as file:
        file.write(text)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def longest(sealers, source, path):
    """A chain of 50 sets, and what happens to the 51st."""
    shutil.copy(source, path)
    said = [sealers.ours(path, "r1") for _ in range(51)]
    expected = ["1:none"] + [f"{instance}:pass" for instance in range(2, 51)] + ["error: there are 50 sets already"]
    return [f"{path}: {have} instead of {want}" for have, want in zip(said, expected) if have != want]


def make_chains(pool, pick, paths, seed):
    """The files to verify, each with what is expected."""
    jobs = [(f"{path}.eml", f"{path}.{kind.replace(' ', '-')}", kind, seed + number)
            for number, path in enumerate(paths) for kind in KINDS]
    cases, broken = [], []
    for (_, path, kind, _), (_, oldest) in zip(jobs, pool.map(seal, jobs, 8)):
        cases.append((path, f"pass:{oldest}"))
        text = read(path)
        for name, changed in (("mutated", mutate(text, pick)), ("without", without_field(text, pick))):
            write(f"{path}.{name}", changed)
            broken.append(f"{path}.{name}")
    return cases, broken


def judge(postern, folder, count, seed):
    records, _, raw = make_keys(postern, folder)
    keys = {selector: pem for selector, pem in raw.items() if selector.startswith("r")}
    binary = os.path.join(os.path.dirname(postern), "judge-driver")
    arguments = (binary, folder, records, keys)
    pick = random.Random(seed)
    paths = [f"{folder}/{number}" for number in range(count)]
    for path in paths:
        write(path + ".eml", message(pick))
    driver, now = zoned(binary, records), int(time.time())
    with multiprocessing.Pool(2, begin, arguments) as pool:
        cases, broken = make_chains(pool, pick, paths, seed)
        cases += [(path, "fail:") for path in broken]
        problems = []
        for path, said in zip(broken, pool.map(reseal, [(path, pick.choice(sorted(keys))) for path in broken], 8)):
            if said != f"{highest(read(path)) + 1}:fail":
                problems.append(f"{path}: sealed as {said}")
            cases.append((path + ".again", "fail:"))
        problems += longest(Sealers(*arguments), paths[0] + ".eml", f"{folder}/longest")
        # So many keys are tried as the seals and one more message signature need.
        cases.append((f"{folder}/longest", "pass:49"))
        theirs = pool.map(dkimpy_verify, [(path, records) for path, _ in cases], 8)
        for (path, expected), word in zip(cases, theirs):
            ours = driver.run("arc", path, now, pick.choice([1, 13, 4096, 65535]))
            if not ours.startswith(expected + ":") and not (expected == "fail:" and ours.startswith("fail:")):
                problems.append(f"{path}: expected {expected}, postern says {ours}")
            if word != expected.partition(":")[0]:
                problems.append(f"{path}: expected {expected}, dkimpy says {word}")
    driver.close()
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{count} chains each by {', '.join(KINDS)}; {len(broken)} broken, and sealed again; {len(problems)} differences")
    return 1 if problems else 0


if __name__ == "__main__":
    main()
