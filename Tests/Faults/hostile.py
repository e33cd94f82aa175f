"""Messages that strangers make to cost: by their size, their header, their signatures and the answers that they cause.

    for kind in KINDS: kind.name, kind.zone, kind.message()

Each is of the domain evil.example, or of one below it, and `ZONE` has all that the name server must know about them.
"""

import base64
import collections
import functools
import random

from swarm import Message

DOMAIN = "evil.example"
SENDER = f"a@{DOMAIN}"
EMPTY_BODY = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
KINDS = []

Kind = collections.namedtuple("Kind", "name zone message")


def kind(name, zone=""):
    """Makes a function that builds a message one of the kinds; each is built once."""

    def add(function):
        KINDS.append(Kind(name, zone, functools.cache(function)))
        return function

    return add


def der(tag, content):
    """A DER element."""
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8 or 1, "big")
    length = octets if size < 128 else bytes([0x80 | len(octets)]) + octets
    return bytes([tag]) + length + content


def integer(number):
    return der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def key_record(selector, bits, exponent, number=0):
    """A record with an RSA key that nobody has the other half of; to verify with it costs what any such key does."""
    modulus = random.Random(bits * 100 + number).getrandbits(bits) | 1 << (bits - 1) | 1
    text = "v=DKIM1; p=" + base64.b64encode(der(0x30, integer(modulus) + integer(exponent))).decode()
    strings = " ".join(f'"{text[at:at + 250]}"' for at in range(0, len(text), 250))
    return f"{selector}._domainkey.{DOMAIN}. 300 IN TXT {strings}\n"


def keys(selector, bits, exponent, count=4):
    return "".join(key_record(selector, bits, exponent, number) for number in range(count))


def signature(selector, names="from", bits=2048, more="", canonicalization="relaxed/relaxed"):
    """A signature that is wrong, as nobody can see before the work is done."""
    return (
        "DKIM-Signature",
        f"v=1; a=rsa-sha256; c={canonicalization}; d={DOMAIN}; s={selector}; h={names};{more}\n"
        f" bh={EMPTY_BODY}; b={base64.b64encode(bytes(bits // 8 - 1) + bytes([2])).decode()}",
    )


def message(headers, body=b"", sender=SENDER, **options):
    return Message(sender, headers=headers, body=body, **options)


def authored(value):
    return message([("From", value), ("Subject", "From")])


@kind("header of 800 kB, twice signed in h= and z=, four keys", keys("d", 2048, 65537))
def diagnosis():
    line = ("\n " + "x" * 70) * 280
    fields = [(f"X-Long-{number}", line) for number in range(40)]
    listed = ":".join(name for name, _ in fields)
    copied = "|".join(f"{name}:x" for name, _ in fields)
    return message([signature("d", f"from:{listed}", more=f"\n z={copied};")] * 2 + fields + [("From", SENDER)])


@kind("4,000 recipients")
def recipients():
    return message([("From", SENDER)], recipients=tuple(f"u{number}@example.org" for number in range(4000)))


@kind("body of 3 MB of blank lines under ten l=", keys("l", 2048, 65537, 1))
def blank_lines():
    body = b" \r\n" * 1_000_000
    signatures = [
        signature("l", more=f" l={len(body) - number};", canonicalization="relaxed/simple") for number in range(10)
    ]
    return message([*signatures, ("From", SENDER)], body)


@kind("ten signatures, four keys of 8,192 bits, exponents of 64", keys("x", 8192, (1 << 64) - 59))
def oversized_keys():
    return message([signature("x", bits=8192) for _ in range(10)] + [("From", SENDER)])


@kind("ten signatures, four keys of 4,096 bits, exponents of 32", keys("k", 4096, (1 << 32) - 5))
def largest_keys():
    return message([signature("k", bits=4096) for _ in range(10)] + [("From", SENDER)])


@kind("ten signatures of one field of 90 kB", keys("d", 2048, 65537))
def long_field():
    field = ("X-Long", ("\n " + "x" * 70) * 1250)
    return message([signature("d", "from:x-long") for _ in range(10)] + [field, ("From", SENDER)])


@kind("ten h= that name From 199 times, 5,000 From", keys("d", 2048, 65537))
def many_authors():
    return message([signature("d", ":".join(["from"] * 199)) for _ in range(10)] + [("From", "a@b.example")] * 5000)


AUTHORS = {
    "a.": "a.", "a@": "a@", "commas": ",", "brackets": "<", "nested comments": "(", "quoted pairs": '"\\a',
    "mailboxes with U-labels": "<\u00e4@\u00f6\u00fc.example>, ",
}
for _name, _piece in AUTHORS.items():
    kind(f"From of 900 kB: {_name}")(functools.partial(authored, _piece * (900_000 // len(_piece.encode()))))


@kind("Authentication-Results of 900 kB of brackets")
def nested_results():
    return message([("Authentication-Results", "mx.example.org; " + "(" * 900_000), ("From", SENDER)])


@kind("10,000 Authentication-Results in our name")
def many_results():
    return message([("Authentication-Results", "mx.example.org; spf=pass")] * 10_000 + [("From", SENDER)])


def wide_zone(addresses=1000):
    """An SPF record with ten mx of ten hosts each, and so many addresses at each."""
    domain = f"wide.{DOMAIN}"
    terms = " ".join(f"mx:m{number}.{domain}" for number in range(10))
    lines = [f'{domain}. 300 IN TXT "v=spf1 {terms} -all"']
    for number in range(10):
        for host in range(10):
            name = f"h{host}.m{number}.{domain}."
            lines.append(f"m{number}.{domain}. 300 IN MX 10 {name}")
            lines += [f"{name} 300 IN A 198.18.{at // 250}.{at % 250 + 1}" for at in range(addresses)]
    return "\n".join(lines) + "\n"


def wide():
    """The message whose sender has that record."""
    return message([("From", f"a@wide.{DOMAIN}")], sender=f"a@wide.{DOMAIN}")


ZONE = "".join(sorted({kind.zone for kind in KINDS}))


def octets(sent):
    """How large a message is, each of its commands and fields counted as 512 octets at least."""
    fields = sum(max(512, len(name) + len(value.encode("utf-8", "surrogateescape")) + 4) for name, value in sent.headers)
    return 512 * (6 + len(sent.recipients)) + fields + len(sent.body)
