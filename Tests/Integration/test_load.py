"""Many messages at once: none lost, none unstamped, no question asked twice; and reloads meanwhile."""

import collections
import re
import subprocess
import tempfile
import threading
import time
import unittest

import daemon
import mail
import mta

UNBOUND = """\
server:
  directory: "{directory}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  log-queries: yes
  interface: 127.0.0.1@{port}
  access-control: 127.0.0.0/8 allow
  do-ip6: no
  do-not-query-localhost: no
  local-zone: "." static
  local-data: ". 300 IN SOA ns.example. hostmaster.example. 1 3600 600 86400 300"
{data}
remote-control:
  control-enable: no
"""


class NameServer(mta.Server):
    """unbound, answering from a zone alone and logging what it is asked."""

    def __init__(self, zone):
        super().__init__()
        self.port = mta.free_port()
        self.zone = zone

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        data = "".join(f"  local-data: '{record}'\n" for record in self.zone.splitlines() if record)
        self.write("unbound.conf", UNBOUND.format(directory=self.directory, port=self.port, data=data))
        self.launch(["/usr/sbin/unbound", "-d", "-c", self.path("unbound.conf")], "output")
        mta.wait_until(lambda: mta.accepts(self.port) or not self.running(), "unbound's socket")
        if not self.running():
            raise RuntimeError("unbound did not start:\n" + self.read("output"))

    def questions(self):
        """How often each name and type was asked."""
        asked = re.findall(r"info: 127\.0\.0\.1 (\S+) (\S+) IN$", self.read("output"), re.M)
        return collections.Counter((name.lower(), kind) for name, kind in asked)


ZONE = """\
example.com. 300 IN TXT "v=spf1 ip4:127.0.0.1 include:_spf.example.com -all"
_spf.example.com. 300 IN TXT "v=spf1 -all"
_dmarc.example.com. 300 IN TXT "v=DMARC1; p=reject"
mail.example.com. 300 IN A 127.0.0.1
1.0.0.127.in-addr.arpa. 300 IN PTR mail.example.com.
"""


class Load(unittest.TestCase):
    messages = 1000
    sessions = 20

    def test_a_thousand_messages_in_twenty_sessions(self):
        key = mail.key("example.com")
        with (
            NameServer(ZONE + key.record) as names,
            daemon.Postern(servers=[names.address]) as postern,
            mta.Postfix(postern.unix) as postfix,
            tempfile.NamedTemporaryFile(suffix=".eml") as file,
        ):
            # smtp-source sends the file as it is, with line ends of its own.
            file.write(key.sign(mail.letter(body=b"Hello.\r\n" * 100)).replace(b"\r\n", b"\n"))
            file.flush()
            began = time.monotonic()
            subprocess.run(
                [
                    "smtp-source", "-s", str(self.sessions), "-m", str(self.messages), "-f", "a@example.com",
                    "-t", "bob@example.org", "-M", "mail.example.com", "-F", file.name, f"inet:127.0.0.1:{postfix.port}",
                ],
                check=True, timeout=240,
            )
            sent = time.monotonic() - began
            postfix.settle(120)
            delivered = postfix.delivered("bob@example.org")
            self.assertEqual(len(delivered), self.messages)
            unstamped = [message for message in delivered if mail.results(message).get("dkim") != "pass"]
            self.assertEqual(len(unstamped), 0, unstamped[:1])
            self.assertTrue(all(mail.results(message)["spf"] == "pass" for message in delivered))
            self.assertEqual(len(postern.lines()), self.messages)
            questions = names.questions()
            self.assertIn(("example.com.", "TXT"), questions)
            self.assertEqual({question: count for question, count in questions.items() if count > 1}, {})
            print(
                f"{self.messages} messages by {self.sessions} sessions in {sent:.1f} s, {len(questions)} questions,"
                f" {postern.memory()} KiB"
            )


RULE = """\
[[rules]]
name = "{name}"
when = {{ sender_domains = ["refused.example"] }}
action = "reject"
reply = "550 5.7.1 {name}"
[[rules]]
name = "{name}-junk"
when = {{ from_domains = ["junk.example"] }}
action = "junk"
[headers]
junk = "X-Junk: {name}"
"""
BROKEN = '[[rules]]\nname = "broken"\nwhen = { spff = "fail" }\naction = "explode"\n'


class Reload(unittest.TestCase):
    """A hundred reloads during fifty messages a second, every third with a broken file."""

    reloads = 100
    rate = 50

    def test_reloads_under_load(self):
        with daemon.Postern(RULE.format(name="one"), ZONE) as postern, mta.Postfix(postern.unix) as postfix:
            stop = threading.Event()
            failures = []
            sent = collections.Counter()
            threads = [
                threading.Thread(target=self.load, args=(postfix, stop, failures, sent, number)) for number in range(5)
            ]
            for thread in threads:
                thread.start()
            began = time.monotonic()
            try:
                self.reload_often(postern)
                seconds = time.monotonic() - began
            finally:
                stop.set()
                for thread in threads:
                    thread.join(60)
            self.assertEqual(failures, [])
            postfix.settle()
            junk = [mail.values(message, "X-Junk") for message in postfix.delivered("bob@example.org")]
            self.assertEqual(len(junk), sent["junk"], "a message is missing")
            self.assertTrue(all(value in (["one"], ["two"]) for value in junk), collections.Counter(map(str, junk)))
            used = collections.Counter(line.get("rule", "").partition("-")[0] for line in postern.lines())
            self.assertEqual(set(used), {"one", "two"})
            self.assertEqual(sum(used.values()), sum(sent.values()))
            print(f"{self.reloads} reloads in {seconds:.1f} s during {sum(sent.values())} messages: {dict(used)}")

    def reload_often(self, postern):
        for number in range(self.reloads):
            rules = BROKEN if number % 3 == 2 else RULE.format(name="two" if number % 2 else "one")
            postern.configure(rules)
            logged = len(postern.read("log").splitlines())
            postern.reload()
            # The log tells when the reload is done; what messages log meanwhile is looked past.
            mta.wait_until(
                lambda logged=logged: any(
                    "action=" not in line for line in postern.read("log").splitlines()[logged:]
                ),
                f"reload {number}",
            )
            self.assertTrue(postern.running())
            time.sleep(0.05)

    def load(self, postfix, stop, failures, sent, number):
        """Every other message is refused at RCPT, the others are junk at the end."""
        try:
            with mail.Session(postfix) as session:
                turn = number
                while not stop.is_set():
                    turn += 1
                    if turn % 2:
                        outcome = session.send(mail.letter(), "x@refused.example")
                        good = outcome.reply in ("550 5.7.1 one", "550 5.7.1 two")
                        sent["refused"] += 1
                    else:
                        outcome = session.send(mail.letter(author="x@junk.example"))
                        good = outcome.code == 250
                        sent["junk"] += 1
                    if not good:
                        failures.append(repr(outcome))
                    stop.wait(5 / self.rate)
        except (OSError, mail.smtplib.SMTPException) as error:
            failures.append(repr(error))


if __name__ == "__main__":
    unittest.main()
