"""Packaging/install-packages, with programs of our own in place of apt's and dpkg's, and a /usr/sbin of its own."""

import os
import subprocess
import tempfile
import unittest

import daemon

# Each writes to $LOG what it was called with; apt-get also asks, as a package's script does, whether services may start.
PROGRAMS = {
    "apt-get": """
case "$*" in *" install "*)
    for service in nsd nsd.service never-seen "$KNOWN"; do
        status=0; /usr/sbin/policy-rc.d "$service" start || status=$?
        echo "policy $service $status" >>"$LOG"
    done
    exit "${APT_STATUS:-0}"
esac
""",
    "dpkg-query": """
case "$1" in -L) printf '/etc/init.d/%s\\n/lib/systemd/system/%s.service\\n/usr/sbin/%s\\n' "$2" "$2" "$2";; esac
""",
    "update-rc.d": """echo "update-rc.d $*" >>"$LOG"\n""",
    "deb-systemd-helper": """echo "deb-systemd-helper $* for $DPKG_MAINTSCRIPT_PACKAGE" >>"$LOG"\n""",
    "debconf-set-selections": "cat >/dev/null\n",
}


class InstallPackages(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        os.chmod(self.directory, 0o755)
        for name, text in PROGRAMS.items():
            self.write(name, "#!/bin/sh\n" + text)
        self.known = min(name for name in os.listdir("/lib/systemd/system") if name.endswith(".service"))

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), 0o755)

    def install(self, before="", **environment):
        """Runs it for the group "test"; the answer has what it logged, and what it left in /usr/sbin."""
        script = f"mount -t tmpfs tmpfs /usr/sbin && {before or 'true'} && status=0; "
        script += f"{daemon.PACKAGE}/Packaging/install-packages test || status=$?; "
        script += f"cat /usr/sbin/* >{self.path('left')} 2>/dev/null; exit $status"
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=60, check=False,
            env={
                "PATH": f"{self.directory}:/usr/bin:/bin", "LOG": self.path("log"), "KNOWN": self.known, **environment,
            },
        )
        with open(self.path("log"), encoding="utf-8") as log, open(self.path("left"), encoding="utf-8") as left:
            done.log, done.left = log.read().splitlines(), left.read()
        return done

    def test_no_new_service_is_started_and_others_are_the_hosts(self):
        done = self.install()
        self.assertEqual(done.returncode, 0, done.stderr)
        for line in ("policy nsd 101", "policy nsd.service 101", "policy never-seen 101", f"policy {self.known} 0"):
            self.assertIn(line, done.log)
        self.assertEqual(done.left, "")

    def test_the_hosts_own_policy_is_asked_and_put_back(self):
        own = "printf '#!/bin/sh\\nexit 104\\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d"
        done = self.install(own)
        self.assertIn("policy nsd 101", done.log)
        self.assertIn(f"policy {self.known} 104", done.log)
        self.assertEqual(done.left, "#!/bin/sh\nexit 104\n")

    def test_a_failure_leaves_nothing_behind(self):
        done = self.install(APT_STATUS="100")
        self.assertEqual((done.returncode, done.left), (100, ""), done.stderr)

    def test_what_a_new_server_enabled_is_disabled(self):
        done = self.install()
        for server in ("postfix", "nsd", "unbound", "opendkim"):
            self.assertIn(f"update-rc.d {server} disable", done.log)
            self.assertIn(f"deb-systemd-helper disable {server}.service for {server}", done.log)
        self.assertFalse([line for line in done.log if "m4" in line])

    def test_who_is_not_root_is_told_what_is_missing(self):
        done = subprocess.run(
            [os.path.join(daemon.PACKAGE, "Packaging/install-packages"), "test"],
            capture_output=True, text=True, timeout=60, check=False, user=65534, group=65534, extra_groups=[],
            env={"PATH": f"{self.directory}:/usr/bin:/bin", "LOG": os.devnull},
        )
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "^These packages are missing, and only root can install them: postfix ")
