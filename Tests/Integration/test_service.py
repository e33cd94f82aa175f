"""The daemon as a service: starting, ending, and what becomes of mail meanwhile."""

import os
import signal
import subprocess
import tempfile
import threading
import unittest

import daemon
import mail
import mta
from scenario import RULES, ZONE


class Starting(unittest.TestCase):
    def test_a_mistake_in_the_configuration_ends_it_with_78(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write('mode = "observe"\n\n[[rules]]\nname = "r"\nwhen = { spff = "fail" }\naction = "reject"\n')
            file.flush()
            ended = subprocess.run(
                [daemon.executable(), "serve", "--config", file.name], capture_output=True, text=True, timeout=30, check=False
            )
            self.assertEqual(ended.returncode, 78, ended)
            self.assertIn(f"{file.name}:5:", ended.stderr)
            self.assertIn("spff", ended.stderr)

    def test_a_file_that_is_not_there_ends_it(self):
        ended = subprocess.run(
            [daemon.executable(), "serve", "--config", "/nonexistent/postern.toml"],
            capture_output=True, text=True, timeout=30, check=False,
        )
        self.assertGreaterEqual(ended.returncode, 64, ended)
        self.assertIn("/nonexistent/postern.toml", ended.stderr)

    def test_a_socket_that_cannot_be_listened_on_ends_it_by_name(self):
        with tempfile.TemporaryDirectory() as folder:
            for milter, control, named in (
                ("/nonexistent/x", f"{folder}/x", "unix:/nonexistent/x"),
                (f"{folder}/x", "/nonexistent/x", "the control socket /nonexistent/x (admin.control)"),
            ):
                with self.subTest(named), open(f"{folder}/postern.toml", "w", encoding="utf-8") as file:
                    file.write(f'[[listen]]\nsocket = "unix:{milter}"\n\n[admin]\ncontrol = "{control}"\n')
                    file.flush()
                    ended = subprocess.run(
                        [daemon.executable(), "serve", "--config", file.name],
                        capture_output=True, text=True, timeout=30, check=False,
                    )
                    self.assertEqual(ended.returncode, 1, ended)
                    self.assertIn(f"cannot listen on {named}: No such file or directory", ended.stderr)


class Serving(unittest.TestCase):
    def test_an_inet_socket_serves(self):
        with daemon.Postern(RULES, ZONE) as postern, mta.Postfix(postern.inet) as postfix:
            self.assertEqual(mail.send(postfix, mail.letter()).code, 250)
            postfix.settle()
            self.assertEqual(mail.results(postfix.delivered("bob@example.org")[0])["spf"], "pass")

    def test_name_servers_that_do_not_answer_are_temperror(self):
        """A port that nothing listens on; nothing is refused for it."""
        rules = RULES + '[limits]\ntimeout = "3s"\n'
        with (
            daemon.Postern(rules, servers=[f"127.0.0.1:{mta.free_port()}"]) as postern,
            mta.Postfix(postern.unix) as postfix,
        ):
            self.assertEqual(mail.send(postfix, mail.key("example.com").sign(mail.letter())).code, 250)
            postfix.settle()
            results = mail.results(postfix.delivered("bob@example.org")[0])
            self.assertEqual((results["spf"], results["dkim"], results["dmarc"]), ("temperror",) * 3)

    def test_mail_waits_while_it_is_away_and_passes_again(self):
        with daemon.Postern(RULES, ZONE) as postern, mta.Postfix(postern.unix) as postfix:
            with mail.Session(postfix) as session:
                self.assertEqual(session.send(mail.letter()).code, 250)
                postern.process.send_signal(signal.SIGTERM)
                self.assertEqual(postern.process.wait(20), 0)
                self.assertFalse(os.path.exists(postern.path("milter.sock")))
            away = mail.send(postfix, mail.letter())
            self.assertEqual(away.code // 100, 4, away)
            os.remove(postern.path("notify"))
            postern.start()
            self.assertEqual(mail.send(postfix, mail.letter()).code, 250)
            postfix.settle()
            messages = postfix.delivered("bob@example.org")
            self.assertEqual(len(messages), 2)
            self.assertTrue(all(mail.results(message)["spf"] == "pass" for message in messages))

    def test_what_is_accepted_around_a_restart_is_stamped(self):
        """Five restarts under load: each message is either refused for now or delivered with our fields."""
        with daemon.Postern(RULES, ZONE) as postern, mta.Postfix(postern.unix) as postfix:
            stop = threading.Event()
            accepted = []
            threads = [threading.Thread(target=self.load, args=(postfix, stop, accepted)) for _ in range(5)]
            for thread in threads:
                thread.start()
            try:
                for _ in range(5):
                    stop.wait(0.5)
                    postern.process.send_signal(signal.SIGTERM)
                    self.assertEqual(postern.process.wait(30), 0)
                    os.remove(postern.path("notify"))
                    postern.start()
            finally:
                stop.set()
                for thread in threads:
                    thread.join(60)
            postfix.settle()
            messages = postfix.delivered("bob@example.org")
            self.assertEqual(len(messages), sum(code == 250 for code in accepted))
            self.assertTrue(all(mail.results(message).get("spf") == "pass" for message in messages))
            self.assertLessEqual(set(code // 100 for code in accepted), {2, 4})

    @staticmethod
    def load(postfix, stop, accepted):
        while not stop.is_set():
            try:
                accepted.append(mail.send(postfix, mail.letter()).code)
            except mail.smtplib.SMTPServerDisconnected:
                # 421, when the filter went away.
                accepted.append(421)
            stop.wait(0.01)


if __name__ == "__main__":
    unittest.main()
