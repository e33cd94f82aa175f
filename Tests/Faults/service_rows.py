"""Faults of the host and of the hand: signals, crashes, full disks, exhausted descriptors, broken files, a second start."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
import time
import unittest

import daemon
import mail
import milter_client
import mta
from faults import HONEST, RULES, ZONE, Filter, Skipped, ask, honest, require, row, scaled, tell
from name_server import NameServer, ZONE_ANSWER, silence
from numbered import NumberedMail


SIGNING = """\
[[signing]]
domain = "bank.example"
keys = [{ selector = "s", file = "@DIRECTORY@/keys/s.pem" }]
"""


def sums(count):
    return f"{count.sent} sent, {count.accepted} accepted, {count.delivered} delivered, {count.stamped} stamped"


def require_nothing_lost(count, unstamped=False):
    """All that was accepted is delivered, once, and nothing is refused for good; `unstamped` mail may be among it."""
    require(count.accepted > 0, sums(count))
    require(count.twice == 0 and count.refused == 0, f"{sums(count)}, {count.twice} twice, {count.refused} refused")
    require(unstamped or count.stamped == count.delivered, sums(count))


@contextlib.contextmanager
def behind_postfix(unstamped=False, **settings):
    with Filter() as postern, mta.Postfix(postern.unix, **settings) as postfix:
        with NumberedMail(postfix) as numbered:
            yield postern, numbered
        require_nothing_lost(numbered.count(), unstamped)


@row(
    "SIGHUP under load, every sixth with a broken configuration",
    "nothing lost, nothing unstamped; a broken file is named in the log", quick=False,
)
def reloads():
    count = 100
    with behind_postfix() as (postern, numbered):
        for number in range(count):
            if number % 6 == 5:
                postern.configure("[[rules]]\nname = broken\n")
            else:
                postern.configure(RULES)
            before = said(postern)
            postern.reload()
            mta.wait_until(lambda before=before: said(postern) > before, "a word about the reload")
            time.sleep(0.1)
        require(postern.running(), "Postern ended")
        named = postern.logged("postern.toml:")
        require(named == count // 6, f"{named} lines name the broken file")
    return f"{count} signals, {named} broken: {sums(numbered.count())}"


def said(postern):
    """How often the log told of a reload, good or bad."""
    return postern.logged("configuration reloaded") + postern.logged("configuration not reloaded")


@row("an empty configuration at a reload", "refused; the old configuration stays in force")
def empty_configuration():
    with Filter() as postern:
        postern.write("postern.toml", "")
        told = postern.ask("reload")
        code = ask(postern).code
    require(told.returncode != 0, f"reload said {told.stdout}{told.stderr}")
    require(code == "550", f"a forged message: {code}")
    return (told.stdout + told.stderr).strip().splitlines()[-1][:100]


@row("SIGTERM under load, six times", "exit status 0 each time; nothing lost, nothing unstamped", quick=False)
def terminations():
    slowest = 0.0
    with behind_postfix() as (postern, numbered):
        for _ in range(6):
            time.sleep(0.7)
            began = time.monotonic()
            postern.stop_process()
            slowest = max(slowest, time.monotonic() - began)
            require(postern.process.returncode == 0, f"exit status {postern.process.returncode}")
            postern.start()
        time.sleep(0.5)
    return f"{sums(numbered.count())}; the slowest end {slowest:.2f} s"


@row("SIGTERM while 20 messages wait for the DNS", "all 20 are answered and judged, then the program ends")
def termination_while_waiting():
    with NameServer(ZONE, delay=scaled(0.5, 1.0)) as server, Filter(server) as postern:
        told = []

        def send(number):
            told.append(ask(postern, author=f"a@n{number}.bank.example", client=HONEST))

        threads = [threading.Thread(target=send, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        mta.wait_until(lambda: len(server.asked) >= 20, "lookups")
        postern.process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join(30)
        status = postern.process.wait(30)
    stamped = sum(bool(each.results) for each in told)
    require(status == 0 and stamped == 20, f"exit status {status}, {stamped} of 20 stamped")
    return "20 of 20 stamped, exit status 0"


@row("SIGTERM with 50 stalled messages", "new connections are refused, and the program ends at drain_timeout, 2 s")
def termination_with_stalled():
    with Filter(rules='[limits]\ndrain_timeout = "2s"\n' + RULES) as postern:
        milters = [milter_client.Milter(postern.unix) for _ in range(50)]
        for milter in milters:
            milter.negotiate()
            milter.connect("client.example", HONEST)
            milter.mail("<a@bank.example>")
        began = time.monotonic()
        postern.process.send_signal(signal.SIGTERM)
        mta.wait_until(lambda: is_refused(postern), "the end of accepting")
        require(postern.running(), "ended before its messages")
        status = postern.process.wait(30)
        took = time.monotonic() - began
        for milter in milters:
            milter.close()
    require(status == 0 and took > 1.9, f"exit status {status} after {took:.1f} s")
    return f"exit status 0 after {took:.1f} s"


def is_refused(postern):
    """Whether a new connection is not served."""
    try:
        with milter_client.Milter(postern.unix, 5) as milter:
            milter.negotiate()
            reply = milter.connect("client.example", HONEST)
            return reply is not None and reply.command in "t4"
    except (OSError, EOFError):
        return True


def kill(postern, times):
    """Kills the program and starts it again, so many times."""
    for _ in range(times):
        time.sleep(0.6)
        postern.process.kill()
        postern.process.wait()
        with contextlib.suppress(FileNotFoundError):
            os.remove(postern.path("notify"))
        postern.start()
    time.sleep(0.5)


def killed(times, **options):
    with behind_postfix(**options) as (postern, numbered):
        kill(postern, times)
    return f"{times} kills: {sums(numbered.count())}"


@row(
    "SIGHUP, SIGTERM and kill -9 in turn under load",
    "nothing lost, nothing twice, nothing unstamped; the rest is put off",
)
def restarts():
    with behind_postfix() as (postern, numbered):
        for _ in range(2):
            time.sleep(0.4)
            postern.reload()
            time.sleep(0.2)
            postern.stop_process()
            require(postern.process.returncode == 0, f"exit status {postern.process.returncode}")
            postern.start()
            kill(postern, 1)
    return sums(numbered.count())


@row("kill -9 under load, 60 times", "nothing lost, nothing twice, nothing unstamped; the rest is put off", quick=False)
def many_kills():
    return killed(60)


@row(
    "kill -9 under load, milter_default_action = accept",
    "nothing lost, nothing twice; Postfix lets mail by unstamped", quick=False,
)
def kills_that_accept():
    return killed(8, unstamped=True, milter_default_action="accept")


@row(
    "kill -9 under load behind Sendmail",
    "nothing lost, nothing twice, nothing unstamped; the rest is put off", quick=False,
)
def kills_behind_sendmail():
    try:
        mta.sendmail_files()
    except unittest.SkipTest as reason:
        raise Skipped(str(reason)) from None
    zone = ZONE.replace("ip4:192.0.2.10", "ip4:127.0.0.10")
    with Filter(zone=zone) as postern, mta.Sendmail(postern.unix, {"127.0.0.10": "mail.bank.example"}) as sendmail:
        with NumberedMail(sendmail, client="127.0.0.10") as numbered:
            kill(postern, 5)
        require_nothing_lost(numbered.count())
    return f"5 kills: {sums(numbered.count())}"


@row("a second start", "refused with the reason; the first one keeps all its sockets")
def second_start():
    with Filter() as postern:
        second = subprocess.run(
            [daemon.executable(), "serve", "--config", postern.configuration],
            capture_output=True, text=True, timeout=30, check=False,
        )
        honest(postern)
        with milter_client.Milter(postern.inet.removeprefix("inet:127.0.0.1:").join(("inet:", "@127.0.0.1"))) as milter:
            milter.negotiate()
        status = postern.ask("status")
    require(second.returncode != 0 and "another postern answers" in second.stderr, second.stderr)
    require(status.returncode == 0, status.stderr)
    return second.stderr.strip().splitlines()[-1][-100:]


@row(
    "a socket's path: stale, a file, a directory, missing directory, too long",
    "the stale one is replaced; the others are refused with the path's name, and file and directory stay",
)
def socket_paths():
    with Filter() as postern:
        pass
    seen = []
    for kind in ("stale", "file", "directory", "missing", "long"):
        postern = Filter()
        with contextlib.ExitStack() as stack:
            stack.callback(postern.stop)
            path = postern.path("milter.sock")
            if kind == "stale":
                stale = socket.socket(socket.AF_UNIX)
                stale.bind(path)
                stale.close()
            elif kind == "file":
                postern.write("milter.sock", "precious")
            elif kind == "directory":
                os.mkdir(path)
            elif kind == "missing":
                postern.replace = {path: postern.path("none", "milter.sock")}
            else:
                postern.replace = {path: postern.path("x" * 120)}
            postern.configure(RULES)
            try:
                postern.start()
                started = True
            except RuntimeError:
                started = False
            require(started == (kind == "stale"), f"{kind}: {'started' if started else postern.read('log')}")
            require(started or postern.directory in postern.read("log"), f"{kind}: {postern.read('log')}")
            if kind == "directory":
                require(os.path.isdir(path), "the directory is gone")
            if kind == "file":
                require(postern.read("milter.sock") == "precious", "the file was changed")
            if started:
                honest(postern)
        seen.append(kind)
    return ", ".join(seen)


@row(
    "descriptors run out",
    "no core spins, it is said once in a minute, open sessions are judged, status answers, and it recovers",
)
def descriptors():
    with NameServer(ZONE) as server, Filter(
        server, replace={'mode = "0666"': 'mode = "0666"\nmax_connections = 1000'}, limit=["prlimit", "--nofile=96:96"]
    ) as postern, milter_client.Milter(postern.unix, 40) as early:
        early.negotiate()
        honest(postern)
        held = []
        for _ in range(150):
            stream = socket.socket(socket.AF_UNIX)
            stream.settimeout(5)
            with contextlib.suppress(OSError):
                stream.connect(postern.path("milter.sock"))
                held.append(stream)
        time.sleep(1)
        before = postern.processor_time()
        time.sleep(2)
        used = postern.processor_time() - before
        code = tell(early, author="a@fresh.bank.example", client=HONEST).code
        asked = [query.name for query in server.asked]
        status = postern.ask("status")
        told = [postern.logged(text) for text in ("no file descriptor is left", "too many connections")]
        for stream in held:
            stream.close()
        mta.wait_until(lambda: "connections     1 open" in postern.ask("status").stdout, "the connections' end")
        honest(postern, 10)
    require(used < 0.4, f"{used:.2f} s of CPU in 2 s")
    require(sum(told) >= 1 and max(told) == 1, f"{told} lines in the log")
    require(status.returncode == 0, "status: " + status.stderr)
    require(code == "550" and "fresh.bank.example" in asked, f"a message of an open session: {code}")
    return f"{used:.2f} s of CPU in 2 s, {sum(told)} lines in the log, status answers, 10 of 10 judged afterwards"


@row("the system log gone, blocked, back", "mail does not wait for it; lost lines are counted; it is written to again")
def system_log():
    with contextlib.ExitStack() as stack:
        postern = Filter()
        stack.callback(postern.stop)
        log = postern.path("syslog.sock")
        postern.replace = {'destination = "stderr"': f'destination = "syslog"\nsocket = "{log}"'}
        postern.configure(RULES)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(log)
        postern.start()
        blocked = honest(postern, 100)
        kept = waiting(listener)
        listener.close()
        os.remove(log)
        lost = lines_lost(postern)
        gone = honest(postern, 100)
        lost_later, elsewhere = lines_lost(postern) - lost, postern.logged("action=")
        back = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        back.bind(log)
        back.settimeout(5)
        heard = False
        for _ in range(20):
            honest(postern)
            with contextlib.suppress(TimeoutError):
                back.settimeout(0.3)
                heard = b"action=" in back.recv(65536) or heard
        back.close()
    seen = f"{kept} kept and {lost} lost while blocked, {lost_later} lost and {elsewhere} on standard error while gone"
    require(kept + lost == 100 and lost_later + elsewhere == 100, seen)
    require(heard, "no line after the log came back")
    return f"slowest message {blocked * 1000:.0f} ms while blocked, {gone * 1000:.0f} ms while gone; {seen}; heard again"


def waiting(listener):
    """How many messages' lines wait in a socket."""
    count = 0
    listener.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            count += b"action=" in listener.recv(65536)
    return count


def lines_lost(postern):
    """How many lines of the log are counted as lost."""
    found = re.search(r"^log +(\d+) lines lost", postern.ask("status").stdout, re.M)
    return int(found[1]) if found else 0


@row("standard error is a full pipe, a full disk, closed", "mail does not wait for it; lost lines are counted", quick=False)
def no_standard_error():
    seen = []
    for kind in ("a full pipe", "a full disk", "closed"):
        postern = Filter()
        with contextlib.ExitStack() as stack:
            stack.callback(postern.stop)
            output = stack.enter_context(open(os.devnull if kind == "closed" else "/dev/full", "wb"))
            if kind == "a full pipe":
                read_end, write_end = os.pipe()
                stack.callback(os.close, read_end)
                output = stack.enter_context(os.fdopen(write_end, "wb"))
            command = [daemon.executable(), "serve", "--config", postern.configuration]
            postern.process = subprocess.Popen(
                ["/bin/sh", "-c", 'exec "$@" 2>&-', "sh", *command] if kind == "closed" else command,
                stderr=output, stdout=output, stdin=subprocess.DEVNULL, start_new_session=True,
            )
            mta.wait_until(lambda: os.path.exists(postern.path("control.sock")), "the socket")
            mta.wait_until(lambda: postern.ask("status").returncode == 0, "an answer")
            slowest = honest(postern, 400 if kind == "a full pipe" else 50)
            lost = lines_lost(postern)
        require(lost > 0, f"{kind}: no line counted as lost")
        seen.append(f"{kind}: slowest message {slowest * 1000:.0f} ms, {lost} lines lost")
    return "; ".join(seen)


@row("SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM", "the program goes on")
def signals():
    with Filter() as postern:
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE, signal.SIGALRM):
            postern.process.send_signal(number)
            time.sleep(0.1)
            require(postern.running(), f"ended by {number.name}")
            honest(postern)
    return "served after each"


@row(
    "32 slow connections to the admin port",
    "/healthz answers others before the slow ones' ten seconds are over; mail is judged",
)
def slow_admin():
    with contextlib.ExitStack() as stack:
        port = mta.free_port()
        postern = Filter(replace={"[admin]": f'[admin]\nlisten = "127.0.0.1:{port}"'})
        stack.enter_context(postern)
        slow = []
        for _ in range(40):
            stream = socket.create_connection(("127.0.0.1", port), 5)
            with contextlib.suppress(OSError):
                stream.sendall(b"GET /metrics HTTP/1.1\r\n")
            slow.append(stream)
        time.sleep(0.3)
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", port), 10) as stream:
            stream.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            stream.settimeout(10)
            answer = stream.recv(4096)
        took = time.monotonic() - began
        honest(postern)
        for stream in slow:
            stream.close()
    require(b" 200 " in answer.partition(b"\r\n")[0], repr(answer[:60]))
    require(took < 9, f"{took:.1f} s")
    return f"/healthz answered after {took * 1000:.0f} ms"


@row("the disk is full where the cache is kept", "said in words; exit status 0; no half file")
def full_disk():
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(NameServer(ZONE))
        postern = Filter(server)
        stack.callback(postern.stop)
        folder = postern.path("small")
        os.mkdir(folder)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False)
        if mounted.returncode:
            raise Skipped("no file system can be mounted here")
        stack.callback(subprocess.run, ["umount", "-l", folder], check=False)
        postern.more_dns = f'[dns.cache]\nsnapshot = "{folder}/cache"'
        postern.configure(RULES)
        postern.start()
        honest(postern)
        with contextlib.suppress(OSError), open(os.path.join(folder, "ballast"), "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        postern.stop_process()
        status, log, files = postern.process.returncode, postern.read("log"), os.listdir(folder)
    require(status == 0, f"exit status {status}")
    require("No space left on device" in log and "Error(" not in log, log[-300:])
    require(all(name in ("ballast", "cache") for name in files), str(files))
    return next(line for line in log.splitlines() if "No space" in line)[-160:]


@row("a cache snapshot that another user may write, or owns", "not believed: everything is asked anew")
def foreign_snapshot():
    with NameServer(ZONE) as server:
        postern = Filter(server)
        with contextlib.ExitStack() as stack:
            stack.callback(postern.stop)
            path = postern.path("cache")
            postern.more_dns = f'[dns.cache]\nsnapshot = "{path}"'
            postern.configure(RULES)
            taken = {}
            for kind, mode, owner in (("its own", 0o640, 0), ("of mode 0666", 0o666, 0), ("of another user", 0o640, 65534)):
                # A run that fills the cache, and one that finds it changed.
                restart(postern)
                honest(postern)
                postern.stop_process()
                os.chmod(path, mode)
                os.chown(path, owner, -1)
                restart(postern)
                before = len(server.asked)
                honest(postern)
                taken[kind] = len([query for query in server.asked[before:] if query.name == "bank.example"]) == 0
                postern.stop_process()
                os.remove(path)
    require(taken == {"its own": True, "of mode 0666": False, "of another user": False}, str(taken))
    return "its own is taken over, neither of the others"


def restart(postern):
    """Starts the program with an empty log."""
    postern.write("log", "")
    postern.start()


@row(
    "a private key missing, readable by others, of another user, garbage, a pipe, without end",
    "refused with exit status 78, file and reason", quick=False,
)
def key_files():
    seen = []
    for kind in ("missing", "mode 0644", "of another user", "in a directory of mode 0777", "garbage", "a pipe", "without end"):
        postern = Filter(rules=SIGNING)
        with contextlib.ExitStack() as stack:
            stack.callback(postern.stop)
            os.mkdir(postern.path("keys"), 0o700)
            path = postern.path("keys", "s.pem")
            if kind == "a pipe":
                os.mkfifo(path, 0o600)
            elif kind == "without end":
                os.symlink("/dev/zero", path)
            elif kind != "missing":
                text = "garbage" if kind == "garbage" else mail.key("bank.example").pem.decode()
                postern.write("keys/s.pem", text, 0o644 if kind == "mode 0644" else 0o600)
            if kind == "of another user":
                os.chown(path, 65534, -1)
            if kind.startswith("in a directory"):
                os.chmod(postern.path("keys"), 0o777)
            postern.configure(SIGNING)
            started = subprocess.run(
                [daemon.executable(), "serve", "--config", postern.configuration],
                capture_output=True, text=True, timeout=30, check=False,
            )
        require(started.returncode == 78, f"{kind}: exit status {started.returncode} {started.stderr}")
        require(re.search(r"postern\.toml:\d+", started.stderr), f"{kind}: {started.stderr}")
        seen.append(kind)
    return f"{len(seen)} of {len(seen)}"


@row(
    "no answer of the DNS at the start",
    "ready; what a rule must know is put off, it is said once, and mail is judged when answers come", quick=False,
)
def start_without_dns():
    with NameServer(ZONE, script=silence) as server, Filter(server) as postern:
        code = ask(postern).code
        mta.wait_until(lambda: postern.logged("DNS is not answering"), "a word in the log", 30)
        server.script = lambda query: ZONE_ANSWER
        mta.wait_until(lambda: ask(postern).code == "550", "a judgement", 30)
        honest(postern)
        told = postern.logged("DNS is not answering"), postern.logged("DNS is answering again")
    require(code == "451", f"a forged message without the DNS: {code}")
    require(told == (1, 1), f"{told[0]} and {told[1]} lines in the log")
    return "451 without the DNS, 550 with it; one line for each"
