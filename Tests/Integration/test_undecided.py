"""Messages whose verdict hangs on an answer that the DNS does not give."""

import socket
import struct
import threading
import unittest

import daemon
import milter_client

RULES = """\
[[rules]]
name = "forwarders"
when = { spf = "fail" }
unless = { client_names = ".forwarder.example" }
action = "reject"
"""
ZONE = {"refused.example": "v=spf1 -all", "permitted.example": "v=spf1 +all", "mail.example.com": "v=spf1 +all"}


class NameServer:
    """Answers TXT questions by a zone; says SERVFAIL to those about addresses and about names in `silent.example`."""

    def __init__(self):
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.run, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.close()

    def run(self):
        while True:
            try:
                query, client = self.socket.recvfrom(4096)
                self.socket.sendto(self.answer(query), client)
            except OSError:
                return

    @staticmethod
    def answer(query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
            at += 1 + query[at]
        question, name = query[12:at + 5], ".".join(labels)
        is_silent = name.endswith((".arpa", "silent.example"))
        text = ZONE.get(name) if question[-4:-2] == b"\0\x10" else None
        # QR, RD, RA, and SERVFAIL, NXDOMAIN or no error.
        flags = 0x8180 | (2 if is_silent else 0 if text else 3)
        record = b""
        if text and not is_silent:
            data = bytes([len(text)]) + text.encode()
            record = b"\xc0\x0c\0\x10\0\1" + struct.pack(">IH", 300, len(data)) + data
        return query[:2] + struct.pack(">HHHHH", flags, 1, 1 if record else 0, 0, 0) + question + record


class Undecided(unittest.TestCase):
    def postern(self, rules=RULES, mode="enforce", server=None):
        # Nothing answers at this port.
        postern = daemon.Postern(rules, mode=mode, servers=(server or f"127.0.0.1:{daemon.free_port()}",))
        postern.dns += '\ntimeout = "4s"\nattempt_timeout = "2s"\nattempts = 2'
        postern.configure(rules)
        return self.enterContext(postern)

    def send(self, postern, sender="a@refused.example"):
        """The answers to RCPT and to the end of a message."""
        milter = milter_client.Milter(postern.unix)
        self.addCleanup(milter.close)
        milter.negotiate()
        milter.connect("mail.example.com", "192.0.2.1")
        milter.helo("mail.example.com")
        milter.mail(f"<{sender}>")
        recipient = milter.rcpt("<b@example.org>")
        if recipient is not None and recipient.command == "y":
            return recipient.text, None
        milter.header("From", f" {sender}")
        milter.eoh()
        milter.body(b"Hello.\r\n")
        reply = milter.eom().reply
        return None, reply.text if reply.command == "y" else reply.command

    def test_while_the_dns_is_silent_a_message_comes_again(self):
        postern = self.postern()
        refusal, reply = self.send(postern)
        self.assertIsNone(refusal)
        self.assertRegex(reply, r"^451 4\.4\.3 ")
        line = postern.line()
        self.assertEqual((line["action"], line["rule"], line["undecided"]), ("tempfail", "forwarders", "forwarders:spf"))
        self.assertRegex(postern.command("status"), r"undecided +tempfail 1 ")

    def test_undecided_accept_lets_it_through(self):
        postern = self.postern(RULES + '\n[limits]\nundecided = "accept"\n')
        self.assertEqual(self.send(postern), (None, "c"))
        line = postern.line()
        self.assertEqual((line["action"], line["undecided"]), ("accept", "forwarders:spf"))

    def test_observe_only_says_so(self):
        postern = self.postern(mode="observe")
        self.assertEqual(self.send(postern), (None, "c"))
        line = postern.line()
        self.assertEqual((line["action"], line["would"], line["undecided"]), ("accept", "tempfail", "forwarders:spf"))

    def test_a_forwarder_whose_name_cannot_be_looked_up_is_not_refused_for_good(self):
        with NameServer() as server:
            postern = self.postern(server=server.address)
            self.assertRegex(self.send(postern)[1], r"^451 4\.4\.3 ")
            line = postern.line()
            self.assertEqual((line["spf"], line["undecided"]), ("fail", "forwarders:client_names"))
            self.assertEqual(self.send(postern, "a@permitted.example"), (None, "c"))

    def test_one_silent_domain_is_deferred_and_the_others_are_judged(self):
        with NameServer() as server:
            postern = self.postern('[[rules]]\nname = "spf"\nwhen = { spf = "fail" }\naction = "reject"\n', server=server.address)
            self.assertRegex(self.send(postern, "a@silent.example")[1], r"^451 4\.4\.3 ")
            self.assertRegex(self.send(postern, "a@refused.example")[0], r"^550 5\.7\.23 ")
            self.assertEqual(self.send(postern, "a@permitted.example"), (None, "c"))


if __name__ == "__main__":
    unittest.main()
