"""Keys and sockets of a daemon that is not root: what is wrong with them is told, with what to type."""

import os
import re
import shutil
import subprocess
import unittest

import daemon
import mail
import mta

NOBODY = 65534

CONFIGURATION = """\
[[listen]]
socket = "unix:{directory}/postern/postern.sock"
{listen}

[[signing]]
domain = "example.org"
keys = [{{ selector = "s", file = "{directory}/keys/example.org_s.pem" }}]

[admin]
control = "{directory}/control/control.sock"
"""


class Accounts(unittest.TestCase):
    def setUp(self):
        self.directory = mta.scratch()
        self.addCleanup(shutil.rmtree, self.directory)
        # The checkout may be where nobody else can go.
        self.program = shutil.copy(daemon.executable(), os.path.join(self.directory, "program"))
        os.mkdir(self.path("keys"))
        for folder in ("postern", "control"):
            os.mkdir(self.path(folder))
            os.chown(self.path(folder), NOBODY, NOBODY)
        self.configure()

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def configure(self, listen=""):
        with open(self.path("postern.toml"), "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(directory=self.directory, listen=listen))

    def write_key(self, mode=0o600, owner=0, group=0):
        with open(self.path("keys", "example.org_s.pem"), "wb") as file:
            file.write(mail.key("example.org").pem)
        os.chmod(file.name, mode)
        os.chown(file.name, owner, group)

    def run_as_nobody(self, *arguments):
        return subprocess.run(
            [self.program, *arguments], capture_output=True, text=True, timeout=60, check=False, cwd="/",
            user=NOBODY, group=NOBODY, extra_groups=[], env={**os.environ, "SWIFT_BACKTRACE": "enable=no"},
        )

    def assert_valid(self):
        checked = self.run_as_nobody("config", "check", self.path("postern.toml"))
        self.assertEqual(checked.returncode, 0, checked)
        self.assertIn("judged as the user nobody", checked.stdout)

    def assert_mended(self, expected):
        """The check and the daemon say what is wrong; what they say is to be typed mends it."""
        checked = self.run_as_nobody("config", "check", self.path("postern.toml"))
        self.assertEqual(checked.returncode, 1, checked)
        self.assertIn(expected, checked.stderr)
        command = re.search(r"\(type: (.*)\)$", checked.stderr, re.M)
        self.assertIsNotNone(command, checked.stderr)
        subprocess.run(["sh", "-ec", command[1]], check=True, timeout=30)
        self.assert_valid()
        return checked.stderr

    def test_a_key_of_root_alone(self):
        self.write_key()
        expected = "cannot be read by the user nobody (root:root, mode 0600)"
        served = self.run_as_nobody("serve", "--config", self.path("postern.toml"))
        self.assertEqual(served.returncode, 78, served)
        self.assertIn(expected, served.stderr)
        self.assertIn(served.stderr.strip(), self.assert_mended(expected))

    def test_keys_that_are_right(self):
        for mode, owner, group in ((0o600, NOBODY, NOBODY), (0o640, 0, NOBODY), (0o400, NOBODY, 0)):
            with self.subTest(mode=oct(mode), owner=owner, group=group):
                self.write_key(mode, owner, group)
                self.assert_valid()

    def test_a_key_that_too_many_can_read(self):
        for mode, owner, group, expected in (
            (0o640, 0, 0, "can be read by the group root"), (0o644, 0, NOBODY, "can be read by everybody"),
            (0o600, 4242, 0, "belongs to the user 4242, not to root or to the user nobody"),
        ):
            with self.subTest(mode=oct(mode), owner=owner):
                self.write_key(mode, owner, group)
                self.assert_mended(expected)

    def test_a_directory_that_it_cannot_enter(self):
        self.write_key(0o640, 0, NOBODY)
        os.chmod(self.path("keys"), 0o700)
        checked = self.run_as_nobody("config", "check", self.path("postern.toml"))
        self.assertEqual(checked.returncode, 1, checked)
        self.assertIn(f"{self.path('keys')} cannot be entered by the user nobody (root:root, mode 0700)", checked.stderr)

    def test_a_socket_directory_of_somebody_else(self):
        self.write_key(0o640, 0, NOBODY)
        os.chown(self.path("postern"), 0, 0)
        self.assert_mended("the user nobody cannot make a socket in")

    def test_a_socket_directory_that_is_missing(self):
        self.write_key(0o640, 0, NOBODY)
        os.rmdir(self.path("postern"))
        self.assert_mended("does not exist")

    def test_a_group_that_it_is_not_in(self):
        self.write_key(0o640, 0, NOBODY)
        self.configure('group = "mail"')
        checked = self.run_as_nobody("config", "check", self.path("postern.toml"))
        self.assertEqual(checked.returncode, 1, checked)
        self.assertIn("the user nobody is not in the group mail", checked.stderr)
        # A directory that gives its group to what is made in it.
        shutil.chown(self.path("postern"), group="mail")
        os.chmod(self.path("postern"), 0o2750)
        self.assert_valid()

    def test_a_key_that_keygen_makes(self):
        os.chown(self.path("keys"), NOBODY, NOBODY)
        arguments = ("--domain", "example.org", "--selector", "s", "--directory", self.path("keys"))
        made = self.run_as_nobody("keygen", *arguments)
        self.assertEqual(made.returncode, 0, made)
        self.assertEqual(os.stat(self.path("keys", "example.org_s.pem")).st_mode & 0o777, 0o600)
        self.assert_valid()


if __name__ == "__main__":
    unittest.main()
