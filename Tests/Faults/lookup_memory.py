#!/usr/bin/python3
"""How much memory a lookup takes that waits.

Usage: lookup_memory.py [--sessions N]

Two filters hold the same messages at the same time of their lives, each with ten signatures and a sender whose domain nobody
answers for. In the first the ten keys are known, in the second each is asked of a silent server; so the one differs from the
other by ten lookups a message, of which few may be sent. Prints what one of these takes; exits with 1 where it is 1 kB or
more, or where fewer than nine in ten of them are open.
"""

import argparse
import asyncio
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Integration")]

# pylint: disable=wrong-import-position
import daemon  # noqa: E402
import mta  # noqa: E402
import name_server  # noqa: E402
import starvation  # noqa: E402
import swarm  # noqa: E402

SIGNATURES = 10
MOST = 1000


def answer(query):
    if query.name == "":
        return name_server.ZONE_ANSWER
    if ".known" in query.name:
        return query.reply(code=name_server.NXDOMAIN, authority=(name_server.Zone.SOURCE,))
    return None


def message(owner, number):
    """Its keys are asked for below the owner, each by a name of its own, but for those that are known."""
    selector = "s" if owner == "known" else f"s{number}"
    fields = [
        ("DKIM-Signature", starvation.SIGNATURE.format(domain=f"d{n}.{owner}{n}.test", selector=selector))
        for n in range(SIGNATURES)
    ]
    return swarm.Message("x@silent.test", headers=[*fields, ("From", "<x@silent.test>")], queue_id=f"X{number}")


async def hold(postern, owner, sessions):
    """The octets that the filter takes more for so many messages, and how many lookups are open then."""
    await swarm.play(postern.inet, swarm.Message("", headers=[("From", "<a@a.known.test>")]), helo="a.known.test")
    before = postern.memory()
    opened = [await swarm.Session.open(postern.inet, "192.0.2.1", "h.known.test") for _ in range(sessions)]
    tasks = [asyncio.create_task(each.send(message(owner, n))) for n, each in enumerate(opened)]
    count = await asyncio.to_thread(settled, postern)
    taken = (postern.memory() - before) << 10
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return taken, count


def settled(postern):
    """How many lookups are open, once their number stands still."""
    counts = []

    def stands_still():
        counts.append(int(re.search(r"^DNS .* (\d+) open", postern.ask("status").stdout, re.M)[1]))
        return len(counts) > 3 and counts[-1] > 0 and abs(counts[-1] - counts[-4]) <= counts[-1] / 100

    mta.wait_until(stands_still, "lookups whose number stands still", 8)
    return counts[-1]


def measure(owner, sessions):
    with name_server.in_process(script=answer) as address:
        with daemon.Postern("[checks.iprev]\nenabled = false\n", servers=[address], connections=2 * sessions) as postern:
            return asyncio.run(hold(postern, owner, sessions))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=1500)
    options = parser.parse_args()
    starvation.raise_descriptors()
    known, few = measure("known", options.sessions)
    silent, many = measure("silent", options.sessions)
    each = (silent - known) / max(1, many - few)
    print(
        f"{options.sessions} messages take {known >> 10} KiB with {few} lookups open, {silent >> 10} KiB with {many}: "
        f"{each:.0f} octets a lookup"
    )
    sys.exit(0 if each < MOST and many - few >= 0.9 * SIGNATURES * options.sessions else 1)


if __name__ == "__main__":
    main()
