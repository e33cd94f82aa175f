"""Prometheus scrapes the daemon under load; the dashboard's panels and the alert rules find in it what they ask for."""

import contextlib
import json
import math
import os
import subprocess
import threading
import time
import unittest
import urllib.parse
import urllib.request

import daemon
import milter_client
import mta
import test_load

SCRAPES = """\
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files: ["{rules}"]
scrape_configs:
  - job_name: postern
    static_configs:
      - targets: ["{target}"]
"""
ZONE = """\
example.com. 300 IN TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc.example.com. 300 IN TXT "v=DMARC1; p=reject"
"""
RULE = '[[rules]]\nname = "spf-strict"\nwhen = { spf = "fail" }\naction = "reject"\n'


def packaged(*names):
    return os.path.join(daemon.PACKAGE, "Packaging", *names)


def fetch(address):
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.read().decode()


class Prometheus(mta.Server):
    """A private Prometheus, unpacked from Debian's package, that scrapes every second."""

    def __init__(self, target):
        super().__init__()
        self.port = mta.free_port()
        self.write("prometheus.yml", SCRAPES.format(target=target, rules=packaged("prometheus/postern.rules.yml")))

    def start(self):
        self.launch(
            [
                program("prometheus"), "--config.file=" + self.path("prometheus.yml"),
                "--storage.tsdb.path=" + self.path("data"), f"--web.listen-address=127.0.0.1:{self.port}",
                "--log.level=warn",
            ],
            "log",
        )
        mta.wait_until(lambda: mta.accepts(self.port) or not self.running(), "Prometheus's port", 60)
        if not self.running():
            raise RuntimeError("Prometheus did not start:\n" + self.read("log"))

    def query(self, expression):
        """The series that an expression has now, each with its value."""
        question = urllib.parse.urlencode({"query": expression})
        answer = json.loads(fetch(f"http://127.0.0.1:{self.port}/api/v1/query?{question}"))
        return [(series["metric"], float(series["value"][1])) for series in answer["data"]["result"]]

    def rules(self):
        """The alert rules as they are evaluated."""
        answer = json.loads(fetch(f"http://127.0.0.1:{self.port}/api/v1/rules"))
        return [rule for group in answer["data"]["groups"] for rule in group["rules"]]


def program(name):
    return mta.files_of("Prometheus", "prometheus") + "/usr/bin/" + name


def promtool(*arguments, stdin=None):
    """What promtool finds wrong; nothing when it is content."""
    done = subprocess.run(
        [program("promtool"), *arguments], input=stdin, capture_output=True, text=True, timeout=60, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def panels():
    """The dashboard's panels, each with its expressions as Grafana sends them."""
    with open(packaged("grafana/postern.json"), encoding="utf-8") as file:
        for panel in json.load(file)["panels"]:
            yield panel["title"], [
                target["expr"].replace("$instance", ".+").replace("$__rate_interval", "5s") for target in panel["targets"]
            ]


class Rules(unittest.TestCase):
    def test_the_alert_rules(self):
        self.assertEqual(promtool("check", "rules", packaged("prometheus/postern.rules.yml")), "")
        self.assertEqual(promtool("test", "rules", packaged("prometheus/postern.rules.test.yml")), "")


class Scraped(unittest.TestCase):
    # How long Prometheus looks on.
    seconds = float(os.environ.get("POSTERN_SCRAPED", "10"))

    def test_every_panel_has_data_under_load(self):
        port = mta.free_port()
        with (
            test_load.NameServer(ZONE) as names,
            daemon.Postern(RULE, servers=[names.address], metrics=f"127.0.0.1:{port}") as postern,
            Prometheus(f"127.0.0.1:{port}") as prometheus,
        ):
            stop = threading.Event()
            sender = threading.Thread(target=self.load, args=(postern, stop))
            sender.start()
            try:
                time.sleep(self.seconds)
                with contextlib.suppress(TimeoutError):
                    mta.wait_until(lambda: not self.empty_panels(prometheus), "data in every panel")
                self.assertEqual(self.empty_panels(prometheus), [])
                self.assert_rules(prometheus)
            finally:
                stop.set()
                sender.join(30)
            text = fetch(f"http://127.0.0.1:{port}/metrics")
        self.assertEqual(promtool("check", "metrics", stdin=text), "")
        series = [line for line in text.splitlines() if not line.startswith("#")]
        self.assertEqual([line for line in series if "example" in line or "127.0.0.1" in line or "192.0.2." in line], [])

    def load(self, postern, stop):
        """Messages, each of a domain of its own so that a server is asked, every other one to be refused."""
        with milter_client.Milter(postern.unix) as milter:
            milter.negotiate()
            number = 0
            while not stop.wait(0.05):
                number += 1
                domain = "example.com" if number % 2 else f"d{number}.example.com"
                milter.connect("mail.example.com", "192.0.2.9")
                milter.helo("mail.example.com")
                milter.message(
                    [("From", f"a@{domain}"), ("Subject", "Load")], b"Hello\r\n", mail=(f"<a@{domain}>",),
                    rcpt_macros={"i": f"4XyZ{number}"},
                )
                milter.quit_new_connection()

    @staticmethod
    def empty_panels(prometheus):
        """What has no data, by title and expression."""
        return [
            (title, expression)
            for title, expressions in panels()
            for expression in expressions
            if all(math.isnan(value) for _, value in prometheus.query(expression))
        ]

    def assert_rules(self, prometheus):
        """All are evaluated, and none fires while all is well."""
        rules = prometheus.rules()
        self.assertEqual([rule["name"] for rule in rules if rule["health"] != "ok"], [])
        self.assertEqual([rule["name"] for rule in rules if rule["alerts"]], [])
        self.assertGreater(len(rules), 5)


if __name__ == "__main__":
    unittest.main()
