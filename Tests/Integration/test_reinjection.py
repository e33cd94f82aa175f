"""Mail that is given to the mail server a second time, by an address of its own host: postern(8), "Mail that comes again"."""

import shutil
import smtplib
import socketserver
import subprocess
import tempfile
import threading
import unittest

import daemon
import mail
import mta
from scenario import ZONE

SIGNING = """\
[[signing]]
domain = "example.com"
keys = [{ selector = "s", file = "@DIRECTORY@/key.pem" }]
"""
# In our own name, from a client that example.com does not send by; and in that of another.
OURS, ANOTHERS = "ceo@example.com", "carol@author.example"


class Handler(socketserver.StreamRequestHandler):
    """An SMTP server that gives each message on to the next one."""

    def handle(self):
        self.say("220 filter")
        sender, recipients = "", []
        for line in self.rfile:
            verb, _, rest = line.decode("utf-8").strip().partition(" ")
            match verb.upper():
                case "MAIL":
                    sender, recipients = rest.partition("<")[2].partition(">")[0], []
                    self.say("250 ok")
                case "RCPT":
                    recipients.append(rest.partition("<")[2].partition(">")[0])
                    self.say("250 ok")
                case "DATA":
                    self.say("354 go on")
                    self.say(self.pass_on(sender, recipients, self.message()))
                case "QUIT":
                    return self.say("221 bye")
                case _:
                    self.say("250 filter")

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def message(self):
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def pass_on(self, sender, recipients, message):
        with smtplib.SMTP("127.0.0.1", self.server.next_port) as client:
            try:
                client.sendmail(sender, recipients, message)
            except smtplib.SMTPException as error:
                return f"451 {error}"
        return "250 passed on"


class Filter(socketserver.ThreadingTCPServer):
    """A content filter that changes nothing."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, port, next_port):
        super().__init__(("127.0.0.1", port), Handler)
        self.next_port = next_port
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Reinjection(unittest.TestCase):
    """Mail in front of a mail server whose own addresses are trusted."""

    def setUpServers(self, services="", skipped=(), **settings):
        postern = daemon.Postern(SIGNING, ZONE, trusted=["127.0.0.0/8"], skipped=skipped)
        postern.write("key.pem", mail.key("example.com").pem.decode(), 0o600)
        self.postern = self.enterContext(postern)
        self.server = self.enterContext(
            mta.Postfix(postern.unix, services, non_smtpd_milters=postern.unix, **settings)
        )

    def filter_behind(self, options="", in_front=""):
        """Lines of master.cf for a filter between an smtpd and another."""
        self.filter_port, self.behind, self.in_front = (mta.free_port() for _ in range(3))
        server = Filter(self.filter_port, self.behind)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return (
            f"127.0.0.1:{self.behind} inet n - n - - smtpd -o content_filter= {options}\n"
            f"127.0.0.1:{self.in_front} inet n - n - - smtpd {in_front.format(filter=self.filter_port)}\n"
        )

    def smtp(self, author, client="192.0.2.66", to="bob@example.org", port=None):
        """Mail by SMTP; the client is one from outside, or this host."""
        self.server.port, port = port or self.server.port, self.server.port
        outcome = mail.send(self.server, mail.letter(author=author), author, [to], client=client)
        self.server.port = port
        self.assertEqual(outcome.code, 250, outcome)

    def program(self, message, to="bob@example.org"):
        """Mail of a program on this host, by sendmail(1)."""
        command = ["/usr/sbin/sendmail", "-C", self.server.path("etc"), "-i", "-f", "a@example.com", to]
        subprocess.run(command, input=message.replace(b"\r\n", b"\n"), check=True, timeout=30)
        mta.wait_until(lambda: self.server.mail(), "a message")

    def take(self):
        """The only message, and its lines in the log; the mailbox is empty then."""
        self.server.settle()
        messages = self.server.delivered("bob@example.org")
        self.assertEqual(len(messages), 1)
        self.server.empty_mailboxes()
        return messages[0]

    def assert_marked(self, message, judged, signatures):
        stamps = [value for value in mail.values(message, "Authentication-Results") if value.startswith("mx.example.org")]
        self.assertEqual((len(stamps), len(mail.values(message, "DKIM-Signature"))), (judged, signatures), message[:3000])

    def lines(self):
        return [(line.get("trusted"), line["action"]) for line in self.postern.lines()]


class ContentFilter(Reinjection):
    def test_mail_from_outside_is_judged_and_never_signed(self):
        services = self.filter_behind(in_front="-o content_filter=smtp:[127.0.0.1]:{filter}")
        self.setUpServers(services)
        for author in (OURS, ANOTHERS):
            self.smtp(author, port=self.in_front)
            self.assert_marked(self.take(), 1, 0)
        self.assertEqual(self.lines(), [(None, "accept"), ("network", "accept")] * 2)
        self.assertIn("came from outside", self.postern.lines()[1]["unsigned"])
        self.smtp(OURS, client="127.0.0.1", port=self.in_front)
        self.assert_marked(self.take(), 0, 2)

    def test_without_milters_behind_it_all_is_seen_once(self):
        services = self.filter_behind(
            "-o receive_override_options=no_milters", "-o content_filter=smtp:[127.0.0.1]:{filter}"
        )
        self.setUpServers(services)
        self.smtp(OURS, port=self.in_front)
        self.assert_marked(self.take(), 1, 0)
        self.smtp(OURS, client="127.0.0.1", port=self.in_front)
        self.assert_marked(self.take(), 0, 1)
        self.assertEqual(self.lines(), [(None, "accept"), ("network", "sign")])


class BeforeQueueFilter(Reinjection):
    IN_FRONT = "-o smtpd_proxy_filter=127.0.0.1:{filter}"

    def test_behind_it_all_mail_looks_like_our_own(self):
        """What the manual warns of."""
        self.setUpServers(self.filter_behind(in_front=self.IN_FRONT))
        self.smtp(OURS, port=self.in_front)
        self.assert_marked(self.take(), 0, 1)

    def test_without_milters_behind_it_nothing_is_signed(self):
        self.setUpServers(self.filter_behind("-o smtpd_milters=", self.IN_FRONT))
        self.smtp(OURS, port=self.in_front)
        self.assert_marked(self.take(), 0, 0)

    def test_passed_by_nothing_is_signed(self):
        self.setUpServers(self.filter_behind(in_front=self.IN_FRONT), skipped=["127.0.0.1/32"])
        self.smtp(OURS, port=self.in_front)
        self.assert_marked(self.take(), 0, 0)
        self.assertEqual(self.lines()[-1], ("skip", "accept"))


class Programs(Reinjection):
    def setUp(self):
        aliases = "local unix - n n - - local\n"
        self.again = mta.free_port()
        aliases += f"127.0.0.1:{self.again} inet n - n - - smtpd -o receive_override_options=no_milters\n"
        self.setUpServers(
            aliases, mydestination="local.example", alias_maps="inline:{fwd=bob@example.org}", alias_database="",
            local_recipient_maps="", mailbox_size_limit="0", virtual_mailbox_domains="example.org",
        )

    def from_outside(self, author):
        """A message as it was delivered, for somebody to give it to the server again."""
        self.smtp(author)
        return self.take()

    def test_list_software(self):
        for author, new_author, signatures in (
            (ANOTHERS, ANOTHERS, 0), (ANOTHERS, "list@example.com", 1), (OURS, OURS, 0), (OURS, "list@example.com", 0),
        ):
            with self.subTest(author=author, new_author=new_author):
                message = self.from_outside(author).replace(b"From: " + author.encode(), b"From: " + new_author.encode())
                self.program(message)
                self.assert_marked(self.take(), 1, signatures)
        # A post of our own user has no stamp of ours.
        self.smtp(OURS, client="127.0.0.1")
        message = self.take()
        self.assert_marked(message, 0, 1)
        self.program(message)
        self.assert_marked(self.take(), 0, 2)

    def test_forwarding_by_the_mail_server(self):
        for author in (OURS, ANOTHERS):
            self.smtp(author, to="fwd@local.example")
            self.assert_marked(self.take(), 1, 0)
        self.assertEqual(self.lines(), [(None, "accept")] * 2)

    def test_forwarding_by_a_program(self):
        for author in (OURS, ANOTHERS):
            self.program(self.from_outside(author))
            self.assert_marked(self.take(), 1, 0)

    def test_fetchmail(self):
        """What it brings looks like our own, unless it speaks to a service without milters."""
        self.smtp(ANOTHERS, client="127.0.0.1")
        self.assert_marked(self.take(), 0, 0)
        self.smtp(OURS, client="127.0.0.1")
        self.assert_marked(self.take(), 0, 1)
        self.smtp(OURS, client="127.0.0.1", port=self.again)
        self.assert_marked(self.take(), 0, 0)

    def test_cron_and_web_forms(self):
        for author, signatures in (("root@example.com", 1), ("www-data@example.com", 1), ("visitor@author.example", 0)):
            with self.subTest(author=author):
                self.program(mail.letter(author=author))
                self.assert_marked(self.take(), 0, signatures)


class Forwarding(Reinjection):
    def test_a_forward_file_that_leads_out_of_the_house(self):
        """It goes out as it came in."""
        following = self.enterContext(mta.Postfix(""))
        folder = mta.scratch()
        self.addCleanup(shutil.rmtree, folder)
        with open(f"{folder}/nobody", "w", encoding="ascii") as file:
            file.write("bob@away.example\n")
        self.setUpServers(
            "local unix - n n - - local\n", mydestination="local.example", virtual_mailbox_domains="", mailbox_size_limit="0",
            forward_path=f"{folder}/$user", relayhost=f"[127.0.0.1]:{following.port}",
        )
        for author in (OURS, ANOTHERS):
            self.smtp(author, to="nobody@local.example")
            self.server.settle()
            following.settle()
            (message,) = following.delivered("bob@away.example")
            following.empty_mailboxes()
            self.assertIn("nobody@local.example", mail.values(message, "Delivered-To"))
            self.assert_marked(message, 1, 0)
        self.assertEqual(self.lines(), [(None, "accept")] * 2)


class Check(unittest.TestCase):
    """`postern check` judges everybody's mail, and says whose mail the filter does not judge."""

    TRUST = '[trust]\nnetworks = ["192.0.2.0/24"]\nskip = ["198.51.100.1/32"]\n'
    INBOUND = '[[listen]]\nsocket = "inet:8891@127.0.0.1"\nrole = "inbound"\n\n'
    RECORDS = '$ORIGIN .\n$TTL 300\n. IN SOA ns.example. h.example. 1 2 3 4 300\nexample.com. IN TXT "v=spf1 -all"\n'

    def test_it_says_where_the_filter_would_not_judge(self):
        for client, listener, setting in (
            ("192.0.2.1", "", "trust.networks"), ("192.0.2.1", self.INBOUND, None), ("198.51.100.1", "", "trust.skip"),
            ("198.51.100.1", self.INBOUND, "trust.skip"), ("203.0.113.1", "", None),
        ):
            with self.subTest(client=client, listener=listener), tempfile.TemporaryDirectory() as folder:
                for name, text in (("zone", self.RECORDS), ("postern.toml", listener + self.TRUST)):
                    with open(f"{folder}/{name}", "w", encoding="ascii") as file:
                        file.write(text)
                for command in (["check"], ["config", "explain"]):
                    done = subprocess.run(
                        [daemon.executable(), *command, "--config", "postern.toml", "--zone", "zone", "--client-ip", client,
                         "--mail-from", "a@example.com"],
                        cwd=folder, capture_output=True, text=True, timeout=30, check=False,
                    )
                    self.assertEqual(done.returncode, 0, done)
                    self.assertRegex(done.stdout, r"(?m)^spf +fail")
                    self.assertEqual(done.stderr.partition(": the filter")[0], setting and f"postern: {client} is in {setting}" or "")


if __name__ == "__main__":
    unittest.main()
