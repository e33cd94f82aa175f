#!/usr/bin/python3
"""Compare our Authentication-Results fields with what python3-authres reads in them.

The injection test writes fields made of hostile values; here each of them is read again by the other parser, which
must find the same methods, results, reasons and properties, and nothing else. Exits 1 on a difference.

Usage: authentication_results.py [swift test options]
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import authres

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Differences that are known, with the reason.
# 1. authres knows no UTF-8 in values (RFC 8601 § 2.2 by RFC 6532): each such character is read as an "x" on both sides.
# 2. authres leaves the backslashes of quoted pairs in its values; RFC 5322 § 3.2.4 says they are not part of the text.
# 3. authres drops a quoted value that another property follows: it looks for ";" or the end of the text behind it. Such
#    a property may be absent on its side.


def ascii_only(text):
    return "".join(c if c.isascii() else "x" for c in text)


def unescaped(text):
    return re.sub(r"\\(.)", r"\1", text)


def found(field):
    for result in authres.AuthenticationResultsHeader.parse("Authentication-Results: " + field).results:
        properties = [(prop.type, prop.name, unescaped(str(prop.value))) for prop in result.properties]
        yield (result.method, result.result, unescaped(result.reason or "")), properties


def agrees(field, expected, actual):
    """Whether one result is the same on both sides but for what is explained above."""
    method, result, reason, *rest = map(ascii_only, expected)
    properties = list(zip(rest[::3], rest[1::3], rest[2::3]))
    remaining = list(actual[1])
    for index, prop in enumerate(properties):
        if remaining and remaining[0] == prop:
            remaining.pop(0)
        elif index == len(properties) - 1 or f'{prop[0]}.{prop[1]}="' not in field:
            return False
    return actual[0] == (method, result, reason) and not remaining


def main():
    with tempfile.NamedTemporaryFile() as output:
        environment = dict(os.environ, POSTERN_INJECTION_OUTPUT=output.name)
        swift = subprocess.run([ROOT / "Packaging/find-swift"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        subprocess.run([swift, "test", "--filter", "InjectionTests", *sys.argv[1:]], cwd=ROOT, env=environment, check=True,
                       stdout=subprocess.DEVNULL)
        fields = properties = differences = 0
        for line in output:
            (field,), *expected = json.loads(line)
            fields += 1
            properties += sum(len(result) // 3 - 1 for result in expected)
            try:
                actual = list(found(ascii_only(field)))
            except authres.AuthResError as error:
                actual = [repr(error)]
            if len(actual) != len(expected) or not all(agrees(field, *pair) for pair in zip(expected, actual)):
                differences += 1
                if differences <= 10:
                    print(f"field:    {field!r}\nexpected: {expected}\nauthres:  {actual}\n")
    print(f"{fields} fields, {properties} properties, {differences} differences")
    return 0 if fields and not differences else 1


if __name__ == "__main__":
    sys.exit(main())
