"""Mail that people have reported, through `postern check`: Tests/Vectors/field, whose README says what is where."""

import concurrent.futures
import json
import os
import shlex
import subprocess
import tempfile
import unittest

import daemon

FOLDER = os.path.join(daemon.PACKAGE, "Tests", "Vectors", "field")


def cases():
    with open(os.path.join(FOLDER, "cases.json"), encoding="ascii") as file:
        return json.load(file)


def run(case):
    """The JSON that the case's command prints."""
    program, *arguments = shlex.split(case["command"])
    if program != "postern":
        raise ValueError(f"{case['id']}: the command is not one of postern")
    with tempfile.TemporaryDirectory() as directory:
        for name, text in case["files"].items():
            with open(os.path.join(directory, name), "w", encoding="latin-1", newline="") as file:
                file.write(text)
        done = subprocess.run(
            [daemon.executable(), *arguments], cwd=directory, capture_output=True, text=True, timeout=60, check=False
        )
    if done.returncode:
        raise RuntimeError(f"status {done.returncode}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def at(value, path):
    """What stands at a path such as dkim.0.result; None where there is nothing."""
    for name in path.split("."):
        if isinstance(value, list):
            value = value[int(name)] if int(name) < len(value) else None
        else:
            value = (value or {}).get(name)
    return value


def wrong(case):
    """What does not hold, a line each; empty where all does."""
    try:
        report = run(case)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "\n".join(
        f"  {path} is {at(report, path)}, expected {' or '.join(values)}"
        for path, values in case["want"].items()
        if at(report, path) not in values
    )


class Field(unittest.TestCase):
    longMessage = False

    def test_each_case_holds(self):
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for case, lines in zip(cases(), pool.map(wrong, cases())):
                with self.subTest(case["id"]):
                    self.assertFalse(lines, f"{case['id']}: {case['what']}\n  right: {case['right']}\n{lines}")
