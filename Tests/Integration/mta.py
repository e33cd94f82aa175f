"""Private mail servers on loopback: each in a directory of its own, ended by the process that started it."""

import atexit
import functools
import glob
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

MASTER_CF = """\
127.0.0.1:{port} inet n - n - 100 smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
smtp unix - - n - - smtp
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
"""

SENDMAIL_MC = """\
define(`_CF_DIR_', `{cf}/')dnl
include(`{cf}/m4/cf.m4')dnl
OSTYPE(`linux')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`promiscuous_relay')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`nocanonify')dnl
DAEMON_OPTIONS(`Port={port}, Addr=127.0.0.1, Name=MTA')dnl
{milter}
define(`QUEUE_DIR', `{directory}/queue')dnl
define(`STATUS_FILE', `{directory}/statistics')dnl
define(`ALIAS_FILE', `')dnl
define(`confPID_FILE', `{directory}/pid')dnl
define(`confTO_IDENT', `0')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe,TrustStickyBit')dnl
define(`confDELIVERY_MODE', `interactive')dnl
define(`confCONNECTION_RATE_THROTTLE', `0')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confREFUSE_LA', `1000')dnl
"""

TO_FILES = """\
MAILER_DEFINITIONS
Mtofile, P={directory}/deliver, F=lsDFMn, S=EnvFromL/HdrFromL, R=EnvToL/HdrToL, T=DNS/RFC822/X-Unix, A=deliver $u
LOCAL_RULE_0
R$+ < @ $+ . >	$#tofile $@ here $: $1 @ $2
R$+ < @ $+ >	$#tofile $@ here $: $1 @ $2
"""

TO_ANOTHER = """\
define(`SMART_HOST', `relay:[127.0.0.1]')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {next_hop}')dnl
MAILER(`smtp')dnl
"""

DELIVER = """\
#!/bin/sh
file=$(mktemp '{directory}/tmp/XXXXXXXX') && cat >"$file" && mkdir -p '{directory}/mail/'"$1" &&
    mv "$file" '{directory}/mail/'"$1"/
"""


# Below those that the system gives to outgoing connections: none of these can take a port before its server does.
PORTS = iter(random.sample(range(10000, 32000), 22000))


def free_port():
    """A loopback port that nothing holds, over TCP or UDP, and that is given out once."""
    for port in PORTS:
        try:
            with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
                return port
        except OSError:
            continue
    raise RuntimeError("no free port")


def wait_until(condition, what, seconds=60):
    """Waits for a condition, as long as a busy host may need; what it answers that is true is returned."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def listens(port):
    """Whether something greets on this loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            return connection.recv(3) == b"220"
    except OSError:
        return False


def accepts(port):
    """Whether something listens on this loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return True
    except OSError:
        return False


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def scratch():
    """A directory that other users may pass through, as the mail servers' own users must."""
    directory = tempfile.mkdtemp(prefix="postern-")
    os.chmod(directory, 0o755)
    return directory


class Server:
    """A process in a group of its own, and the directory that it lives in."""

    process = None

    def __init__(self):
        self.directory = scratch()

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def read(self, name):
        try:
            with open(self.path(name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def launch(self, arguments, output, **options):
        with open(self.path(output), "ab") as file:
            self.process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True, **options
            )

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """Ends the group with TERM, and with KILL what is left of it after ten seconds."""
        if self.process is not None:
            self.signal_group(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                pass
            self.signal_group(signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def signal_group(self, number):
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    # What was delivered, read as a mailbox's owner would.

    def mail(self):
        """Everything delivered, oldest first, as pairs of recipient and path."""
        raise NotImplementedError

    def delivered(self, recipient):
        """The messages that a recipient got, oldest first."""
        return [contents(path) for who, path in self.mail() if who == recipient.lower()]

    def make_mailboxes(self):
        os.makedirs(self.path("mail"))
        os.chmod(self.path("mail"), 0o1777)

    def empty_mailboxes(self):
        """Removes what was delivered, once nothing is on its way any more."""
        self.settle()
        for _, path in self.mail():
            os.remove(path)


class Postfix(Server):
    """A private Postfix. Any recipient has a mailbox; XCLIENT presents any client to it.

    `services` are further lines of master.cf.
    """

    name = "postfix"
    has_xclient = True

    def __init__(self, milters, services="", **settings):
        super().__init__()
        self.port = free_port()
        self.services = services
        self.settings = {
            "compatibility_level": "3.6",
            "queue_directory": self.path("queue"),
            "data_directory": self.path("data"),
            "command_directory": "/usr/sbin",
            "daemon_directory": "/usr/lib/postfix/sbin",
            "mail_owner": "postfix",
            "setgid_group": "postdrop",
            "maillog_file": self.path("maillog"),
            "maillog_file_prefixes": self.directory,
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "all",
            "myhostname": "mx.example.org",
            "mydomain": "example.org",
            "myorigin": "example.org",
            "mydestination": "",
            "local_recipient_maps": "",
            "alias_maps": "",
            "alias_database": "",
            "mynetworks": "127.0.0.0/8",
            "smtpd_recipient_restrictions": "reject_unauth_destination",
            "smtpd_relay_restrictions": "",
            "virtual_mailbox_domains": "regexp:" + self.path("domains"),
            "virtual_mailbox_base": self.path("mail"),
            "virtual_mailbox_maps": "static:inbox/",
            "virtual_uid_maps": "static:65534",
            "virtual_gid_maps": "static:65534",
            "virtual_mailbox_limit": "0",
            "message_size_limit": "0",
            "smtpd_milters": milters,
            "milter_default_action": "tempfail",
            "milter_connect_timeout": "5s",
            "milter_command_timeout": "30s",
            "smtpd_authorized_xclient_hosts": "127.0.0.0/8",
            "smtpd_peername_lookup": "no",
            "disable_dns_lookups": "yes",
            "in_flow_delay": "0",
            "smtpd_client_connection_count_limit": "0",
            "smtpd_client_connection_rate_limit": "0",
            "smtpd_error_sleep_time": "0",
            "smtpd_soft_error_limit": "1000",
            "smtpd_hard_error_limit": "1000",
            **settings,
        }

    def start(self):
        for name in ("queue", "data", "etc"):
            os.makedirs(self.path(name))
        shutil.chown(self.path("data"), "postfix")
        self.make_mailboxes()
        self.write("domains", "/./ any\n")
        self.write("etc/main.cf", "".join(f"{name} = {value}\n" for name, value in self.settings.items()))
        self.write("etc/master.cf", MASTER_CF.format(port=self.port) + self.services)
        self.control("start")
        try:
            wait_until(lambda: listens(self.port), "Postfix's greeting")
        except TimeoutError as error:
            raise RuntimeError(f"{error}\n{self.read('maillog')}") from None

    def control(self, command):
        result = subprocess.run(
            ["/usr/sbin/postfix", "-c", self.path("etc"), command],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=30, check=False,
        )
        if result.returncode:
            raise RuntimeError(f"postfix {command}: {result.stderr.decode()}{self.read('maillog')}")

    def stop(self):
        """The master leads its process group; its lock file names it."""
        master = self.read("queue/pid/master.pid").strip()
        try:
            if master:
                os.killpg(int(master), signal.SIGTERM)
                wait_until(lambda: not os.path.exists(f"/proc/{master}"), "Postfix's end")
        except ProcessLookupError:
            pass
        except TimeoutError:
            os.killpg(int(master), signal.SIGKILL)
        super().stop()

    def queued(self):
        """Names of the messages still on their way."""
        return [
            name
            for queue in ("incoming", "active", "deferred", "maildrop")
            for _, _, names in os.walk(self.path("queue", queue))
            for name in names
        ]

    def settle(self, seconds=20):
        """Waits until everything accepted is delivered or held."""
        try:
            wait_until(lambda: not self.queued(), "Postfix's queue to empty", seconds)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.read('maillog')[-4000:]}") from None

    def held(self):
        return [name for _, _, names in os.walk(self.path("queue", "hold")) for name in names]

    def mail(self):
        paths = sorted(glob.glob(self.path("mail/inbox/new/*")), key=os.path.getmtime)
        # virtual(8) writes the recipient above the message: all share one mailbox.
        return [(re.search(rb"^Delivered-To: (.*)$", contents(path), re.M)[1].decode().lower(), path) for path in paths]


class RelayingPostfix(Postfix):
    """A private Postfix that passes all mail on to another server on loopback."""

    def __init__(self, port, **settings):
        super().__init__(
            "", relayhost=f"[127.0.0.1]:{port}", virtual_mailbox_domains="", myhostname="mail.example.com",
            smtpd_recipient_restrictions="permit_mynetworks,reject", **settings,
        )

    def run_queue(self):
        """Tries everything once that waits, and returns when all has been tried."""
        waiting = self.deferred()
        subprocess.run(
            ["/usr/sbin/postqueue", "-c", self.path("etc"), "-f"], check=True, capture_output=True, timeout=30
        )
        # What is deferred anew has another time, that of its next attempt.
        wait_until(lambda: not waiting & self.deferred(), "Postfix's queue run", 60)
        self.try_all()

    def deferred(self):
        found = set()
        for path in glob.glob(self.path("queue/deferred/*/*")):
            try:
                found.add((path, os.stat(path).st_mtime_ns))
            except FileNotFoundError:
                continue
        return found

    def try_all(self):
        wait_until(lambda: not self.under_way(), "Postfix's attempts", 60)

    def under_way(self):
        return [
            name for queue in ("incoming", "active", "maildrop")
            for _, _, names in os.walk(self.path("queue", queue)) for name in names
        ]


@functools.cache
def unpacked(*packages):
    """Debian's packages, unpacked once for this process and not installed; and why they are not there."""
    directory = scratch()
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    try:
        download = ["apt-get", "-qq", "download", *packages]
        subprocess.run(download, cwd=directory, check=True, capture_output=True, text=True, timeout=120)
        for package in glob.glob(directory + "/*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, directory], check=True, capture_output=True, text=True, timeout=60)
    except subprocess.CalledProcessError as error:
        return None, (error.stderr.strip().splitlines() or [str(error)])[-1]
    except subprocess.TimeoutExpired as error:
        return None, str(error)
    return directory, None


def files_of(name, *packages):
    """Where a program is unpacked. Where it cannot be, the tests that want it are skipped, and counted as such."""
    directory, problem = unpacked(*packages)
    if problem:
        reason = f"{name} cannot be unpacked: {problem}"
        if "POSTERN_SKIPPED" in os.environ:
            with open(os.environ["POSTERN_SKIPPED"], "a", encoding="utf-8") as file:
                print(reason, file=file)
        raise unittest.SkipTest(reason)
    return directory


def sendmail_files():
    """Where Sendmail is unpacked: installed it would replace Postfix."""
    return files_of("Sendmail", "sendmail-bin", "sendmail-base", "sendmail-cf")


class Sendmail(Server):
    """A private Sendmail, unpacked from Debian's packages so that it may live beside Postfix.

    It asks for its own qualified name at start and waits a minute for it, so it runs in a mount and UTS namespace
    with a hosts file of its own. `hosts` maps client addresses to names.
    """

    name = "sendmail"
    has_xclient = False
    host = "mx.example.org"
    queue_runs = ("-q1m",)

    def __init__(self, milter, hosts=None):
        super().__init__()
        self.port = free_port()
        self.milter = milter
        self.hosts = hosts or {}

    def start(self):
        for name, mode in (("queue", 0o700), ("tmp", 0o1777)):
            os.makedirs(self.path(name))
            os.chmod(self.path(name), mode)
        self.make_mailboxes()
        root = sendmail_files()
        configuration = SENDMAIL_MC.format(
            cf=root + "/usr/share/sendmail/cf", port=self.port, directory=self.directory, milter=self.filter()
        )
        with open(self.path("sendmail.cf"), "wb") as file:
            arguments = ["m4", self.write("sendmail.mc", configuration + self.mailers())]
            subprocess.run(arguments, stdout=file, stderr=subprocess.PIPE, check=True, timeout=60)
        self.write("deliver", DELIVER.format(directory=self.directory), 0o755)
        names = "".join(f"{address} {name}\n" for address, name in self.hosts.items())
        self.write("hosts", f"127.0.0.1 {self.host} localhost\n" + names)
        self.write("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
        self.launch(self.command("-bD", *self.queue_runs), "output", cwd=self.directory)
        wait_until(lambda: listens(self.port) or not self.running(), "Sendmail's greeting")
        if not self.running():
            raise RuntimeError("Sendmail did not start:\n" + self.read("output"))

    def command(self, *arguments):
        """Sendmail in namespaces of its own."""
        script = (
            f"hostname {self.host} && mount --bind hosts /etc/hosts && mount --bind nsswitch.conf /etc/nsswitch.conf"
            f" && exec {sendmail_files()}/usr/libexec/sendmail/sendmail -C sendmail.cf {' '.join(arguments)}"
        )
        return ["unshare", "--mount", "--uts", "sh", "-c", script]

    def filter(self):
        return f"INPUT_MAIL_FILTER(`postern', `S={self.milter}, F=T, T=C:5s;S:10s;R:10s;E:1m')dnl"

    def mailers(self):
        return TO_FILES.format(directory=self.directory)

    def settle(self, seconds=20):
        """Waits until everything accepted is delivered or held."""
        wait_until(lambda: not self.queued(), "Sendmail's queue to empty", seconds)

    def queued(self):
        """The messages still on their way: not the data files of those held."""
        names = {os.path.basename(path) for path in glob.glob(self.path("queue/[qd]f*"))}
        return names - {"df" + name for name in self.held()}

    def held(self):
        return [os.path.basename(path)[2:] for path in glob.glob(self.path("queue", "hf*"))]

    def mail(self):
        paths = sorted(glob.glob(self.path("mail/*/*")), key=os.path.getmtime)
        return [(os.path.basename(os.path.dirname(path)).lower(), path) for path in paths]


class RelayingSendmail(Sendmail):
    """A private Sendmail that passes all mail on to another server on loopback."""

    # Sendmail takes a server that greets it by its own name for a loop.
    host = "mail.example.com"
    queue_runs = ()

    def __init__(self, port):
        super().__init__(None)
        self.next_hop = port

    def filter(self):
        return "dnl"

    def mailers(self):
        return TO_ANOTHER.format(next_hop=self.next_hop)

    def run_queue(self):
        """Tries everything once that waits, and returns when all has been tried: without -v it would be at once.

        The exit status is that of the last attempt.
        """
        subprocess.run(
            self.command("-q", "-v"), cwd=self.directory, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=100,
        )

    def try_all(self):
        """Nothing is left to wait for: what arrives is tried before the client is answered."""


class OpenDKIM(Server):
    """opendkim as a milter that signs for a domain whoever the client is."""

    def __init__(self, key):
        super().__init__()
        self.key = key
        self.port = free_port()
        self.milter = f"inet:127.0.0.1:{self.port}"

    def start(self):
        with open(self.path("key"), "wb") as file:
            file.write(self.key.pem)
        os.chmod(self.path("key"), 0o600)
        self.write("hosts", "0.0.0.0/0\n::/0\n")
        self.write(
            "opendkim.conf",
            f"Mode s\nDomain {self.key.domain}\nSelector {self.key.selector}\nKeyFile {self.path('key')}\n"
            f"Socket inet:{self.port}@127.0.0.1\nInternalHosts {self.path('hosts')}\nUserID root\n"
            "SignatureAlgorithm rsa-sha256\nCanonicalization relaxed/simple\nSyslog no\nBackground no\n"
            "RequireSafeKeys no\n",
        )
        self.launch(["/usr/sbin/opendkim", "-f", "-x", self.path("opendkim.conf")], "output")
        wait_until(lambda: accepts(self.port) or not self.running(), "opendkim's socket")
        if not self.running():
            raise RuntimeError("opendkim did not start:\n" + self.read("output"))
