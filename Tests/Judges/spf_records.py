"""Random SPF records, valid and damaged, with the zones and clients to check them against.

A case depends on its number and the seed alone, so that a difference can be looked at again.
"""

import random

QUALIFIERS = ["", "", "", "+", "-", "~", "?"]
CLIENTS = ["192.0.2.1", "192.0.2.9", "198.51.100.7", "203.0.113.200", "2001:db8::1", "2001:db8:0:1::99", "::ffff:192.0.2.1"]
SENDERS = ["a@{}", "john.doe@{}", "x-y+z@{}", "strong-bad@{}", "A.B-c_d@{}", "@{}", "{}", "a=b/c,d@{}"]
LETTERS = "sSlLoOdDiIpPvVhH"
DELIMITERS = ".-+,/_="
DAMAGE = "%{}:/=.,-_+~? azAZ019\t\"\\@;%%::"


class Case:
    def __init__(self, seed, number):
        self.random = random.Random(f"{seed}/{number}")
        self.number = number
        self.names = [f"n{i}.c{number}.example" for i in range(self.random.randint(2, 7))]
        self.zone = {}
        for name in self.names:
            self.fill(name)
        self.client = self.choice(CLIENTS)
        self.fill_reverse()
        self.helo = self.choice([self.name(), self.name(), "[192.0.2.1]", "localhost", "UPPER." + self.name()])
        self.sender = "" if self.chance(0.05) else self.choice(SENDERS).format(self.names[0])

    def choice(self, values):
        return self.random.choice(values)

    def chance(self, probability):
        return self.random.random() < probability

    def name(self):
        if self.chance(0.12):
            return f"gone{self.random.randint(0, 5)}.c{self.number}.example"
        return self.choice(self.names)

    # The zone

    def add(self, name, kind, value):
        self.zone.setdefault(name, []).append([kind, value])

    def fill(self, name):
        if self.chance(0.03):
            self.add(name, "FAIL", "")
            return
        if self.chance(0.9) or name == self.names[0]:
            self.add(name, "TXT", self.record())
        if self.chance(0.04):
            self.add(name, "TXT", self.choice(["v=spf1 -all", "v=spf10 +all", "other text", "v=spf1\t+all", "V=SPF1"]))
        for _ in range(self.random.choice([0, 0, 1, 1, 2, 3])):
            self.add(name, "A", self.choice([c for c in CLIENTS if ":" not in c]))
        for _ in range(self.random.choice([0, 0, 1, 2])):
            self.add(name, "AAAA", self.choice([c for c in CLIENTS if ":" in c and "." not in c]))
        exchanges = 11 if self.chance(0.02) else self.random.choice([0, 0, 1, 2, 3])
        for index in range(exchanges):
            self.add(name, "MX", [self.random.randint(0, 3), self.name() if exchanges < 11 else f"m{index}.{name}"])
        if self.chance(0.02):
            self.add(name, "MX", [0, ""])

    def fill_reverse(self):
        import ipaddress
        address = ipaddress.ip_address(self.client)
        if address.version == 6 and address.ipv4_mapped:
            address = address.ipv4_mapped
        if self.chance(0.02):
            self.add(address.reverse_pointer, "FAIL", "")
            return
        for _ in range(self.random.choice([0, 1, 1, 2, 3, 12])):
            self.add(address.reverse_pointer, "PTR", self.name())

    # The record

    def record(self):
        terms = [self.term() for _ in range(self.random.choice([0, 1, 1, 2, 2, 3, 4, 6, 9]))]
        if self.chance(0.75):
            terms.append(self.choice(["-all", "~all", "?all", "all", "+all"]))
        if self.chance(0.25):
            terms.insert(self.random.randint(0, len(terms)), self.modifier())
        text = self.choice(["v=spf1", "v=spf1", "v=spf1", "V=Spf1"])
        for term in terms:
            text += self.choice([" ", " ", " ", "  "]) + term
        text += self.choice(["", "", "", " "])
        return self.damaged(text) if self.chance(0.1) else text

    def damaged(self, text):
        for _ in range(self.random.choice([1, 1, 2])):
            at = self.random.randint(6, len(text))
            if self.chance(0.1):
                text = text[:at] + chr(self.random.randint(0, 255)) + text[at + 1:]
            else:
                text = text[:at] + self.choice(["", self.choice(DAMAGE)]) + text[at + self.random.randint(0, 1):]
        return text

    def term(self):
        kind = self.choice(["a", "a", "mx", "mx", "include", "include", "exists", "ptr", "ip4", "ip4", "ip6"])
        qualifier = self.choice(QUALIFIERS)
        if self.chance(0.1):
            kind = kind.upper()
        argument = getattr(self, "argument_" + kind.lower())()
        return qualifier + kind + argument

    def argument_a(self):
        return self.optional_domain() + self.prefix()

    argument_mx = argument_a

    def argument_ptr(self):
        return self.optional_domain()

    def argument_include(self):
        return ":" + self.domain()

    argument_exists = argument_include

    def argument_ip4(self):
        if self.chance(0.03):
            return self.choice([":192.0.2.1/33", ":192.0.2.1/08", ":1.2.3", ":192.0.02.1", ":192.0.2.1//32", ":::1", ""])
        prefix = self.choice(["", "", "/24", "/32", "/8", "/31", "/0"])
        return ":" + self.choice(["192.0.2.1", "192.0.2.0", "198.51.100.0", "203.0.113.128"]) + prefix

    def argument_ip6(self):
        if self.chance(0.03):
            return self.choice([":::/129", ":1::2::3", ":192.0.2.1", ":2001:db8::1//64", ":[::1]", ":1:2:3:4:5:6:7:8:9"])
        prefix = self.choice(["", "", "/64", "/32", "/128", "/127", "/48"])
        return ":" + self.choice(["2001:db8::1", "2001:DB8::", "2001:db8:0:1::", "::ffff:192.0.2.1", "1:2::192.0.2.1"]) + prefix

    def optional_domain(self):
        return "" if self.chance(0.4) else ":" + self.domain()

    def prefix(self):
        if self.chance(0.02):
            return self.choice(["/33", "//129", "/024", "/24/64", "/", "//", "/24//", "///64", "/-1"])
        return self.choice(["", "", "", "", "/24", "//64", "/16//48", "/0", "//0", "/32//128"])

    def domain(self):
        if self.chance(0.7):
            return self.name() + self.choice(["", "", "", "."])
        parts = [self.choice([self.macro(), self.macro(), self.name(), "_spf", "%%", "%_", "%-"]) for _ in range(self.random.randint(1, 3))]
        return ".".join(parts) + self.choice(["", "." + self.name(), "." + self.name()])

    def macro(self):
        letter = self.choice(LETTERS) if self.chance(0.99) else self.choice("crtxa0")
        count = self.choice(["", "", "1", "2", "3", "9", "128"]) if self.chance(0.99) else "0"
        reverse = self.choice(["", "", "r"])
        delimiters = "".join(self.choice(DELIMITERS) for _ in range(self.random.choice([0, 0, 0, 1, 2])))
        return "%{" + letter + count + reverse + delimiters + "}"

    def modifier(self):
        if self.chance(0.1):
            return self.choice(["1x=y", "redirect=", "exp=", "=x", "x-note=%", "x-note=%{c}", "exp=nodots", "redirect=%{d}."])
        return self.choice(["redirect=" + self.domain(), "redirect=" + self.domain(), "exp=" + self.domain(),
                            "x-note=" + self.macro(), "default=pass", "op=auth", "X.y_z-1=a:b/c"])

    def line(self):
        return {"id": self.number, "client": self.client, "helo": self.helo, "sender": self.sender, "zone": self.zone}
