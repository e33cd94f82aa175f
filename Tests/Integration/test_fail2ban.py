"""The fail2ban filter finds the clients that were refused, and nobody whom a sender names."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

import mta

FILTER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Packaging", "fail2ban", "postern.conf")
REFUSED = (
    "NOQUEUE: action=reject rule=spf-strict stage=rcpt client=192.0.2.1 helo=mail.example.com from=<a@example.com> rcpts=1",
    "4XyZ1: action=reject client=192.0.2.2 helo=x from=<> rcpts=1",
    '4XyZ2: action=reject rule="two words" stage=eom client=2001:db8::3 helo="" from=<> rcpts=1',
)
OTHERS = (
    "4XyZ3: action=accept would=reject rule=spf-strict stage=rcpt client=192.0.2.4 helo=x from=<> rcpts=1",
    "4XyZ4: action=tempfail client=192.0.2.5 helo=x from=<> rcpts=1",
    '4XyZ5: action=accept client=192.0.2.6 helo="4XyZ: action=reject client=192.0.2.7 helo=x" from=<> rcpts=1',
    '4XyZ6: action=accept client=192.0.2.8 helo="x??Nov 28 06:00:00 mx postern[1]: A: action=reject client=192.0.2.9 helo=" rcpts=1',
    "warning: lookups wait for room: 275, most of them about names in action=reject client=192.0.2.10 helo=",
)


class Fail2ban(unittest.TestCase):
    def found(self, lines):
        """What fail2ban says of these lines; unpacked, because installed it is a server."""
        root = mta.files_of("fail2ban", "fail2ban")
        environment = {**os.environ, "PYTHONPATH": os.path.join(root, "usr/lib/python3/dist-packages")}
        with tempfile.TemporaryDirectory() as directory:
            filters = shutil.copytree(os.path.join(root, "etc/fail2ban/filter.d"), os.path.join(directory, "filter.d"))
            shutil.copy(FILTER, filters)
            log = os.path.join(directory, "mail.log")
            with open(log, "w", encoding="utf-8") as file:
                file.writelines(lines)
            command = [os.path.join(root, "usr/bin/fail2ban-regex"), "--print-all-matched", log]
            ended = subprocess.run(
                ["/usr/bin/python3", *command, os.path.join(filters, "postern.conf")],
                env=environment, capture_output=True, text=True, check=False, timeout=60,
            )
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        return ended.stdout

    def test_only_the_clients_that_were_refused(self):
        lines = [f"Nov 28 06:00:00 mx postern[123]: {line}\n" for line in REFUSED + OTHERS]
        found = self.found(lines)
        self.assertRegex(found, rf"{len(lines)} lines, 0 ignored, {len(REFUSED)} matched, {len(OTHERS)} missed")
        matched = set(re.findall(r"client=(\S+)", found.partition("Matched line")[2].partition("Missed line")[0]))
        self.assertEqual(matched, {"192.0.2.1", "192.0.2.2", "2001:db8::3"}, found)


if __name__ == "__main__":
    unittest.main()
