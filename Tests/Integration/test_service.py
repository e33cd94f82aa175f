"""The daemon as a service: starting, ending, and what becomes of mail meanwhile."""

import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import daemon
import mail
import milter_client
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


    def test_a_control_socket_that_was_not_asked_for_is_done_without(self):
        """Its default place is the package's: whoever starts the program by hand need not have it."""
        directory = "/run/postern"
        self.assertFalse(os.path.exists(directory), "this test needs a host without the package")
        for setting, warns in (("", True), ('[admin]\ncontrol = ""\n', False)):
            with self.subTest(setting), daemon.Postern(RULES, ZONE) as postern:
                postern.stop_process()
                text = postern.frame().partition("[admin]")[0] + setting
                postern.write("postern.toml", text + RULES)
                postern.start()
                self.assertEqual("warning: no control socket" in postern.read("log"), warns)
                self.assertEqual(f"{directory}/control.sock: No such file" in postern.read("log"), warns)
                with milter_client.Milter(postern.unix) as session:
                    session.negotiate()


    def test_where_proc_is_missing_it_is_said(self):
        """As in a bare chroot."""
        for arguments in (["--version"], ["config", "check"], ["serve"]):
            with self.subTest(arguments):
                script = 'mount -t tmpfs none /proc && exec "$@"'
                ended = subprocess.run(
                    ["unshare", "--mount", "sh", "-c", script, "sh", daemon.executable(), *arguments],
                    capture_output=True, text=True, timeout=30, check=False,
                )
                self.assertEqual((ended.returncode, ended.stdout), (71, ""), ended)
                self.assertIn("mount -t proc proc /proc", ended.stderr)

    def test_without_a_system_log_lines_go_to_standard_error(self):
        with daemon.Postern(RULES, ZONE) as postern:
            postern.stop_process()
            path = postern.path("syslog")
            postern.write("postern.toml", postern.frame().replace(
                'destination = "stderr"', f'destination = "syslog"\nsocket = "{path}"'
            ) + RULES)
            postern.start()
            notice = f"postern: no system log at {path}: the log goes here while there is none\nready "
            mta.wait_until(lambda: notice in postern.read("log"), "lines on standard error")
            mta.wait_until(lambda: postern.read("log").count("no events are written") == 2, "the last line of the start")
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
                log.bind(path)
                log.settimeout(20)
                postern.reload()
                self.assertRegex(log.recv(4096), rb": configuration reloaded$")
                self.assertIn(b"the system log is there again", log.recv(4096))


class Exhaustion(unittest.TestCase):
    """What becomes of mail when something runs out."""

    def test_messages_that_would_hold_too_much_come_again_later(self):
        limits = '[limits]\nmax_held = "1MiB"\n'
        with daemon.Postern(RULES + limits, ZONE) as postern, contextlib.ExitStack() as stack:
            sessions = [stack.enter_context(milter_client.Milter(postern.unix)) for _ in range(10)]
            for number, session in enumerate(sessions):
                session.negotiate()
                session.connect("mail.example.com", "192.0.2.1")
                session.mail("<a@unknown.example>")
                session.rcpt("<bob@example.org>", macros={"i": f"4XyZ{number}"})
                session.header("From", "a@unknown.example")
                for field in range(4):
                    session.header(f"X-{field}", "x" * 50000)
            outcomes = []
            for session in sessions:
                session.eoh()
                outcomes.append(session.eom().reply)
            refused = [outcome for outcome in outcomes if outcome.command in "ty"]
            self.assertTrue(0 < len(refused) < 10, outcomes)
            # A packet that came in pieces, as on a busy machine, may be what finds no room: the protocol has a word for that.
            self.assertLessEqual({outcome.text[:9] for outcome in refused if outcome.command == "y"}, {"452 4.3.1"})
            lines = [postern.line(f"4XyZ{number}") for number in range(10)]
            problems = [line.get("problem") for line in lines if line["action"] == "tempfail"]
            self.assertEqual(problems, ['"no memory left (limits.max_held)"'] * len(refused))
            self.assertIn("no memory left for 1 messages", postern.read("log"))
            # Several packets of a message may have found none.
            times = int(re.search(r"(\d+) times none left", postern.ask("status").stdout)[1])
            self.assertGreaterEqual(times, len(refused))
            # With room again, the same message passes.
            session = sessions[0]
            session.mail("<a@unknown.example>")
            session.rcpt("<bob@example.org>")
            for field in range(4):
                session.header(f"X-{field}", "x" * 50000)
            session.eoh()
            self.assertIn(session.eom().reply.command, "ac")
            self.assertIn("held            0 KiB of 1024", postern.ask("status").stdout)

    def test_a_packet_for_which_there_is_no_room_has_its_message_come_again(self):
        """A packet that is not there as a whole is held for the while, and counts."""
        limits = '[limits]\nmax_held = "1MiB"\n'
        with daemon.Postern(RULES + limits, ZONE) as postern, contextlib.ExitStack() as stack:
            first, *others = (stack.enter_context(milter_client.Milter(postern.unix)) for _ in range(10))
            for session in (first, *others):
                session.negotiate()
                session.connect("mail.example.com", "192.0.2.1")
                session.mail("<a@unknown.example>")
                session.rcpt("<bob@example.org>", macros={"i": "4XyZ" if session is first else "other"})
            # The others fill what there is, but for less than the packet that follows: nobody is refused, so nothing comes free.
            fields = ((session, field) for session in others for field in range(5))
            while (before := self.held(postern)) < 940:
                session, field = next(fields)
                session.header(f"X-{field}", "x" * 50000)
                mta.wait_until(lambda: self.held(postern) > before, "a header that is held")
            self.assertIn(" 0 times none left", postern.ask("status").stdout)
            piece = struct.pack(">I", 100000) + b"LX-0\0" + b"x" * 90000
            first.send_raw(piece)
            time.sleep(0.2)
            first.send_raw(b"x" * 9994 + b"\0")
            first.eoh()
            reply = first.eom().reply
            # Where the packet was read as a whole after all, as on a busy machine, the protocol has a word for that.
            self.assertIn((reply.command, reply.text[:9]), (("t", ""), ("y", "452 4.3.1")))
            line = postern.line("4XyZ")
            self.assertEqual((line["action"], line["problem"]), ("tempfail", '"no memory left (limits.max_held)"'))

    @staticmethod
    def held(postern):
        """How many KiB all messages hold."""
        return int(re.search(r"^held +(\d+) KiB of", postern.ask("status").stdout, re.M)[1])

    def test_connections_beyond_the_bound_are_logged_once_a_minute(self):
        with daemon.Postern(RULES, ZONE) as postern, contextlib.ExitStack() as stack:
            postern.stop_process()
            text = postern.frame().replace('mode = "0666"', 'mode = "0666"\nmax_connections = 5')
            postern.write("postern.toml", text + RULES)
            postern.start()
            for _ in range(20):
                stack.enter_context(milter_client.Milter(postern.unix))
            mta.wait_until(lambda: "too many connections" in postern.read("log"), "a line")
            self.assertEqual(postern.read("log").count("too many connections"), 1)
            self.assertIn("15 over the limit", postern.ask("status").stdout)

    def test_without_file_descriptors_it_waits_says_so_and_can_be_asked(self):
        with daemon.Postern(RULES, ZONE) as postern, contextlib.ExitStack() as stack:
            before = stack.enter_context(milter_client.Milter(postern.unix))
            before.negotiate()
            process = postern.process.pid
            used = len(os.listdir(f"/proc/{process}/fd"))
            subprocess.run(["prlimit", f"--pid={process}", f"--nofile={used}:"], check=True)
            for _ in range(5):
                stack.enter_context(milter_client.Milter(postern.unix))
            time.sleep(1)
            spent = self.seconds(process)
            time.sleep(3)
            # It tries once a second: in a loop it would spend all of the time.
            self.assertLess(self.seconds(process) - spent, 1)
            self.assertEqual(postern.read("log").count("no file descriptor is left"), 1)
            for _ in range(20):
                self.assertEqual(postern.ask("status").returncode, 0)
            # A session that is open goes on, and with descriptors again the others do.
            before.connect("mail.example.com", "192.0.2.1")
            subprocess.run(["prlimit", f"--pid={process}", f"--nofile={used + 100}:"], check=True)
            with milter_client.Milter(postern.unix) as session:
                session.negotiate()

    @staticmethod
    def seconds(process):
        """How much processor time a process has spent."""
        with open(f"/proc/{process}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_signals_that_mean_nothing_here_are_ignored(self):
        with daemon.Postern(RULES, ZONE) as postern:
            for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGXFSZ):
                postern.process.send_signal(number)
            with milter_client.Milter(postern.unix) as session:
                session.negotiate()
            self.assertTrue(postern.running())


class SideBySide(unittest.TestCase):
    """Two programs that were given the same sockets."""

    def second(self, postern, *arguments, sockets=None, admin=""):
        """A second program; its sockets are those of the first where nothing else is said."""
        text = postern.frame()
        if sockets is not None:
            listen = "".join(f'[[listen]]\nsocket = "{place}"\n' for place in sockets)
            head, _, tail = text.partition("[trust]")
            text = head.partition("[[listen]]")[0] + listen + "[trust]" + tail
        if admin:
            text = text.partition("[admin]")[0] + "[admin]\n" + admin
        postern.write("second.toml", text + RULES)
        with open(postern.path("second.log"), "w", encoding="utf-8") as file:
            return subprocess.Popen(
                [daemon.executable(), "serve", "--config", postern.path("second.toml"), *arguments],
                stdout=file, stderr=file,
            )

    def assert_serves(self, postern):
        """The first program is reached by all of its sockets."""
        for place in (postern.unix, f"inet:{postern.port}@127.0.0.1"):
            with milter_client.Milter(place) as session:
                session.negotiate()
        status = postern.ask("status")
        self.assertEqual(status.returncode, 0, status)
        self.assertNotIn("LOST", status.stdout)
        names = [name for name in os.listdir(postern.directory) if ".sock" in name]
        self.assertEqual(sorted(names), ["control.sock", "milter.sock"])

    def test_the_second_one_is_refused_and_the_first_one_keeps_everything(self):
        with daemon.Postern(RULES, ZONE) as postern:
            milter, control = postern.path("milter.sock"), postern.path("control.sock")
            inet = f"inet:{postern.port}@127.0.0.1"
            free = f"inet:{mta.free_port()}@127.0.0.1"
            taken = f'control = "{control}.2"\nlisten = "127.0.0.1:{postern.port}"\n'
            for places, admin, problem in (
                (None, "", f"another postern answers at {milter}; stop it, or start with --take-over"),
                ([f"unix:{milter}"], "", f"another postern answers at {milter}"),
                ([inet], "", "Address already in use"),
                ([free], "", f"another postern answers at {control}"),
                ([free], taken, "Address already in use"),
                ([f"unix:{milter}.2"], taken, "Address already in use"),
            ):
                with self.subTest(places=places, admin=admin):
                    second = self.second(postern, sockets=places, admin=admin)
                    self.assertEqual(second.wait(30), 1)
                    self.assertIn(problem, postern.read("second.log"))
                    self.assert_serves(postern)

    def test_a_file_in_the_way_is_not_touched(self):
        with daemon.Postern(RULES, ZONE) as postern:
            path = postern.write("precious", "not a socket")
            second = self.second(postern, "--take-over", sockets=[f"unix:{path}"])
            self.assertEqual(second.wait(30), 1)
            self.assertIn(f"{path} is a regular file, not a socket", postern.read("second.log"))
            self.assertEqual(postern.read("precious"), "not a socket")
            self.assert_serves(postern)

    def test_a_take_over_that_was_asked_for_loses_no_connection(self):
        with daemon.Postern(RULES, ZONE) as postern:
            second = self.second(postern, "--take-over", sockets=[postern.unix])
            try:
                mta.wait_until(lambda: "ready" in postern.read("second.log"), "the second one")
                with milter_client.Milter(postern.unix) as session:
                    session.negotiate()
                    postern.stop_process()
                    self.assertIn(session.connect(), (None, "c"))
                # The first one does not remove what was taken from it.
                with milter_client.Milter(postern.unix) as session:
                    session.negotiate()
            finally:
                second.terminate()
                self.assertEqual(second.wait(30), 0)
            self.assertEqual([name for name in os.listdir(postern.directory) if ".sock" in name], [])

    def test_a_socket_that_is_lost_is_seen(self):
        with daemon.Postern(RULES, ZONE) as postern:
            os.remove(postern.path("milter.sock"))
            status = postern.ask("status")
            self.assertIn(f"LOST          the socket {postern.path('milter.sock')} is gone", status.stdout)


class Serving(unittest.TestCase):
    def test_an_inet_socket_serves(self):
        with daemon.Postern(RULES, ZONE) as postern, mta.Postfix(postern.inet) as postfix:
            self.assertEqual(mail.send(postfix, mail.letter()).code, 250)
            postfix.settle()
            self.assertEqual(mail.results(postfix.delivered("bob@example.org")[0])["spf"], "pass")

    def test_name_servers_that_do_not_answer_are_temperror(self):
        """A port that nothing listens on: what a rule must know is put off, or accepted where the site says so."""
        rules = RULES + '[limits]\ntimeout = "3s"\n'
        server = f"127.0.0.1:{mta.free_port()}"
        message = mail.key("example.com").sign(mail.letter())
        with daemon.Postern(rules, servers=[server]) as postern, mta.Postfix(postern.unix) as postfix:
            self.assertRegex(mail.send(postfix, message).reply, r"^451 4\.4\.3 ")
        rules += 'undecided = "accept"\n'
        with daemon.Postern(rules, servers=[server]) as postern, mta.Postfix(postern.unix) as postfix:
            self.assertEqual(mail.send(postfix, message).code, 250)
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
