"""Why we leave an author unreadable where three readers find one domain: each reason with its argument, and how it is seen.

A field that is no list of addresses is for no RFC to read. What the readers agree on here, mail programs in use do not: they
look for brackets first, or for commas, or decode first. Where one of them could show another author, there is none.
"""

import base64
import quopri
import re


def split(text):
    """The field without quoted strings and comments, which become Q and a blank; nothing when one of them does not end."""
    bare, position = "", 0
    while position < len(text):
        start = text[position]
        if start == '"':
            match = re.compile(r'"(?:[^"\\]|\\.)*"', re.S).match(text, position)
            if not match:
                return None
            bare, position = bare + "Q", match.end()
        elif start == "(":
            depth = 0
            while position < len(text):
                depth += {"(": 1, ")": -1}.get(text[position], 0)
                position += 2 if text[position] == "\\" else 1
                if not depth:
                    break
            if depth:
                return None
            bare += " "
        else:
            bare, position = bare + start, position + 1
    return bare


def decoded(text):
    """What the encoded words in the field say."""
    words = re.findall(r"=\?[^?]*\?([bBqQ])\?(.*?)\?=", text, re.S)
    return b"".join(
        base64.b64decode(word + "==") if kind in "bB" else quopri.decodestring(word.replace("_", " ").encode("latin-1"))
        for kind, word in words
    ).decode("latin-1")


def reason(kind, value, readers):
    """Why we differ; nothing when no reason is known. No difference is known where we find what nobody else does."""
    if kind != "missed":
        return None
    text = re.sub(r"\r\n(?=[ \t])", "", value.decode("latin-1"))
    (domain,) = readers[0]
    bare = split(text)
    if not re.fullmatch(r"(?!-)[\w-]+(?<!-)(\.(?!-)[\w-]+(?<!-))*", domain, re.A):
        # RFC 5321 § 4.1.2: letters, digits and hyphens.
        return "no host has such a name"
    if re.search(r"[\0\r\n]", text) or b"\\\r\n" in value:
        # RFC 5322 § 2.2: some readers stop there.
        return "a NUL or a line end in the field"
    if bare is None:
        # To some the rest of the field is text, to others it is not.
        return "a quoted string or comment that does not end"
    if bare.count("<") != 1 or bare.count(">") != 1:
        # Nothing, or several things, that a reader who looks for brackets could find.
        return "not one pair of brackets"
    name, _, rest = bare.partition("<")
    inside, _, behind = rest.partition(">")
    if behind.strip(" \t"):
        # Some take what stands behind for the name, some for another address.
        return "something behind the brackets"
    if not re.fullmatch(r"[ \t]*[\w.+Q\x80-\xff-]+[ \t]*@[ \t]*[\w.\x80-\xff-]+[ \t]*", inside, re.A):
        # Words, a route or two @: the readers drop different parts of it.
        return "no addr-spec in the brackets"
    if not name.strip(" \t") or name.rstrip(" \t").endswith(","):
        # What stands before a comma is a member of its own to readers of lists, and hides what they decode in it.
        return "a comma next to the brackets"
    if "@" in name:
        return "another @ beside the brackets"
    if "@" in "".join(re.findall(r"\(.*\)", text, re.S)):
        # A comment is text to readers that know none.
        return "an address in a comment"
    if re.search(r"@[\w-]+\.[\w-]", decoded(text)):
        # Programs that decode first see an address.
        return "an encoded word that hides an address"
    if re.search(r'\\["(),<>@;[\]]|\\Q', bare):
        # RFC 5322 § 4.1: whether it takes away the meaning of what follows depends on the reader.
        return "a backslash outside of quotes"
    return None
