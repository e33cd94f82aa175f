"""Every command as it is typed: Tests/Vectors/commands/*.txt, one file a command, in the form of a terminal's transcript.

    === what is shown
    --- name                        a file that is there besides those of Tests/Vectors/commands/files; in each of them
                                    DIRECTORY stands for the folder where they are
    its text
    & postern serve --config FILE   a daemon that runs meanwhile
    $ postern check letter.eml      a command line, for sh(1), in a folder with these files
    what standard output says
    ! what standard error says
    [exit 1]                        the exit status, where it is not 0

`test_commands.py --write` puts what the program says today into the files, to be read by eye before it is committed.
"""

import concurrent.futures
import glob
import os
import re
import socket
import subprocess
import sys
import tempfile
import unittest

import daemon

FOLDER = os.path.join(daemon.PACKAGE, "Tests", "Vectors", "commands")

# What differs from run to run, and what stands for it: nothing else is masked.
MASKS = (
    (r"\b\d+\.\d{3} ms\b", "N ms"),
    (r"judged as the user [\w-]+", "judged as the user NAME"),
    (r"judged at \S+Z", "judged at TIME"),
    (r"since \S+Z, for .*", "since TIME, for SPAN"),
    (r"[0-9.]+(?:e-\d+)? messages a second over .*", "N messages a second over SPAN"),
    (r"the last at \S+Z", "the last at TIME"),
    (r'"(since|time)":"\S+?Z"', r'"\1":"TIME"'),
    (r'"(messages_per_second|uptime_seconds)":[0-9.]+(?:e-\d+)?', r'"\1":N'),
)


def contents(name):
    with open(name, "rb") as file:
        return file.read()


def program(name, text):
    with open(name, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o755)) as file:
        file.write("#!/bin/sh\n" + text)


class Case:
    """A part of a transcript: its title, the lines that say what to do, and the lines that were seen."""

    def __init__(self, text):
        self.text = text
        self.title = text.partition("\n")[0]
        self.files, self.daemons, self.commands = {}, [], []
        lines = iter(text.splitlines()[1:])
        file = None
        for line in lines:
            if line.startswith("--- "):
                file = self.files[line[4:]] = []
            elif line.startswith("& "):
                self.daemons.append(line[2:])
                file = None
            elif line.startswith("$ "):
                self.commands.append(line[2:])
                file = None
            elif file is not None:
                file.append(line)

    def head(self):
        lines = [self.title]
        for name, text in self.files.items():
            lines += [f"--- {name}", *text]
        return lines + [f"& {line}" for line in self.daemons]

    def seen(self):
        """The case with what is seen today."""
        with tempfile.TemporaryDirectory() as directory:
            self.prepare(directory)
            lines = self.head()
            running = [self.start(line, directory) for line in self.daemons]
            try:
                for line in self.commands:
                    lines += [f"$ {line}", *self.run(line, directory)]
            finally:
                for process in running:
                    process.terminate()
                    process.wait(30)
        return "\n".join(lines) + "\n"

    def prepare(self, directory):
        os.chmod(directory, 0o755)
        shared = os.path.join(FOLDER, "files")
        files = {name: contents(os.path.join(shared, name)) for name in os.listdir(shared)}
        files.update((name, "\n".join(text).encode() + b"\n") for name, text in self.files.items())
        for name, octets in files.items():
            path = os.path.join(directory, name)
            with open(path, "wb") as file:
                file.write(octets.replace(b"DIRECTORY", directory.encode()))
            os.chmod(path, 0o600 if name.endswith(".pem") else 0o644)
            daemon.give_to_service(path)
        os.mkdir(os.path.join(directory, ".bin"), 0o755)
        program(os.path.join(directory, ".bin", "postern"), f'exec "{os.path.abspath(daemon.executable())}" "$@"\n')
        deliver = os.path.join(os.path.dirname(os.path.abspath(__file__)), "deliver.py")
        program(os.path.join(directory, ".bin", "deliver"), f'exec "{sys.executable}" "{deliver}" "$@"\n')

    @staticmethod
    def environment(directory):
        path = os.path.join(directory, ".bin") + os.pathsep + "/usr/sbin:/usr/bin:/sbin:/bin"
        return {**os.environ, "PATH": path, "COLUMNS": "100", "LC_ALL": "C.UTF-8", "SWIFT_BACKTRACE": "enable=no"}

    def start(self, line, directory):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
            path = os.path.join(directory, ".notify")
            notices.bind(path)
            notices.settimeout(0.1)
            with open(os.path.join(directory, ".log"), "ab") as log:
                process = subprocess.Popen(
                    ["/bin/sh", "-c", "exec " + line], cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    env={**self.environment(directory), "NOTIFY_SOCKET": path},
                )
            try:
                daemon.wait_until(
                    lambda: process.poll() is not None or daemon.Postern.is_ready(notices), f"READY=1 from {line}", 20
                )
            except BaseException:
                process.kill()
                raise
        if process.poll() is not None:
            raise RuntimeError(f"{line} ended: {contents(os.path.join(directory, '.log')).decode()}")
        return process

    def run(self, line, directory):
        done = subprocess.run(
            ["/bin/sh", "-c", line], cwd=directory, env=self.environment(directory), capture_output=True,
            stdin=subprocess.DEVNULL, timeout=60, check=False,
        )
        standard, error = (masked(octets, directory) for octets in (done.stdout, done.stderr))
        lines = standard.splitlines() + [f"! {text}".rstrip() for text in error.splitlines()]
        return lines + ([f"[exit {done.returncode}]"] if done.returncode else [])


def masked(octets, directory):
    text = octets.decode("utf-8", "backslashreplace").replace("\r\n", "\n").replace(directory, "DIRECTORY")
    for pattern, mask in MASKS:
        text = re.sub(pattern, mask, text)
    return text


def files():
    return sorted(glob.glob(os.path.join(FOLDER, "*.txt")))


def cases(name):
    """What stands above the first case, and the cases."""
    with open(name, encoding="utf-8") as file:
        parts = re.split(r"^=== ", file.read(), flags=re.M)
    return parts[0], [Case(part) for part in parts[1:]]


class Commands(unittest.TestCase):
    maxDiff = None

    def test_each_command_says_what_is_written(self):
        written = [(os.path.basename(name), case) for name in files() for case in cases(name)[1]]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for (name, case), seen in zip(written, pool.map(lambda pair: pair[1].seen(), written)):
                with self.subTest(name, case=case.title):
                    self.assertMultiLineEqual(case.text, seen)

    def test_every_command_has_its_file(self):
        shown = subprocess.run([daemon.executable(), "--help"], capture_output=True, text=True, timeout=30, check=True)
        commands = re.findall(r"^  ([a-z]+) {2,}", shown.stdout.partition("SUBCOMMANDS")[2], re.M)
        there = {os.path.basename(name).partition(".")[0].partition("-")[0] for name in files()}
        self.assertLessEqual(set(commands) - {"help"}, there)


def write():
    for name in files():
        top, known = cases(name)
        text = top + "".join("=== " + case.seen() for case in known)
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    write() if "--write" in sys.argv else unittest.main()
