"""Types the lines of README.md and postern(8) in a fresh Debian with systemd, and looks what becomes of mail.

trial.py DIRECTORY: a Debian that Packaging/check-deb has made, with the package, Postfix and Unbound. Its processes have
namespaces of their own, so that neither their sockets nor their mounts are the host's.
"""

import contextlib
import ctypes
import mailbox
import os
import re
import subprocess
import sys
import time

import dkim

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIGURATION = "/etc/postern/postern.toml"
# The same package with a higher version; Packaging/check-deb puts it there.
UPGRADE = "/root/postern-upgrade.deb"
KEY = "/etc/postern/keys/example.org_2026r.pem"

# What the DNS knows; there is no other.
RECORDS = """\
server:
    local-zone: "." static
    local-data: 'example.com. TXT "v=spf1 ip4:192.0.2.66 -all"'
    local-data: 'forged.example. TXT "v=spf1 -all"'
"""

SEND = """\
import smtplib, sys
sender, message = sys.argv[1], sys.stdin.buffer.read()
with smtplib.SMTP("192.0.2.25", 25, "client.example.com", 60, ("192.0.2.66", 0)) as client:
    client.sendmail(sender, ["bob@example.org"], message)
"""

LOAD = """\
import select, smtplib, sys
count, problems = 0, []
while not select.select([sys.stdin], [], [], 0.05)[0]:
    message = f"From: alice@example.com\\r\\nSubject: load {count}\\r\\n\\r\\nHello\\r\\n"
    try:
        with smtplib.SMTP("192.0.2.25", 25, "client.example.com", 60, ("192.0.2.66", 0)) as client:
            client.sendmail("alice@example.com", ["bob@example.org"], message)
    except (OSError, smtplib.SMTPException) as error:
        problems.append(repr(error))
    count += 1
print(count, *problems[:5], sep="\\n")
"""


def text(*names):
    with open(os.path.join(HERE, *names), encoding="utf-8") as file:
        return file.read()


def indented(document, before):
    """The lines of the indented block that follows these words."""
    block = document.partition(before)[2].lstrip("\n")
    lines = re.match(r"(?:    .*\n)+", block)
    if not lines:
        sys.exit(f"the document has no lines after {before!r}")
    return [line[4:] for line in lines[0].splitlines()]


def unquoted(roff):
    return roff.replace("\\(dq", '"').replace("\\-", "-")


def unavailable(reason):
    """Ends with 69 (EX_UNAVAILABLE): nothing was tried, so nothing has failed."""
    print("not tried:", reason, file=sys.stderr)
    sys.exit(69)


class Machine:
    """A Debian in a directory, with systemd as its first process."""

    def __init__(self, root):
        self.root = root
        mounts = [line.split() for line in text("/proc/mounts").splitlines()]
        above = next((place for _, place, kind, *_ in mounts if kind == "cgroup2"), None)
        if above is None:
            unavailable("this host has no cgroup2")
        self.cgroup = os.path.join(above, f"postern-trial-{os.getpid()}")
        try:
            os.mkdir(self.cgroup)
        except OSError as error:
            unavailable(error)
        command = ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child"]
        self.log = open(os.path.join(root, "boot.log"), "wb")
        self.process = subprocess.Popen(
            [*command, os.path.join(HERE, "boot"), root], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, preexec_fn=self.enter_cgroup,
        )
        self.pid = self.wait(self.first_process, "systemd as the first process", 30)
        self.wait(lambda: self.run("systemctl is-system-running", check=False).stdout.strip() in ("running", "degraded"),
                  "the end of the boot", 120)

    def enter_cgroup(self):
        with open(os.path.join(self.cgroup, "cgroup.procs"), "w", encoding="ascii") as file:
            file.write(str(os.getpid()))

    def first_process(self):
        if self.process.poll() is not None:
            unavailable("systemd does not start in namespaces on this host:\n" + text(self.log.name))
        for child in text(f"/proc/{self.process.pid}/task/{self.process.pid}/children").split():
            if os.path.basename(os.readlink(f"/proc/{child}/exe")) == "systemd":
                return child
        return None

    @staticmethod
    def wait(condition, what, seconds):
        deadline = time.monotonic() + seconds
        while True:
            answer = condition()
            if answer:
                return answer
            if time.monotonic() > deadline:
                sys.exit(f"{what}: not within {seconds} s")
            time.sleep(0.05)

    def run(self, command, check=True):
        """What a shell of root makes of a command line there."""
        ended = subprocess.run(
            ["nsenter", "-t", self.pid, "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "sh", "-c", command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False,
        )
        if check and ended.returncode:
            sys.exit(f"{command}: {ended.returncode}\n{ended.stdout}{ended.stderr}\n" + self.journal())
        return ended

    def type(self, command):
        print("  #", command)
        return self.run(command).stdout

    def journal(self):
        return self.run("journalctl --no-pager -n 40 -u postern -u 'postfix@-' -t postern", check=False).stdout

    def append(self, path, lines):
        print(f"  {path}:", *lines, sep="\n      ")
        with open(self.root + path, "a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def edit(self, path, old, new):
        content = text(self.root + path)
        if content.count(old) != 1:
            sys.exit(f"{path} does not have {old!r} once")
        print(f"  {path}: {new}")
        with open(self.root + path, "w", encoding="utf-8") as file:
            file.write(content.replace(old, new))

    def send(self, sender, message):
        """Sends a message from outside."""
        return subprocess.run(
            ["nsenter", "-t", self.pid, "-n", sys.executable, "-c", SEND, sender], input=message.encode(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False,
        )

    def delivered(self, subject):
        """The message of this subject, as it lies in the mailbox."""

        def find():
            if not os.path.exists(self.root + "/var/mail/bob"):
                return None
            return next((m for m in mailbox.mbox(self.root + "/var/mail/bob") if m["Subject"] == subject), None)

        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if message := find():
                return message
            time.sleep(0.05)
        sys.exit(f"{subject!r} was not delivered\n{self.journal()}{self.run('mailq', check=False).stdout}")

    def load_delivered(self):
        """How many messages of a load lie in the mailbox."""
        return sum((m["Subject"] or "").startswith("load ") for m in mailbox.mbox(self.root + "/var/mail/bob"))

    @contextlib.contextmanager
    def load(self):
        """Mail from outside, up to twenty messages a second, while something is done: all of it is taken and delivered."""
        process = subprocess.Popen(
            ["nsenter", "-t", self.pid, "-n", sys.executable, "-c", LOAD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        yield
        count, *problems = process.communicate("\n", timeout=120)[0].splitlines()
        if problems:
            sys.exit("mail was not taken meanwhile:\n" + "\n".join(problems))
        self.wait(lambda: self.load_delivered() == int(count), f"the delivery of {count} messages", 60)
        print(f"  ok: {count} messages came meanwhile, and all were taken and delivered")

    def property(self, name):
        """What systemd says of the daemon."""
        return self.run(f"systemctl show --value --property {name} postern").stdout.strip()

    def processes(self):
        """The daemon's processes, as the host counts them."""
        group = os.path.join(self.cgroup, "system.slice", "postern.service", "cgroup.procs")
        return text(group).split() if os.path.exists(group) else []

    def event_loops(self):
        """The daemon's threads that are event loops: their names, and their numbers on the host."""
        (process,) = self.processes()
        threads = os.listdir(f"/proc/{process}/task")
        names = {text("/proc", process, "task", thread, "comm").strip(): int(thread) for thread in threads}
        return {name: thread for name, thread in names.items() if name.startswith("NIO-")}

    def seconds(self):
        """The machine time that all its processes took."""
        usage = re.search(r"^usage_usec (\d+)", text(self.cgroup, "cpu.stat"), re.M)
        return int(usage[1]) / 1e6

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
        # Its processes are killed, but the kernel may still be taking them away.
        for _ in range(100):
            for folder, _, _ in os.walk(self.cgroup, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    pass
            if not os.path.exists(self.cgroup):
                break
            time.sleep(0.05)


@contextlib.contextmanager
def held(thread):
    """Holds one thread of a process, while its others go on (ptrace(2))."""
    attach, detach, every_thread = 16, 17, 0x40000000
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if ptrace(attach, thread, None, None):
        sys.exit(f"thread {thread}: {os.strerror(ctypes.get_errno())}")
    os.waitpid(thread, every_thread)

    def has_ended():
        """Also lets the kernel have the thread, without which its process never ends."""
        return os.waitpid(thread, every_thread | os.WNOHANG)[0] == thread

    try:
        yield has_ended
    finally:
        ptrace(detach, thread, None, None)


class Trial:
    """The steps of somebody who has installed the package, in their order."""

    def __init__(self, machine):
        self.machine = machine
        self.readme = text("..", "README.md")
        self.manual = text("man", "postern.8")

    @staticmethod
    def expect(condition, what):
        if not condition:
            sys.exit(f"failed: {what}")
        print("  ok:", what)

    def expect_stamped(self, subject):
        letter = f"From: alice@example.com\r\nTo: bob@example.org\r\nSubject: {subject}\r\n\r\nHello\r\n"
        sent = self.machine.send("alice@example.com", letter)
        self.expect(sent.returncode == 0, f"Postfix took {subject!r} {sent.stderr.decode()[-300:]}")
        results = self.machine.delivered(subject)["Authentication-Results"] or ""
        self.expect(results.startswith("mx.example.org;") and "spf=pass" in results, f"stamped: {' '.join(results.split())}")

    def attach(self):
        print("== README: attaching it to Postfix, with the configuration as it is shipped")
        self.machine.append("/etc/postfix/main.cf", indented(self.readme, "`postfix reload`:\n"))
        self.machine.type("postfix reload")
        self.expect_stamped("stamped as shipped")

    def configure(self):
        print("== README: a configuration, and a key")
        shown = re.search(r"```toml\n(.*?)```", self.readme, re.S)[1]
        with open(self.machine.root + CONFIGURATION, "w", encoding="utf-8") as file:
            file.write(shown)
        keygen, check, reload = indented(self.readme, "prints in the DNS:\n")
        record = "".join(re.findall(r'"([^"]*)"', self.machine.type(keygen)))
        chunks = " ".join(f'"{record[start:start + 250]}"' for start in range(0, len(record), 250))
        self.machine.run(f"unbound-control -q local_data '2026r._domainkey.example.org. TXT {chunks}'")
        judged = self.machine.type(check)
        self.expect("judged as the user postern" in judged, judged.strip())
        self.machine.type(check + " --dns")
        self.machine.type(reload)
        self.machine.run(
            "printf 'From: carol@example.org\\nTo: bob@example.org\\nSubject: signed\\n\\nHello\\n' | "
            "sendmail -f carol@example.org bob@example.org"
        )
        message = self.machine.delivered("signed")
        # What the mailbox added in front is no part of the message.
        signed = message.as_bytes().partition(b"\nDKIM-Signature:")
        verified = dkim.verify(
            b"DKIM-Signature:" + signed[2], dnsfunc=lambda name, timeout=5: record.encode() if b"2026r." in name else None
        )
        self.expect(verified, f"signed, and verified by dkimpy: {' '.join(message['DKIM-Signature'].split())[:60]}...")
        forged = self.machine.send("mallory@forged.example", "Subject: forged\r\n\r\nHello\r\n")
        self.expect(b"5.7.23" in forged.stderr, "refused: a sender that SPF forbids")

    def keys(self):
        print("== The rule for key files, as root's check and the daemon see it")
        check = "postern config check"
        for owner, mode, mends in (("root:root", "0600", True), ("root:postern", "0640", False), ("root:root", "0644", True),
                                   ("postern:postern", "0600", False)):
            self.machine.run(f"chown {owner} {KEY} && chmod {mode} {KEY}")
            checked = self.machine.run(check, check=False)
            serves = self.machine.run("systemctl restart postern", check=False).returncode == 0
            self.expect((checked.returncode == 0) is serves is not mends, f"{owner} {mode}: {'refused' if mends else 'taken'} by both")
            if mends:
                command = re.search(r"\(type: (.*)\)$", checked.stderr, re.M)
                self.expect(command, checked.stderr.strip())
                self.machine.type(command[1])
                self.machine.type(check)
                self.machine.run("systemctl reset-failed postern; systemctl restart postern")

    def use_unix_socket(self):
        print("== postern(8): a unix socket in Postfix's chroot")
        chroot = self.manual.partition("whose group the socket takes over:")[2]
        command = re.search(r"\.Bd -literal.*?\n(.*?)\n\.Ed", chroot, re.S)[1]
        socket, milters = (unquoted(line) for line in re.findall(r"^\.Ql (\S+ = .*)$", chroot, re.M)[:2])
        main_cf = indented(self.readme, "`postfix reload`:\n")[0]
        self.machine.edit(CONFIGURATION, 'socket = "inet:8891@127.0.0.1"', socket)
        refused = self.machine.run("postern config check", check=False)
        self.expect(refused.returncode == 1 and command in refused.stderr, refused.stderr.splitlines()[0])
        self.machine.type(command)
        checked = self.machine.run("postern config check")
        # README's names stay in.
        said = [line for line in checked.stderr.splitlines() if "for documents only" not in line]
        self.expect(not said, checked.stdout.strip())
        self.machine.type("systemctl restart postern")
        self.machine.edit("/etc/postfix/main.cf", main_cf, milters)
        self.machine.type("systemctl restart postfix")
        print("  " + self.machine.run("ls -l /var/spool/postfix/postern/postern.sock").stdout.strip())
        self.expect_stamped("stamped over a unix socket")

    def use_group(self):
        print("== The same with the group said")
        line = 'socket = "unix:/var/spool/postfix/postern/postern.sock"'
        self.machine.edit(CONFIGURATION, line, line + '\ngroup = "postfix"')
        self.machine.type("postern config check && systemctl restart postern")
        self.expect_stamped("stamped over a unix socket with a group")
        self.machine.edit(CONFIGURATION, '\ngroup = "postfix"', "")

    def use_systemd_socket(self):
        print("== postern(8): the socket held by systemd")
        self.machine.edit(CONFIGURATION, 'socket = "unix:/var/spool/postfix/postern/postern.sock"', 'socket = "systemd:milter"')
        self.machine.type("postern config check && systemctl stop postern && systemctl enable --now postern.socket")
        self.machine.type("systemctl start postern")
        self.expect_stamped("stamped over a socket of systemd")
        self.machine.type("systemctl restart postern")
        self.expect_stamped("stamped after a restart")

    def be_stuck(self):
        print("== The watchdog: an event loop that is stuck")
        drop_in = "/run/systemd/system/postern.service.d"
        self.machine.run(f"mkdir -p {drop_in} && printf '[Service]\\nWatchdogSec=2s\\n' >{drop_in}/trial.conf")
        self.machine.run("systemctl daemon-reload && systemctl restart postern")
        time.sleep(5)
        self.expect(self.machine.property("NRestarts") == "0", "fed while all of them turn")
        for number, name in enumerate(sorted(self.machine.event_loops()), 1):
            with held(self.machine.event_loops()[name]) as has_ended:
                self.machine.wait(has_ended, f"the end of a daemon whose {name} is stuck", 30)
            self.machine.wait(lambda: self.machine.property("NRestarts") == str(number), f"a restart for {name}", 30)
            self.machine.wait(lambda: self.machine.property("SubState") == "running", "the daemon's return", 30)
            print(f"  ok: started anew when {name} is stuck")
        self.machine.run(f"rm -r {drop_in} && systemctl daemon-reload && systemctl restart postern")

    def upgrade(self):
        print("== Upgrades")
        install = f"dpkg --install {UPGRADE} 2>&1"
        before = self.machine.property("MainPID")
        self.machine.type(install)
        after = self.machine.property("MainPID")
        self.expect(after not in ("0", before), "with a valid configuration the new program takes over")
        self.expect_stamped("stamped after an upgrade")
        self.machine.edit(CONFIGURATION, 'mode = "enforce"', 'mode = "enfroce"')
        told = self.machine.type(install)
        print("    " + told.strip().replace("\n", "\n    "))
        self.expect("did you mean" in told and "The old one keeps running" in told, "a mistake is told by dpkg")
        self.expect(self.machine.property("MainPID") == after, "and the old process goes on")
        self.expect_stamped("stamped by the old process")
        self.machine.edit(CONFIGURATION, 'mode = "enfroce"', 'mode = "enforce"')
        self.machine.type("postern config check && systemctl restart postern")
        self.machine.run("systemctl stop postern")
        self.machine.run("systemctl disable postern")
        self.machine.run(install)
        self.expect(self.machine.property("ActiveState") == "inactive", "one that is switched off stays off")

    def forged(self):
        """Whether mail of a sender that SPF forbids is taken."""
        return self.machine.send("mallory@forged.example", "Subject: forged\r\n\r\nHello\r\n").returncode == 0

    def is_bypassed(self):
        """Whether a message that comes now is not stamped."""
        subject = f"bypassed {time.monotonic()}"
        self.machine.send("alice@example.com", f"Subject: {subject}\r\n\r\nHello\r\n")
        return self.machine.delivered(subject)["Authentication-Results"] is None

    def get_out(self):
        print("== README: getting out again, while mail comes")
        self.machine.run("systemctl enable --now postern")
        self.expect(not self.forged(), "a forged sender is refused")
        rule, reload = 'name = "spf-strict"\n', "systemctl reload postern"
        with self.machine.load():
            self.machine.edit(CONFIGURATION, rule, rule + "observe = true\n")
            self.machine.type(reload)
            self.expect(self.forged(), "one rule off: a forged sender is taken")
            self.machine.edit(CONFIGURATION, rule + "observe = true\n", rule)
            self.machine.type(reload)
            self.expect(not self.forged(), "on again: refused")
            self.machine.edit(CONFIGURATION, 'mode = "enforce"', 'mode = "observe"')
            self.machine.type(reload)
            self.expect(self.forged(), "back to observing: taken")
            self.machine.type("sed -i /milter/d /etc/postfix/main.cf && postfix reload")
            # A server process of Postfix ends the session that it is in with the configuration from before.
            self.machine.wait(self.is_bypassed, "mail without a stamp", 10)
            print("  ok: the filter is bypassed")
            self.machine.type("apt-get -qq -y purge postern")
        self.expect(not self.machine.processes(), "the daemon is gone")

    def run(self):
        begun, used = time.monotonic(), self.machine.seconds()
        self.attach()
        self.configure()
        used = self.machine.seconds() - used
        print(f"== A stamped and a signed message: {time.monotonic() - begun:.1f} s, {used:.1f} s of machine time")
        self.expect(used <= 60, "no more than 60 s")
        self.keys()
        self.use_unix_socket()
        self.use_group()
        self.use_systemd_socket()
        self.be_stuck()
        self.upgrade()
        # Of the runtime it is built with, as "Failed to set thread priority".
        noise = self.machine.run("journalctl --no-pager -o cat _COMM=postern | grep -i failed", check=False).stdout
        self.expect(not noise, f"no complaint of the program's {noise}")
        failed = self.machine.run("systemctl --failed --plain --no-legend", check=False).stdout
        self.expect("postern" not in failed and "postfix" not in failed, "no failed unit of Postern or Postfix")
        self.get_out()


def main():
    (root,) = sys.argv[1:]
    with open(os.path.join(root, "etc/unbound/unbound.conf.d/trial.conf"), "w", encoding="ascii") as file:
        file.write(RECORDS)
    machine = Machine(root)
    try:
        print("systemd runs as the first process of a Debian of its own:",
              machine.run("systemctl --version | head -n 1; systemctl is-system-running", check=False).stdout.split("\n")[:2])
        Trial(machine).run()
    finally:
        machine.stop()


if __name__ == "__main__":
    main()
