"""The load program, and what it found."""
import json
import os
import sys

import scratch

SCENARIO = f"{scratch.CORPUS}/scenario.tsv"


def messages(largest=1 << 30):
    """The corpus's messages up to a size, as lines of a scenario, by columns."""
    lines = [line.split("\t") for line in scratch.read(SCENARIO).splitlines()]
    lines = [[*columns[:6], f"{scratch.CORPUS}/{columns[6]}"] for columns in lines]
    return [columns for columns in lines if os.path.getsize(columns[6]) <= largest]


def scenario(lines):
    """A scenario of these messages; its paths are relative to where it is."""
    lines = ["\t".join([*columns[:6], os.path.relpath(columns[6], scratch.RUN)]) + "\n" for columns in lines]
    return scratch.write(f"{scratch.RUN}/scenario.tsv", "".join(lines))


def load(daemons, path=SCENARIO, limit=600, **options):
    """Sends messages through all of the daemons, one after the other, and gives what was seen of it.

    Options are the load program's (`MilterLoad --help`), without the processes and the targets.
    """
    result = json.loads(scratch.run(command(daemons, path, json=True, **options), limit))
    if result["errors"]:
        print(f"{' + '.join(each.command[0] for each in daemons)}: {result['errors']}", file=sys.stderr)
    return result


def command(daemons, path, **options):
    words = [scratch.load_program(), path]
    for daemon in daemons:
        words += ["--target", daemon.address]
        words += [word for process in daemon.tree() for word in ("--process", str(process))]
    for name, value in options.items():
        words += ["--" + name.replace("_", "-")] + ([] if value is True else [str(value)])
    return words
