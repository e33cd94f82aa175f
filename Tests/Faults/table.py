#!/usr/bin/python3
"""Play every fault that Postern must survive, and print what was seen beside what is expected.

    Tests/Faults/table.py [--quick] [--only WORD]... [--list]

Everything runs on loopback with private servers. --quick leaves out what takes long, or sends less of it; --only plays the
rows whose names hold the word. $POSTERN is the program; else the checkout's debug build. Ends with 1 where a row fails.
"""
import argparse
import importlib
import os
import sys
import time
import traceback

import faults

# Importing a module adds its rows.
for name in ("dns_rows", "ledger_rows", "message_rows", "service_rows", "session_rows", "starvation"):
    importlib.import_module(name)


def play(function):
    """The row's mark and what was seen."""
    try:
        return "pass", function()
    except faults.Skipped as reason:
        if "POSTERN_SKIPPED" in os.environ:
            with open(os.environ["POSTERN_SKIPPED"], "a", encoding="utf-8") as file:
                print(reason, file=file)
        return "not run", str(reason)
    except (faults.Failed, AssertionError, TimeoutError) as seen:
        return "FAIL", str(seen)
    except Exception as error:  # pylint: disable=broad-except
        traceback.print_exc()
        return "FAIL", repr(error)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", default=[], metavar="WORD")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    faults.QUICK = arguments.quick
    rows = [
        row for row in faults.ROWS
        if (row[2] or not arguments.quick) and (not arguments.only or any(word in row[0] for word in arguments.only))
    ]
    counts = {"pass": 0, "FAIL": 0, "not run": 0}
    for fault, expects, _, function in rows:
        if arguments.list:
            print(f"{fault}: {expects}")
            continue
        began = time.monotonic()
        mark, seen = play(function)
        counts[mark] += 1
        took = time.monotonic() - began
        print(f"{mark:7} {took:6.1f} s  {fault}\n{'':18}expected: {expects}\n{'':18}seen: {seen}", flush=True)
    if not arguments.list:
        print(f"Faults: {counts['pass']} passed, {counts['FAIL']} failed, {counts['not run']} not run")
    return 1 if counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
