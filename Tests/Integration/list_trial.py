#!/usr/bin/python3
"""The trial with lists: what a preset does with mail of authors with p=reject that comes by forwarders and mailing lists.

    Tests/Integration/list_trial.py [--preset careful] [--packages FOLDER]

Each kind of message goes through an alias of a private Postfix, with and without seals, and through a real Mailman 3, which
is unpacked from Debian's packages and not installed; FOLDER is where that has been done already. The receiver is a second Postfix, behind it the preset twice: as it
ships, and with the list, and the forwarder by its seals, named. A table says what became of each. It is not a test: the table
is for the eye. Where Mailman cannot be unpacked, one line says that it was not run.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import daemon
import mail
import mta
from scenario import ZONE
from test_sealing import SEALED, SEALING, UNSEALED, Forwarder

LIST = "tea@lists.example"
# The host of the list and of the forwarder has a name and may send for the list.
MORE = """\
1.0.0.127.in-addr.arpa. IN PTR mx.lists.example.
mx.lists.example. IN A 127.0.0.1
lists.example. IN TXT "v=spf1 ip4:127.0.0.1 -all"
_dmarc.lists.example. IN TXT "v=DMARC1; p=none"
"""
FORWARDER = """
[checks.arc]
enabled = true

[[trusted_forwarders]]
name = "forward.example"
sealers = ["forward.example"]
"""
# Attributes of the list.
LISTS = {
    "Mailman 3": {},
    "Mailman 3, posts unchanged": {"subject_prefix": "", "footer": ""},
    "Mailman 3, own From": {"dmarc_mitigate_action": "munge_from"},
    "Mailman 3, wrapped": {"dmarc_mitigate_action": "wrap_message"},
}


def needed(package):
    """A package and those that it needs and this host has not."""
    command = ["apt-get", "-s", "--no-install-recommends", "install", package]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return sorted(line.split()[1] for line in result.stdout.splitlines() if line.startswith("Inst ")) or [package]


def configurations(preset):
    path = os.path.join(daemon.PACKAGE, "Packaging", "presets", preset + ".toml")
    with open(path, encoding="utf-8") as file:
        text = "".join(line for line in file if not line.startswith(("mode", "authserv_id")))
    return {"as it ships": text, "list and forwarder named": text.replace(".lists.example.net", ".lists.example") + FORWARDER}


class Receiver:
    """The host that the preset is for."""

    def __init__(self, stack, rules, zone):
        self.postern = stack.enter_context(daemon.Postern(rules, zone))
        self.server = stack.enter_context(mta.Postfix(self.postern.unix))

    def seen(self, send):
        """What became of the message that a function sends."""
        before = len(self.postern.lines())
        send(self.server.port)
        line = self.postern.line(after=before)
        rule = line.get("rule") or line.get("exempted", "-")
        return line.get("dmarc", "-"), line.get("arc", "-"), line["action"], rule


class Trial:
    def __init__(self, stack, packages):
        self.stack, self.packages = stack, packages
        self.key, self.seal = mail.key("example.com"), mail.key("forward.example")
        self.zone = ZONE + MORE + self.key.record + self.seal.record
        self.forwarders = {}

    def forwarder(self, port):
        """A forwarder to a port, made once."""
        if port not in self.forwarders:
            postern = daemon.Postern(SEALING, self.zone)
            postern.write("key.pem", self.seal.pem.decode(), 0o600)
            self.stack.enter_context(postern)
            self.forwarders[port] = self.stack.enter_context(Forwarder(postern.unix, port))
        return self.forwarders[port]

    def direct(self, message, client):
        def send(port):
            server = self.receiver.server
            mail.send(server, message, client=client)
        return send

    def alias(self, message, to):
        return lambda port: mail.send(self.forwarder(port), message, to=[to])

    def list(self, message, settings):
        def send(port):
            with tempfile.TemporaryDirectory() as var:
                command = [sys.executable, os.path.join(HERE, "mailman_list.py"), self.packages, var, str(port)]
                subprocess.run(
                    [*command, json.dumps(settings)], input=message, check=True, capture_output=True, timeout=120
                )
        return send

    def ways(self, message):
        """Each way that a message takes, and a function that sends it."""
        yield "direct", self.direct(message, "192.0.2.10")
        yield "direct, forged", self.direct(mail.letter(to=LIST), "192.0.2.66")
        yield "alias", self.alias(message, UNSEALED)
        yield "alias that seals", self.alias(message, SEALED)
        for name, settings in LISTS.items():
            yield name, self.list(message, settings)

    def rows(self, rules):
        self.receiver = Receiver(self.stack, rules, self.zone)
        letter = mail.letter(to=LIST)
        for author, message in (("SPF alone", letter), ("SPF and DKIM", self.key.sign(letter))):
            for way, send in self.ways(message):
                yield author, way, *self.receiver.seen(send)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--preset", default="careful")
    parser.add_argument("--packages")
    arguments = parser.parse_args()
    try:
        packages = arguments.packages or mta.files_of("Mailman", *needed("mailman3"))
    except unittest.SkipTest as reason:
        return print(f"not run: {reason}")
    form = "{:13} {:27} {:7} {:6} {:7} {}"
    for name, rules in configurations(arguments.preset).items():
        print(f"{arguments.preset}, {name}:\n" + form.format("author", "way", "dmarc", "arc", "action", "rule"))
        with contextlib.ExitStack() as stack:
            for row in Trial(stack, packages).rows(rules):
                print(form.format(*row))
        print()


if __name__ == "__main__":
    main()
