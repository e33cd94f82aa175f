"""Faults of MTAs, or of what claims to be one: hang-ups, floods, trickles and packets that are none."""

import contextlib
import os
import random
import resource
import socket
import struct
import time

import milter_client
from faults import HONEST, Failed, Filter, Skipped, honest, require, row, tell


@contextlib.contextmanager
def many_descriptors(count):
    """This process may open so many sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count:
        raise Skipped(f"at most {hard} descriptors may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def milter(postern, timeout=30):
    """A connection; where too many are waiting to be accepted, it comes again a moment later."""
    for _ in range(200):
        try:
            return milter_client.Milter(postern.unix, timeout)
        except BlockingIOError:
            time.sleep(0.05)
    raise Failed("the filter accepts no connection")


def connected(postern):
    """A bare connection."""
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(20)
    stream.connect(postern.path("milter.sock"))
    return stream


@row("hang-up at each of ten stages, 100 times each", "no descriptor and no memory stays behind")
def hang_ups():
    def stages(milter):
        yield milter.negotiate()
        yield milter.connect("client.example", HONEST)
        yield milter.helo("mail.bank.example")
        yield milter.mail("<a@bank.example>")
        yield milter.rcpt("<b@example.org>")
        yield milter.data()
        yield milter.header("From", "a@bank.example")
        yield milter.eoh()
        yield milter.body(b"Hello.\r\n")
        yield milter.send("E")

    with Filter() as postern:
        honest(postern, 20)
        before = postern.descriptors(), postern.memory()
        for last in range(10):
            for turn in range(100):
                with milter_client.Milter(postern.unix) as milter:
                    for at, _ in enumerate(stages(milter)):
                        if at == last:
                            break
                    if turn % 3 == 0:
                        milter.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        time.sleep(0.5)
        honest(postern)
        after = postern.descriptors(), postern.memory()
    require(after[0] <= before[0] + 2, f"descriptors {before[0]} before, {after[0]} after")
    require(after[1] - before[1] < 8192, f"{after[1] - before[1]} KiB more")
    return f"descriptors {before[0]} and {after[0]}, {after[1] - before[1]} KiB more"


@row("2,000 connections at once", "every one is answered")
def crowd():
    with many_descriptors(2500), Filter(replace={'mode = "0666"': 'mode = "0666"\nmax_connections = 2500'}) as postern:
        milters, slowest = [], 0.0
        try:
            for _ in range(2000):
                milters.append(milter(postern))
            for each in milters:
                began = time.monotonic()
                each.negotiate()
                slowest = max(slowest, time.monotonic() - began)
            memory = postern.memory()
            honest(postern)
        finally:
            for each in milters:
                each.close()
    return f"2,000 answered, the slowest after {slowest * 1000:.0f} ms, {memory // 1024} MiB"


@row("more connections than max_connections", "told to come back or closed, said in the log, served again afterwards")
def over_the_cap():
    with Filter(replace={'mode = "0666"': 'mode = "0666"\nmax_connections = 20'}) as postern:
        milters = [milter_client.Milter(postern.unix) for _ in range(20)]
        for milter in milters:
            milter.negotiate()
        refused = 0
        for _ in range(50):
            with milter_client.Milter(postern.unix) as milter:
                try:
                    milter.negotiate()
                    reply = milter.connect("client.example", HONEST)
                    refused += reply is not None and reply.command in "t4"
                except (EOFError, OSError):
                    refused += 1
        said = postern.logged("max_connections") + postern.logged("connections")
        for milter in milters:
            milter.close()
        time.sleep(0.3)
        honest(postern)
    require(refused == 50, f"{refused} of 50 refused")
    require(said >= 1, "nothing in the log")
    return f"50 of 50 refused, {said} lines in the log, served again"


@row("packets of length 0, of 4 GB, unknown, cut, out of order", "closed or ignored; no memory is set aside; others are served")
def broken_packets():
    packets = [
        b"\0\0\0\0", b"\xff\xff\xff\xffO", b"\0\0\0\1", b"\0\0\0\1\0", b"\0\0\0\1Z", b"\0\0\0\5O\0\0\0\6", b"\0\0\0\1E",
        b"\0\0\0\2M<", b"\0\0\0\1Q", b"\0\0\0\1A", b"\0\0\0\2L\0", b"\0\0\0\3C\0" + b"4", b"GET / HTTP/1.1\r\n\r\n", b"\r\n",
    ]
    with Filter() as postern:
        honest(postern)
        before = postern.memory()
        for packet in packets:
            with contextlib.closing(connected(postern)) as stream, contextlib.suppress(OSError):
                stream.sendall(packet)
                stream.settimeout(0.2)
                stream.recv(100)
            with milter_client.Milter(postern.unix) as milter, contextlib.suppress(OSError, EOFError):
                milter.negotiate()
                milter.send_raw(packet)
                milter.socket.settimeout(0.2)
                milter.read()
        claims = [connected(postern) for _ in range(200)]
        for stream in claims:
            stream.sendall(b"\0\x0f\xff\xffO")
        longest = honest(postern, 5)
        grown = postern.memory() - before
        for stream in claims:
            stream.close()
    require(grown < 16384, f"{grown} KiB more")
    return f"{len(packets)} forms and 200 claims of 1 MiB: {grown} KiB more, honest mail within {longest * 1000:.0f} ms"


def recorded(postern):
    """The octets of an ordinary session, packet by packet."""
    packets = []
    with milter_client.Milter(postern.unix) as milter:
        send = milter.send_raw
        milter.send_raw = lambda data: (packets.append(data), send(data))
        milter.negotiate()
        tell(milter, client=HONEST)
    return packets


@row("mutated milter streams", "no crash; honest mail is served meanwhile; the log stays printable")
def mutated_streams():
    generator = random.Random(11)
    with Filter() as postern:
        packets = recorded(postern)
        stop = time.monotonic() + 15
        count = 0
        while time.monotonic() < stop:
            count += 1
            stream = connected(postern)
            stream.settimeout(0.02)
            with contextlib.suppress(OSError):
                for packet in packets:
                    data = bytearray(packet)
                    if generator.random() < 0.25:
                        at = generator.randrange(len(data))
                        data[at:at + generator.randint(0, 3)] = generator.randbytes(generator.randint(0, 5))
                    stream.sendall(data)
                    if generator.random() < 0.02:
                        break
                stream.recv(4096)
            stream.close()
            if count % 100 == 0:
                honest(postern)
        require(postern.running(), "Postern ended:\n" + postern.read("log")[-2000:])
        honest(postern)
        odd = [line for line in postern.read("log").splitlines() if not line.isprintable()]
    require(not odd, f"the log has {odd[:1]}")
    return f"{count} streams"


def closed_after(streams, seconds, feed=None):
    """How many of the connections the filter closed within the time; `feed` is sent every half second."""
    open_streams = list(streams)
    stop = time.monotonic() + seconds
    while open_streams and time.monotonic() < stop:
        for stream in list(open_streams):
            stream.settimeout(0)
            try:
                if feed:
                    stream.send(feed)
                if stream.recv(4096) == b"":
                    open_streams.remove(stream)
            except BlockingIOError:
                pass
            except OSError:
                open_streams.remove(stream)
        time.sleep(0.5)
    return len(streams) - len(open_streams)


@row("a client that sends an octet now and then inside a packet", "closed when the packet's time is over", quick=False)
def trickle():
    with Filter() as postern:
        streams = [connected(postern) for _ in range(50)]
        for stream in streams:
            stream.sendall(b"\0\0\xff\xffO")
        longest = honest(postern, 5)
        closed = closed_after(streams, 400, feed=b"x")
        for stream in streams:
            stream.close()
    require(closed == 50, f"{closed} of 50 closed within 400 s")
    return f"50 of 50 closed; honest mail within {longest * 1000:.0f} ms"


@row("2,000 sessions that hold all they may, 256 MiB", "nothing is killed; what has no room is put off; honest mail is served", quick=False)
def hoarders():
    with many_descriptors(2500), memory_limit(256 << 20) as group, Filter(
        replace={'mode = "0666"': 'mode = "0666"\nmax_connections = 2500'}, limit=group
    ) as postern:
        milters, refused = [], 0
        field = "x" * 60000
        try:
            for _ in range(2000):
                one = milter(postern, 20)
                milters.append(one)
                try:
                    one.negotiate()
                    one.connect("client.example", HONEST)
                    one.helo("mail.bank.example")
                    one.mail("<a@bank.example>")
                    one.rcpt("<b@example.org>")
                    for _ in range(4):
                        reply = one.header("X-Long", field)
                        if reply is not None and reply.command not in "c":
                            refused += 1
                            break
                except (OSError, EOFError):
                    refused += 1
            require(postern.running(), "Postern was killed")
            memory = postern.memory()
        finally:
            for each in milters:
                each.close()
        time.sleep(1)
        honest(postern, 3)
        after = postern.memory()
    return f"{refused} of 2,000 put off or closed, {memory // 1024} MiB then, {after // 1024} MiB afterwards"


@contextlib.contextmanager
def memory_limit(octets):
    """A command prefix that starts a program in a memory group of its own."""
    for root, limit in (("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")):
        if not os.path.exists(os.path.join(root, "cgroup.procs")):
            continue
        group = os.path.join(root, f"postern-faults-{os.getpid()}")
        try:
            os.mkdir(group)
            with open(os.path.join(group, limit), "r+", encoding="ascii") as file:
                file.write(str(octets))
        except OSError:
            with contextlib.suppress(OSError):
                os.rmdir(group)
            continue
        try:
            yield ["/bin/sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh"]
        finally:
            time.sleep(0.5)
            with contextlib.suppress(OSError):
                os.rmdir(group)
        return
    raise Skipped("no memory control group can be made here")
