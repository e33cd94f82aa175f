"""Packaging/fetch-corpora, with a mirror in a directory."""

import filecmp
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import daemon


def fetch(*arguments, **environment):
    return subprocess.run(
        [os.path.join(daemon.PACKAGE, "Packaging", "fetch-corpora"), *arguments],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False,
    )


def suites():
    """How many suites Tests/corpora.txt names."""
    return len(re.findall(r"^\[", pathlib.Path(daemon.PACKAGE, "Tests", "corpora.txt").read_text(encoding="ascii"), re.M))


def listed():
    """What Tests/corpora.txt names: the path of each file below the folder."""
    suite = ""
    for line in pathlib.Path(daemon.PACKAGE, "Tests", "corpora.txt").read_text(encoding="ascii").splitlines():
        if line.startswith("["):
            suite = line.strip("[]")
        elif re.match("[0-9a-f]{64} ", line):
            yield os.path.join(suite, line.split()[-1])


class Corpora(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.mirror = os.path.join(directory.name, "mirror")
        self.folder = os.path.join(directory.name, "corpora")

    def absent(self):
        return fetch("--absent", POSTERN_CORPORA=self.folder).stdout.split()

    def test_what_is_absent_is_named(self):
        self.assertEqual(len(self.absent()), suites())
        os.makedirs(os.path.join(self.folder, "spf-rfc7208"))
        self.assertNotIn("spf-rfc7208", self.absent())

    def test_other_octets_are_refused_and_nothing_is_laid_down(self):
        for name in listed():
            path = pathlib.Path(self.mirror, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"something else")
        done = fetch("--from", "file://" + self.mirror, self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("the SHA-256 is"), suites(), done.stderr)
        self.assertFalse(os.path.exists(self.folder))

    def test_a_mirror_without_a_file_is_said(self):
        done = fetch("--from", "file://" + self.mirror, self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"file://{self.mirror}/spf-rfc7208/rfc7208-tests.yml", done.stderr)

    def test_the_suites_are_laid_out(self):
        here = fetch("--folder").stdout.strip()
        if fetch("--absent").stdout:
            self.skipTest("the published suites are not here")
        done = fetch("--from", "file://" + here, self.folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for name in listed():
            self.assertTrue(filecmp.cmp(os.path.join(here, name), os.path.join(self.folder, name), shallow=False), name)
        self.assertEqual(self.absent(), [])
        again = fetch(POSTERN_CORPORA=self.folder)
        self.assertEqual((again.returncode, again.stdout.count("all there")), (0, suites()))
