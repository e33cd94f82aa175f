"""Faults of the host and of the hand: signals, crashes, full disks, exhausted descriptors, broken files, a second start."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time

import daemon
import milter_client
import mta
from faults import HONEST, RULES, ZONE, Filter, Skipped, ask, honest, require, row
from name_server import NameServer, ZONE_ANSWER, silence
from numbered import NumberedMail


def sums(count):
    return f"{count.sent} sent, {count.accepted} accepted, {count.delivered} delivered, {count.stamped} stamped"


def require_nothing_lost(count):
    require(count.accepted > 0, sums(count))
    require(count.stamped == count.delivered and count.twice == 0, f"{sums(count)}, {count.twice} twice")


@contextlib.contextmanager
def behind_postfix(**options):
    with Filter(**options) as postern, mta.Postfix(postern.unix) as postfix:
        with NumberedMail(postfix) as numbered:
            yield postern, numbered
        require_nothing_lost(numbered.count())


@row("30 SIGHUP and five broken configurations under load", "nothing lost, nothing unstamped, the old configuration stays")
def reloads():
    with behind_postfix() as (postern, numbered):
        for number in range(30):
            if number % 6 == 5:
                postern.configure("[[rules]]\nname = broken\n")
            else:
                postern.configure(RULES)
            postern.reload()
            time.sleep(0.2)
        require(postern.running(), "Postern ended")
        require(postern.logged("postern.toml:") >= 5, "a broken file was not named in the log")
    return sums(numbered.count())


@row("an empty configuration at a reload", "refused; the old configuration stays in force")
def empty_configuration():
    with Filter() as postern:
        postern.write("postern.toml", "")
        told = postern.ask("reload")
        code = ask(postern).code
    require(told.returncode != 0, f"reload said {told.stdout}{told.stderr}")
    require(code == "550", f"a forged message: {code}")
    return (told.stdout + told.stderr).strip().splitlines()[-1][:100]


@row("SIGTERM under load, six times", "ends orderly each time; nothing lost, nothing unstamped")
def terminations():
    slowest = 0.0
    with behind_postfix() as (postern, numbered):
        for _ in range(6):
            time.sleep(1)
            began = time.monotonic()
            postern.stop_process()
            slowest = max(slowest, time.monotonic() - began)
            require(postern.process.returncode == 0, f"exit status {postern.process.returncode}")
            postern.start()
        time.sleep(0.5)
    return f"{sums(numbered.count())}; the slowest end {slowest:.2f} s"


@row("SIGTERM while 20 messages wait for the DNS", "all 20 are answered and judged, then the program ends")
def termination_while_waiting():
    with NameServer(ZONE, delay=1.0) as server, Filter(server) as postern:
        told = []

        def send(number):
            told.append(ask(postern, author=f"a@n{number}.bank.example", client=HONEST))

        threads = [threading.Thread(target=send, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        time.sleep(0.7)
        postern.process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join(30)
        status = postern.process.wait(30)
    stamped = sum(bool(each.results) for each in told)
    require(status == 0 and stamped == 20, f"exit status {status}, {stamped} of 20 stamped")
    return "20 of 20 stamped, exit status 0"


@row("SIGTERM with 50 stalled messages", "new ones are refused, and the program ends at drain_timeout")
def termination_with_stalled():
    with Filter(rules='[limits]\ndrain_timeout = "2s"\n' + RULES) as postern:
        milters = [milter_client.Milter(postern.unix) for _ in range(50)]
        for milter in milters:
            milter.negotiate()
            milter.connect("client.example", HONEST)
            milter.mail("<a@bank.example>")
        began = time.monotonic()
        postern.process.send_signal(signal.SIGTERM)
        status = postern.process.wait(30)
        took = time.monotonic() - began
        for milter in milters:
            milter.close()
    require(status == 0 and 1.5 < took < 10, f"exit status {status} after {took:.1f} s")
    return f"exit status 0 after {took:.1f} s"


def killed(times):
    with behind_postfix() as (postern, numbered):
        for _ in range(times):
            time.sleep(0.7)
            postern.process.kill()
            postern.process.wait()
            with contextlib.suppress(FileNotFoundError):
                os.remove(postern.path("notify"))
            postern.start()
        time.sleep(0.5)
    return f"{times} kills: {sums(numbered.count())}"


@row("kill -9 under load, five times", "nothing lost, nothing twice, nothing unstamped; the rest is put off")
def few_kills():
    return killed(5)


@row("kill -9 under load, 60 times", "nothing lost, nothing twice, nothing unstamped; the rest is put off", quick=False)
def many_kills():
    return killed(60)


@row("a second start", "refused with the reason; the first one keeps all its sockets")
def second_start():
    with Filter() as postern:
        second = subprocess.run(
            [daemon.executable(), "serve", "--config", postern.configuration],
            capture_output=True, text=True, timeout=30, check=False,
        )
        honest(postern)
        status = postern.ask("status")
    require(second.returncode != 0 and "another postern answers" in second.stderr, second.stderr)
    require(status.returncode == 0, status.stderr)
    return second.stderr.strip().splitlines()[-1][-100:]


@row("a socket's path: stale, a file, a directory, missing directory, too long", "replaced; refused and untouched by name")
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
            if kind == "file":
                require(postern.read("milter.sock") == "precious", "the file was changed")
            if started:
                honest(postern)
        seen.append(kind)
    return ", ".join(seen)


@row("descriptors run out", "no core spins, it is said, lookups and metrics go on, and it recovers")
def descriptors():
    with Filter(
        replace={'mode = "0666"': 'mode = "0666"\nmax_connections = 1000'}, limit=["prlimit", "--nofile=96:96"]
    ) as postern:
        held = []
        for _ in range(150):
            stream = socket.socket(socket.AF_UNIX)
            stream.settimeout(5)
            with contextlib.suppress(OSError):
                stream.connect(postern.path("milter.sock"))
                held.append(stream)
        time.sleep(1)
        before = postern.processor_time()
        time.sleep(3)
        used = postern.processor_time() - before
        status = postern.ask("status")
        said = postern.logged("descriptor")
        for stream in held:
            stream.close()
        time.sleep(2)
        honest(postern, 10)
    require(used < 0.6, f"{used:.2f} s of CPU in 3 s")
    require(said >= 1, "nothing in the log")
    require(status.returncode == 0, "status: " + status.stderr)
    return f"{used:.2f} s of CPU in 3 s, {said} lines in the log, status answers, 10 of 10 judged afterwards"


@row("the system log gone, blocked, back", "mail does not wait for it; lost lines are counted")
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
        listener.close()
        os.remove(log)
        gone = honest(postern, 100)
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
    require(max(blocked, gone) < 2, f"{blocked:.2f} s blocked, {gone:.2f} s gone")
    require(heard, "no line after the log came back")
    return f"slowest message {blocked * 1000:.0f} ms while blocked, {gone * 1000:.0f} ms while gone; heard again"


@row("standard error is a full pipe", "mail does not wait for it")
def full_pipe():
    read_end, write_end = os.pipe()
    postern = Filter()
    with contextlib.ExitStack() as stack:
        stack.callback(postern.stop)
        stack.callback(os.close, read_end)
        notices = stack.enter_context(contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)))
        notices.bind(postern.path("notify"))
        postern.process = subprocess.Popen(
            [daemon.executable(), "serve", "--config", postern.configuration], stderr=write_end, stdout=write_end,
            stdin=subprocess.DEVNULL, start_new_session=True, env={**os.environ, "NOTIFY_SOCKET": postern.path("notify")},
        )
        os.close(write_end)
        mta.wait_until(lambda: os.path.exists(postern.path("milter.sock")), "the socket")
        time.sleep(0.5)
        slowest = honest(postern, 600)
    require(slowest < 2, f"{slowest:.2f} s")
    return f"slowest of 600 messages {slowest * 1000:.0f} ms"


@row("SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM", "the program goes on")
def signals():
    with Filter() as postern:
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE):
            postern.process.send_signal(number)
            time.sleep(0.1)
        require(postern.running(), f"ended with {postern.process.returncode}")
        honest(postern)
    return "served after each"


@row("32 slow connections to the admin port", "health and metrics answer others; mail is not touched")
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
    require(took < 3, f"{took:.1f} s")
    return f"/healthz answered after {took * 1000:.0f} ms"


@row("the disk is full where the cache is kept", "said in words; the program ends orderly; no half file")
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
    require("Error(" not in log and "NSCocoa" not in log, log[-300:])
    require(all(name in ("ballast", "cache") for name in files), str(files))
    return log.strip().splitlines()[-1][-120:]


@row("an idle outage at the start", "the program is ready without the DNS, and says so")
def start_without_dns():
    with NameServer(ZONE, script=silence) as server, Filter(server) as postern:
        require(postern.running(), postern.read("log"))
        server.script = lambda query: ZONE_ANSWER
        honest(postern)
    return "ready, and judged as soon as the server answered"
