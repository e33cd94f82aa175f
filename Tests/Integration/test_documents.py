"""What the documents show is accepted by the program."""

import os
import re
import subprocess
import tempfile
import unittest

import daemon
import mail


def path(*names):
    return os.path.join(daemon.PACKAGE, *names)


def text(*names):
    with open(path(*names), encoding="utf-8") as file:
        return file.read()


class Documents(unittest.TestCase):
    def assert_accepted(self, configuration, is_marked=True):
        """Accepted, and without a warning except of a name or network of documents that is marked to be changed.

        Files that the example names are put where the test may write, and the daemon's account read them.
        """
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o755)
            os.mkdir(os.path.join(directory, "keys"))
            for name, content in (("enrolled", b"enrolled.test\n"), ("keys/example.org_2026r.pem", mail.key("example.org").pem)):
                with open(os.path.join(directory, name), "wb", opener=lambda p, f: os.open(p, f, 0o600)) as file:
                    file.write(content)
                daemon.give_to_service(file.name)
            example = os.path.join(directory, "postern.toml")
            with open(example, "w", encoding="utf-8") as file:
                file.write(configuration.replace("/etc/postern", directory))
            checked = subprocess.run(
                [daemon.executable(), "config", "check", example], capture_output=True, text=True, timeout=30, check=False
            )
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        lines = configuration.splitlines()
        for warning in checked.stderr.splitlines():
            self.assertIn("for documents only", warning)
            number = int(warning.partition(".toml:")[2].partition(":")[0])
            if is_marked:
                self.assertIn("CHANGE THIS", "".join(lines[max(number - 2, 0):number]), warning)

    def test_the_readme(self):
        self.assert_accepted(re.search(r"```toml\n(.*?)```", text("README.md"), re.S)[1])

    def test_the_manual(self):
        self.assert_accepted(re.search(r"\.Bd -literal.*?\n(.*?)\.Ed", text("Packaging/man/postern.toml.5"), re.S)[1], is_marked=False)

    def test_the_shipped_configuration(self):
        self.assert_accepted(text("Packaging/debian/postern.toml"))

    def test_the_reference(self):
        self.assert_accepted(text("Packaging/postern.toml"))

    def test_the_reference_is_the_programs_own(self):
        shown = subprocess.run(
            [daemon.executable(), "config", "show", "--commented"], capture_output=True, text=True, timeout=30, check=True
        )
        self.assertEqual(shown.stdout, text("Packaging/postern.toml"))

    def test_the_presets(self):
        for name in sorted(os.listdir(path("Packaging/presets"))):
            if name.endswith(".toml"):
                with self.subTest(preset=name):
                    self.assert_accepted(text("Packaging/presets", name))

    def test_the_manual_has_every_setting(self):
        subprocess.run([path("Packaging/manual"), "--check"], check=True, timeout=30)

    def test_every_command_is_in_the_manual(self):
        shown = subprocess.run([daemon.executable(), "--help"], capture_output=True, text=True, timeout=30, check=True)
        commands = re.findall(r"^  ([a-z]+) {2,}", shown.stdout.partition("SUBCOMMANDS")[2], re.M)
        heads = re.findall(r"^\.It Cm (.+)", text("Packaging/man/postern.1"), re.M)
        described = [command for head in heads for command in re.findall(r"(?:^|, )([a-z]+)", head)]
        self.assertLessEqual(set(commands) - {"help"}, set(described))
        self.assertGreater(len(commands), 3)

    def test_the_version_is_that_of_the_changelog(self):
        shown = subprocess.run([daemon.executable(), "--version"], capture_output=True, text=True, timeout=30, check=True)
        self.assertEqual(shown.stdout.split()[:2], ["postern", re.search(r"^## ([0-9.]+)", text("CHANGELOG.md"), re.M)[1]])


if __name__ == "__main__":
    unittest.main()
