"""From fields made at random from a seed: lists of addresses, and what people and programs write in their place."""

import random

OWN = ["own.test", "own.test", "own.test", "own.test", "OWN.test"]
OTHER = ["bank.test", "mail.own.test", "x", "own.test.", "own..test", "own.test'", "[192.0.2.1]"]
WORDS = ["Doe", "John", "The", "Boss", "via", "List", "10:30", "5\"", "J.", "&amp;", "A&B", "O'Neil", "AT&T", "*", "!", "-",
         "\xc3\xb6", "\xf6", "", "...", "=", "#1", "$", "a=b", "{x}", "~", "`"]
QUOTED = ['"Doe, John"', '"ceo@bank.test"', '"A <ceo@bank.test>"', '"a \\" b"', '""', '"@"', '"("', '"x']
COMMENTS = ["(Sales)", "(a, b)", "(ceo@bank.test)", "(a(b)c)", "()", "(<x>)", "(\\))", "(x", "x)"]
ENCODED = ["=?utf-8?q?Doe=2C_John?=", "=?utf-8?b?RG9lLCBKb2hu?=", "=?utf-8?q?ceo=40bank.test?=",
           "=?utf-8?b?PGNlb0BiYW5rLnRlc3Q+?=", "=?utf-8?q?a=40own.test?=", "=?utf-8?q?x", "=?iso-8859-1?Q?J=F6?="]
MARKS = [",", ",", ",", ";", ":", "[", "]", "[Ticket]", "<", ">", "@", "\\", ".", "\\,", "\\\"", "\0"]
SPACES = ["", " ", " ", " ", "  ", "\t", "\r\n "]
LOCAL = ["a", "noreply", "john.doe", "a..b", ".a", "a.", "a+b", '"a b"', '"a@b"', "a b", ""]


def address(rng, domains):
    return rng.choice(LOCAL) + rng.choice(["@", "@", "@", "@", " @ ", "@(c)"]) + rng.choice(domains)


def piece(rng):
    kind = rng.random()
    if kind < 0.45:
        return rng.choice(WORDS)
    if kind < 0.55:
        return rng.choice(QUOTED)
    if kind < 0.63:
        return rng.choice(COMMENTS)
    if kind < 0.71:
        return rng.choice(ENCODED)
    if kind < 0.93:
        return rng.choice(MARKS)
    return address(rng, OWN if rng.random() < 0.6 else OTHER)


def name(rng):
    return "".join(piece(rng) + rng.choice(SPACES) for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 4, 6])))


def field(rng):
    """The value of one From field, as octets."""
    domains = OWN if rng.random() < 0.85 else OTHER
    kind = rng.random()
    if kind < 0.62:
        text = name(rng) + "<" + address(rng, domains) + ">"
        if rng.random() < 0.15:
            text += rng.choice(SPACES) + piece(rng)
    elif kind < 0.72:
        text = name(rng) + address(rng, domains) + rng.choice(["", "", " " + name(rng)])
    elif kind < 0.8:
        text = rng.choice([", ", ",", "; ", " "]).join(name(rng) + "<" + address(rng, OWN) + ">" for _ in range(2))
    elif kind < 0.84:
        text = "Team: " + address(rng, domains) + rng.choice([";", "", ", " + address(rng, domains) + ";"])
    else:
        text = name(rng)
    while rng.random() < 0.12 and text:
        position = rng.randrange(len(text))
        text = text[:position] + rng.choice([rng.choice(MARKS), "", chr(rng.randrange(256))]) + text[position + 1:]
    return text.encode("latin-1")


def fields(seed, count):
    """So many of them; the same seed makes the same ones."""
    rng = random.Random(seed)
    return [field(rng) for _ in range(count)]
