"""python3-spf over a generated zone, and those of its habits that RFC 7208 does not share.

A habit is corrected by replacing a fragment of python3-spf's text. So each explanation is tested: a difference between
the two counts as explained only if the correction leads to our result.
"""

import functools
import inspect
import types

import spf

# name: (why the RFC has it otherwise, [(fragment, replacement), ...])
HABITS = {
    "include-self": (
        "RFC 7208 § 5.2 knows no special error for an include of the current domain. When it is reached, the limit of "
        "§ 4.6.4 ends the recursion, or a mechanism before it; when it is not reached, it has no effect.",
        [("if arg == self.d:\n                    if mech", "if arg == self.d and ':' not in mech:\n                    if mech")],
    ),
    "redirect-early": (
        "RFC 7208 § 4.6.4 counts terms that cause queries at the time of evaluation; a redirect that is not followed, "
        "because a mechanism matched (§ 6.1), causes none, and § 5.1 ignores it beside an \"all\".",
        [("                self.check_lookups()\n                redirect = self.expand_domain(arg)",
          "                redirect = self.expand_domain(arg); redirect_spec = arg"),
         ("            if redirect:\n                #Catch",
          "            if redirect:\n                self.check_lookups(); redirect = self.late_domain(redirect_spec)\n                #Catch")],
    ),
    "macros-early": (
        "python3-spf expands %{p} while it reads a record, for terms that are never reached and for exp=, and keeps the "
        "name for other domains. RFC 7208 § 4.6 separates validation from evaluation; § 7.3 chooses the name by <domain>, "
        "and says \"unknown\" after a DNS error. § 4.6.4 has the PTR query of %{p} counted among the ten.",
        [("        for mech, m, arg, cidrlength, result in mechs:\n",
          "        for mech, m, arg, cidrlength, result in mechs:\n"
          "            if m in ('a', 'mx', 'ptr', 'exists'): arg = self.late(mech)[2]\n"),
         ("            if m == 'include':\n                self.check_lookups()\n",
          "            if m == 'include':\n                arg = self.late(mech)[2]\n"),
         ("elif m == 'exists':\n                self.check_lookups()", "elif m == 'exists':\n                pass"),
         ("elif m == 'a':\n                self.check_lookups()", "elif m == 'a':\n                pass"),
         ("elif m == 'mx':\n                self.check_lookups()", "elif m == 'mx':\n                pass"),
         ("elif m == 'ptr':\n                self.check_lookups()", "elif m == 'ptr':\n                pass"),
         ("    def getp(self):\n        if not self.p:",
          "    def getp(self):\n        self.p = None if self.is_late else 'unknown'\n        if not self.p:\n            self.check_lookups()"),
         ],
    ),
    "mx-all-hosts": (
        "RFC 7208 § 5.4: \"If any address matches, the mechanism matches.\" Hosts that are not needed for that, and their "
        "errors and void lookups, do not matter.",
        [("return [a for mx in mxnames[:max] for a in self.dns_a(mx[1],self.A)]",
          "return (a for mx in sorted(mxnames[:max], key=by_preference) for a in self.dns_a(mx[1],self.A))"),
         ("if self.cidrmatch(self.dns_mx(arg), cidrlength):",
          "if any(self.cidrmatch([a], cidrlength) for a in self.dns_mx(arg)):")],
    ),
    "ptr-names": (
        "RFC 7208 § 5.5: a name whose address lookup fails \"is skipped and the search continues\", and a PTR lookup that "
        "fails makes the mechanism fail to match. The publisher of a record does not choose the client's names, so what "
        "they lack is not counted as void (§ 4.6.4 ignores PTR names beyond ten for the same reason).",
        [("        return [p for p in self.dns_ptr(self.i)[:max]\n            if self.cidrmatch(self.dns_a(p,self.A),cidrlength)]",
          "        try: names = self.dns_ptr(self.i)[:max]\n"
          "        except TempError: return []\n"
          "        return [p for p in names if self.is_client(p, cidrlength)]")],
    ),
    "void-terms": (
        "RFC 7208 § 4.6.4 limits \"the number of \"terms\" for which DNS queries return\" nothing: an \"mx\" whose hosts have "
        "no address of the client's kind is one, however many hosts it has. A term that matches ends the evaluation.",
        [("            self.void_lookups += 1\n            if self.void_lookups > MAX_VOID_LOOKUPS:\n"
          "                raise PermError('Void lookup limit of %d exceeded' % MAX_VOID_LOOKUPS)",
          "            self.is_void = True"),
         ("        for mech, m, arg, cidrlength, result in mechs:\n",
          "        for mech, m, arg, cidrlength, result in mechs:\n            self.count_void()\n"),
         ("        else:\n            # no matches\n",
          "        else:\n            self.count_void()\n            # no matches\n"),
         ("                res, code, txt = self.check1(d,arg, recursion + 1)\n",
          "                self.count_void()\n                res, code, txt = self.check1(d,arg, recursion + 1)\n"
          "                self.is_void = False\n"),
         ],
    ),
    "percent-signs": (
        "RFC 7208 § 7.1: \"%%\" is a macro-expand wherever it stands, the end of a domain-spec included; a \"%{\" without "
        "\"}\" is an error.",
        [("RE_INVALID_MACRO = re.compile(r'(?<!%)%[^{%_-]|%$')",
          "RE_INVALID_MACRO = re.compile(r'^(?:[^%]|%[%_-]|%\\{[^}]*\\})*%(?:[^%_{-]|\\{[^}]*$|$)')")],
    ),
    "transformers": (
        "RFC 7208 § 7.1: transformers = *DIGIT [ \"r\" ], and delimiters are of a set of seven; § 7.3: a DIGIT \"MUST be "
        "nonzero\". Anything else is a syntax error.",
        [("                expansion = getattr(self, letter, self)\n",
          "                expansion = getattr(self, letter, self)\n"
          "                if not re.match(r'(0*[1-9][0-9]*)?[rR]?[-.+,/_=]*\\Z', macro[3:-1]):\n"
          "                    raise PermError('Invalid transformers', macro)\n")],
    ),
    "octets": (
        "RFC 7208 § 7.1: a macro-literal is %x21-24 / %x26-7E; control characters are syntax errors.",
        [("        # Check for invalid macro syntax\n",
          "        if re.search(r'[^ -~]', s): raise PermError('forbidden octet', s)\n")],
    ),
    "old-modifiers": (
        "RFC 7208 § 6 knows no \"default\" and no \"op\": unknown modifiers are ignored, but § 12 has their values be "
        "macro-strings.",
        [("elif mod == 'default':", "elif mod == ' ':"), ("elif mod == 'op':", "elif mod == '  ':")],
    ),
    "no-local-part": (
        "RFC 7208 § 4.3: without a local-part, the <sender> is that of \"postmaster\", in %{s} too.",
        [("        self.l, self.o = split_email(s, h)\n        self.t",
          "        self.l, self.o = split_email(s, h)\n        self.s = self.l + '@' + self.o\n        self.t")],
    ),
    "joiners": (
        "RFC 7208 § 7.3: after splitting, the parts are joined with dots, \"and not the original splitting characters\".",
        [("e = expand_one(expansion, macro[3:-1], JOINERS.get(letter))", "e = expand_one(expansion, macro[3:-1], '.')")],
    ),
}


ALL = tuple(HABITS)


def by_preference(exchange):
    """Preference, then the name in wire form: any fixed order does."""
    labels = [label.encode() for label in exchange[1].lower().rstrip(".").split(".")]
    return exchange[0], b"".join(bytes([len(label)]) + label for label in labels)


@functools.cache
def module(habits):
    """python3-spf with habits corrected."""
    text = inspect.getsource(spf)
    for habit in habits:
        for fragment, replacement in HABITS[habit][1]:
            assert fragment in text, f"python3-spf has changed: {habit}"
            text = text.replace(fragment, replacement)
    corrected = types.ModuleType("spf_corrected")
    corrected.by_preference = by_preference
    exec(compile(text, "spf_corrected", "exec"), corrected.__dict__)

    class Query(corrected.query):
        """A query with what the corrections call."""

        is_late = False
        is_void = False

        def count_void(self):
            self.void_lookups += self.is_void
            self.is_void = False
            if self.void_lookups > corrected.MAX_VOID_LOOKUPS:
                raise corrected.PermError("Void lookup limit exceeded")

        def late(self, mechanism):
            self.check_lookups()
            self.is_late = True
            try:
                return self.validate_mechanism(mechanism)
            finally:
                self.is_late = False

        def late_domain(self, spec):
            self.is_late = True
            try:
                return self.expand_domain(spec)
            finally:
                self.is_late = False

        def is_client(self, name, bits):
            try:
                return self.cidrmatch(self.dns(name, self.A, ignore_void=True), bits)
            except corrected.TempError:
                return False

    corrected.Query = Query
    return corrected


def run(case, habits=()):
    """The result and the explanation of a case."""
    corrected = module(tuple(habits))
    zone = {name.lower(): entries for name, entries in case.zone.items()}

    def find(name, kind, strict=True, timeout=20):
        entries = zone.get(name.lower().rstrip("."), [])
        if any(entry[0] == "FAIL" for entry in entries):
            raise corrected.TempError("DNS failure")
        values = {"TXT": lambda text: (text.encode("latin-1"),), "MX": tuple}
        return [((name, kind), values.get(kind, str)(value)) for entry, value in entries if entry == kind]

    corrected.DNSLookup = find
    result, _, text = corrected.Query(case.client, case.sender, case.helo, strict=True).check()
    return result, text


def judge(case, habits=()):
    """What python3-spf says; a crash is a result of its own."""
    try:
        return run(case, habits)
    except Exception as error:  # noqa: BLE001
        return "crash", repr(error)


def explanation(case, expected):
    """The habit whose correction alone gives the expected result."""
    for habit in HABITS:
        if judge(case, (habit,))[0] == expected:
            return habit
    return "several of these"
