"""The manuals say what the program says: its commands, settings, conditions, placeholders and metrics."""

import os
import re
import shutil
import subprocess
import tempfile
import threading
import unittest
import urllib.request

import daemon
import mail
import milter_client
import mta

PAGES = os.path.join(daemon.PACKAGE, "Packaging", "man")


def page(name):
    with open(os.path.join(PAGES, name), encoding="utf-8") as file:
        return file.read()


def plain(roff):
    """The text of a page without what the formatter needs."""
    text = re.sub(r'^\.\\".*\n', "", roff, flags=re.M)
    return text.replace("\\(dq", '"').replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")


def entries(text):
    """The entries of lists of settings and the like: name and text."""
    return {
        name: " ".join(body.split())
        for name, body in re.findall(r"^\.It Ic (\S+)\n(.*?)(?=^\.(?:It|El))", text, re.M | re.S)
    }


def generated(name):
    """What Packaging/manual wrote into postern.toml(5)."""
    text = page("postern.toml.5")
    return plain(text.partition(f'.\\" begin {name}\n')[2].partition(f'.\\" end {name}\n')[0])


def run(*arguments):
    return subprocess.run([daemon.executable(), *arguments], capture_output=True, text=True, timeout=30, check=False)


def complaints(configuration):
    """What `config check` says of a configuration, a line a problem."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        name = os.path.join(directory, "postern.toml")
        with open(name, "w", encoding="utf-8") as file:
            file.write(configuration)
        return run("config", "check", name).stderr.splitlines()


class Commands(unittest.TestCase):
    # What postern hands on to postern-ledger, whose page describes it.
    handed_on = {"history", "top", "try", "report", "ledger"}

    def helps(self, program, *command):
        """The help of a command and of all below it."""
        shown = subprocess.run([program, *command, "--help"], capture_output=True, text=True, timeout=30, check=False).stdout
        yield command, shown
        for name in re.findall(r"^  ([a-z]+)(?: {2,}|$)", shown.partition("SUBCOMMANDS")[2], re.M):
            if program != daemon.executable() or name not in self.handed_on:
                yield from self.helps(program, *command, name)

    def assert_described(self, name, program, others=frozenset()):
        commands, options = set(others), set()
        for command, shown in self.helps(program):
            commands.add(" ".join(command))
            options.update(re.findall(r"^  (?:-\w, )?--([a-z][a-z-]*)", shown, re.M))
        text = page(name)
        heads = [re.split(r" (?:Op|Ar|Fl) ", head)[0] for head in re.findall(r"^\.It Cm (.+)", text, re.M)]
        described = {command.strip() for head in heads for command in head.split(",") if command.strip()}
        # Some are nothing without a word behind them, and "help" is its own.
        groups = {command for command in commands if any(other.startswith(command + " ") for other in commands)}
        self.assertEqual(commands - groups - {"", "help"}, described)
        lines = [line for line in text.splitlines() if re.search(r"\bFl ", line)]
        # Every program has these.
        told = {name for line in lines for name in re.findall(r" -([a-z][a-z-]+)", line)} - {"help", "version"}
        self.assertEqual(options - {"help", "version"}, told)

    def test_every_command_and_option(self):
        self.assert_described("postern.1", daemon.executable(), self.handed_on)

    def test_every_command_and_option_of_the_ledger(self):
        self.assert_described("postern-ledger.8", daemon.ledger())

    def test_every_page_refers_to_the_others(self):
        names = sorted(os.listdir(PAGES))
        for name in names:
            others = {other.rpartition(".")[0] + " " + other.rpartition(".")[2] for other in names if other != name}
            found = {f"{title} {section}" for title, section in re.findall(r"^\.Xr (\S+) (\d)", plain(page(name)), re.M)}
            self.assertLessEqual(others, found, name)

    @unittest.skipUnless(shutil.which("man"), "no man(1)")
    def test_the_formatter_has_no_complaint(self):
        for name in sorted(os.listdir(PAGES)):
            shown = subprocess.run(
                ["man", "--warnings", "-l", os.path.join(PAGES, name)], capture_output=True, text=True, timeout=30,
                env={**os.environ, "LC_ALL": "C.UTF-8"}, check=False,
            )
            self.assertEqual((shown.returncode, shown.stderr), (0, ""), name)

    def test_all_are_installed(self):
        installed = []
        for package in ("postern", "postern-ledger"):
            with open(os.path.join(daemon.PACKAGE, f"Packaging/debian/{package}.manpages"), encoding="utf-8") as file:
                installed += file.read().split()
        self.assertEqual(sorted(installed), sorted(os.listdir(PAGES)))


class Settings(unittest.TestCase):
    def test_every_range(self):
        """The program is asked with values beyond every range, and says what it takes."""
        told, table = {}, ""
        for line in generated("settings").splitlines():
            if line.startswith(".Ss "):
                table = line[4:].strip("[]")
            elif line.startswith(".It Ic "):
                setting = f"{table}.{line[7:]}".lstrip(".")
            elif bounds := re.fullmatch(r"From (\w+ to \w+)\.", line):
                told[setting] = bounds[1]
        self.assertGreater(len(told), 20)
        for setting, bounds in told.items():
            is_size, is_time = bounds.endswith("iB"), re.search(r"\d(ms|s|m|h|d)$", bounds)
            wrong = '"99999GiB"' if is_size else '"99999d"' if is_time else "-1"
            table, _, name = setting.rpartition(".")
            header = f"[[{table}]]" if table in ("listen", "signing") else f"[{table}]"
            (said,) = [line for line in complaints(f"{header}\n{name} = {wrong}\n") if f".{name}: " in line]
            self.assertIn(f"from {bounds})", said, setting)

    def test_every_setting_of_a_rule(self):
        (said,) = [line for line in complaints("[[rules]]\nqqqqqqqq = 1\n") if "qqqqqqqq" in line]
        self.assertEqual(re.search(r"\(accepted: (.*)\)", said)[1].split(", "), list(entries(generated("rules"))))

    def test_every_word_of_every_condition(self):
        conditions = entries(generated("conditions"))
        (said,) = [line for line in complaints("[[rules]]\nwhen = { qqqqqqqq = 1 }\n") if "qqqqqqqq" in line]
        self.assertEqual(re.search(r"\(accepted: (.*)\)", said)[1].split(", "), list(conditions))
        asked = [name for name, text in conditions.items() if " Words: " in text]
        self.assertIn("spf", asked)
        for name in asked:
            said = next(line for line in complaints(f'[[rules]]\nwhen = {{ {name} = "qqqq" }}\n') if f".{name}" in line)
            words = re.findall(r'"(\w+)"', said.partition("(accepted: ")[2])
            self.assertEqual(", ".join(words), re.search(r" Words: (.*)\.$", conditions[name])[1], name)

    def test_every_placeholder(self):
        rule = '[[rules]]\nname = "r"\nwhen = {}\naction = "reject"\nreply = "{qqqqqqqq}"\n'
        (said,) = [line for line in complaints(rule) if "qqqqqqqq" in line]
        self.assertEqual(re.search(r"\(accepted: (.*)\)", said)[1].split(", "), list(entries(generated("placeholders"))))


class Cases(unittest.TestCase):
    def test_every_example(self):
        blocks = re.findall(r"^\.Bd -literal.*?\n(.*?)\.Ed", plain(page("postern-cases.7")), re.M | re.S)
        examples = [block for block in blocks if block.startswith(("[[", "[trust]"))]
        self.assertGreater(len(examples), 2)
        for example in examples:
            with tempfile.TemporaryDirectory() as directory:
                os.chmod(directory, 0o755)
                for named in re.findall(r"/etc/postern/keys/([^\"]+)", example):
                    key = os.path.join(directory, named)
                    with open(key, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                        file.write(mail.key("example.org").pem)
                    daemon.give_to_service(key)
                name = os.path.join(directory, "postern.toml")
                with open(name, "w", encoding="utf-8") as file:
                    file.write(example.replace("/etc/postern/keys", directory))
                checked = run("config", "check", name)
            # A manual's names are those of documents.
            said = [line for line in checked.stderr.splitlines() if "for documents only" not in line]
            self.assertEqual((checked.returncode, said), (0, []), example)


class WaysBack(unittest.TestCase):
    """README's ways out, each by its reload, while other mail passes through."""

    RULE = '[[rules]]\nname = "spf-strict"\nwhen = {{ spf = "fail" }}\naction = "reject"\n{trial}'
    ZONE = '$ORIGIN .\nforged.example. IN TXT "v=spf1 -all"\n'

    def send(self, postern, sender):
        """The reply to RCPT TO, or to the end of the message."""
        with milter_client.Milter(postern.unix) as milter:
            milter.negotiate()
            milter.connect("mail.example.com", "192.0.2.1")
            milter.helo("mail.example.com")
            ended = milter.message([("From", sender)], b"Hello\r\n", mail=(f"<{sender}>",))
            return getattr(ended, "reply", ended)

    def test_each(self):
        postern = self.enterContext(daemon.Postern(self.RULE.format(trial=""), self.ZONE))
        stopped, failed = threading.Event(), []

        def pass_mail():
            while not stopped.is_set():
                reply = self.send(postern, "a@honest.example")
                if reply.command not in "ca":
                    failed.append(reply)

        threads = [threading.Thread(target=pass_mail) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for mode, trial, reply, field in (
                ("enforce", "", "y", None), ("enforce", "observe = true", "c", "trial"), ("observe", "", "c", "would"),
                ("enforce", "", "y", None),
            ):
                postern.mode = mode
                postern.configure(self.RULE.format(trial=trial))
                self.assertEqual(postern.ask("reload").returncode, 0)
                self.assertEqual(self.send(postern, "a@forged.example").command, reply, (mode, trial))
                if field:
                    mta.wait_until(
                        lambda: any("forged" in line["from"] and line.get(field) for line in postern.lines()), f"{field}="
                    )
        finally:
            stopped.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failed, [])


class Daemon(unittest.TestCase):
    def test_every_metric(self):
        postern = daemon.Postern("", servers=("127.0.0.1:9",))
        port = mta.free_port()
        with open(postern.configuration, encoding="utf-8") as file:
            text = file.read().replace("[admin]\n", f'[admin]\nlisten = "127.0.0.1:{port}"\n')
        postern.write("postern.toml", text)
        self.enterContext(postern)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            shown = re.findall(r"^# HELP (\S+)", answer.read().decode(), re.M)
        section = page("postern.8").partition(".Sh METRICS\n")[2].partition("\n.Sh ")[0]
        self.assertEqual(sorted(shown), sorted(re.findall(r"^\.It (\S+)", section, re.M)))

    def test_what_waits_for_a_restart(self):
        postern = self.enterContext(daemon.Postern(""))
        with open(postern.configuration, encoding="utf-8") as file:
            text = file.read().replace("connections = 1000", "connections = 999").replace("[log]\n", '[log]\nformat = "json"\n')
        postern.write("postern.toml", text.replace("[admin]\n", f'[admin]\nlisten = "127.0.0.1:{mta.free_port()}"\n') + (
            '[limits]\nmax_packet = "2MiB"\nmax_held = "2MiB"\nidle_timeout = "2m"\ndrain_timeout = "2s"\ntimeout = "9s"\n'
            'max_header = "128KiB"\nundecided = "accept"\n'
        ))
        told = postern.ask("reload")
        waiting = re.search(r"in force after a restart only: (.*?)(?: \(|$)", told.stdout + told.stderr)[1].split(", ")
        sentence = page("postern.toml.5").partition("A reload picks all of them up but for\n")[2].partition("which are read")[0]
        named = re.findall(r"(\[+\w+\]+|limits\.\w+)", sentence)
        self.assertEqual(sorted(waiting), sorted(named))

    def test_who_has_authenticated(self):
        """A login that is not trusted is still a login to the rules, and so is one on a socket where all mail is judged."""
        rule = '[[rules]]\nname = "logins"\nwhen = { authenticated = true }\naction = "reject"\n'
        for setting, role in (("authenticated = false", "auto"), ("", "inbound")):
            postern = daemon.Postern(rule)
            with open(postern.configuration, encoding="utf-8") as file:
                text = file.read().replace("[trust]\n", f"[trust]\n{setting}\n")
            postern.write("postern.toml", text.replace('mode = "0666"\n', f'mode = "0666"\nrole = "{role}"\n'))
            self.assertNotIn("can never match", postern.check_configuration().stderr)
            with postern, milter_client.Milter(postern.unix) as milter:
                milter.negotiate()
                milter.connect("mail.example.com", "192.0.2.1")
                milter.helo("mail.example.com")
                milter.mail("<a@example.com>", macros={"auth_authen": "alice", "auth_type": "PLAIN"})
                self.assertEqual(milter.rcpt("<b@example.org>").command, "y")


if __name__ == "__main__":
    unittest.main()
