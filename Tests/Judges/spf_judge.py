#!/usr/bin/python3
"""Compare our SPF results with those of python3-spf in strict mode, over generated records and clients.

Where the two differ, python3-spf is asked again with those of its habits corrected that the RFC does not share; they
are listed in spf_differences.py. A difference that remains is ours, and the exit status is 1.

Usage: spf_judge.py [--cases N] [--seed S] [--show ID] [-- swift test options]
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import spf_differences  # noqa: E402
import spf_records  # noqa: E402


def ours(cases, options):
    """Our results by case number, from a test that reads the cases when it is told where they are."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("cases", "results")]
        with open(paths[0], "w") as file:
            for case in cases:
                file.write(json.dumps(case.line()) + "\n")
        environment = dict(os.environ, POSTERN_SPF_CASES=paths[0], POSTERN_SPF_RESULTS=paths[1])
        subprocess.run(["swift", "test", *options, "--filter", "JudgedRecords"], env=environment, check=True,
                       stdout=subprocess.DEVNULL)
        with open(paths[1]) as file:
            return {line["id"]: line for line in map(json.loads, file)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=10000)
    parser.add_argument("--seed", default="postern")
    parser.add_argument("--show", type=int)
    parser.add_argument("options", nargs="*")
    arguments = parser.parse_args()
    numbers = range(arguments.cases) if arguments.show is None else [arguments.show]
    cases = [spf_records.Case(arguments.seed, number) for number in numbers]
    results = ours(cases, arguments.options)

    explained = collections.Counter()
    agreed = collections.Counter()
    remaining = []
    for case in cases:
        result = results[case.number]
        theirs, reason = spf_differences.judge(case)
        corrected, corrected_reason = spf_differences.judge(case, spf_differences.ALL)
        # With everything corrected there must be no difference at all, not even where both agreed before.
        if corrected != result["result"]:
            remaining.append((case, result, corrected, corrected_reason))
        elif theirs == result["result"]:
            agreed[theirs] += 1
        else:
            explained[spf_differences.explanation(case, result["result"])] += 1
    for case, result, theirs, reason in remaining[:60]:
        print(f"case {case.number}: ours {result['result']} ({result.get('problem')}), theirs {theirs} ({reason})")
    if arguments.show is not None:
        print(json.dumps(cases[0].line(), indent=1), results[arguments.show]["trace"], spf_differences.judge(cases[0]), spf_differences.judge(cases[0], spf_differences.ALL), sep="\n")
    print(f"{len(cases)} cases: the same {sum(agreed.values())} {dict(agreed)}")
    for habit, count in explained.most_common():
        print(f"explained {count}: {habit}")
    print(f"unexplained {len(remaining)}")
    sys.exit(1 if remaining or len(results) != len(cases) else 0)


main()
