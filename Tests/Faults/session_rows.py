"""Faults of MTAs, or of what claims to be one: hang-ups, floods, trickles and packets that are none."""

import collections
import contextlib
import os
import random
import re
import resource
import socket
import struct
import time

import milter_client
import mta
from faults import HONEST, ZONE, Failed, Filter, Skipped, honest, require, row, scaled, tell
from name_server import ZONE_ANSWER, NameServer


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


@row("hang-up at each of ten stages, many times", "no descriptor and less than 8 MiB of memory stays behind")
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

    count = scaled(30, 500)
    with Filter() as postern:
        honest(postern, 20)
        before = postern.descriptors(), postern.memory()
        for last in range(10):
            for turn in range(count):
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
    return f"{count} times each: descriptors {before[0]} and {after[0]}, {after[1] - before[1]} KiB more"


@row("300 hang-ups while lookups are pending", "no lookup, no descriptor stays behind; honest mail is judged")
def hang_ups_during_lookups():
    def script(query):
        return None if query.name.endswith("silent.example") else ZONE_ANSWER

    with many_descriptors(1000), NameServer(ZONE, script=script) as server, Filter(server, dns='timeout = "3s"') as postern:
        honest(postern)
        before = postern.descriptors()
        milters = []
        for number in range(300):
            milters.append(one := milter(postern))
            one.negotiate()
            one.connect("client.example", "203.0.113.9")
            one.send("H", b"mail.silent.example\0")
            one.send("M", b"<a@n%d.silent.example>\0" % number)
        mta.wait_until(lambda: len(server.asked) > 8, "lookups")
        for one in milters:
            one.close()
        mta.wait_until(lambda: in_flight(postern) == 0, "the lookups' end")
        mta.wait_until(lambda: postern.descriptors() <= before + 2, "the connections' end")
        honest(postern)
    return f"nothing in flight, {before} descriptors as before, {len(server.asked)} queries"


def in_flight(postern):
    """How many lookups are on their way."""
    return int(re.search(r"^DNS .*, (\d+) open$", postern.ask("status").stdout, re.M)[1])


@row("2,000 connections at once", "every one is answered", quick=False)
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


@row("more connections than max_connections", "told to come back or closed, said once in the log, served again afterwards")
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
        said = postern.logged("too many connections")
        for milter in milters:
            milter.close()
        mta.wait_until(lambda: "connections     0 open" in postern.ask("status").stdout, "the connections' end")
        honest(postern)
    require(refused == 50, f"{refused} of 50 refused")
    require(said == 1, f"{said} lines in the log")
    return "50 of 50 refused, one line in the log, served again"


@row(
    "packets of length 0, of 4 GB, unknown, cut, out of order",
    "closed or ignored; less than 16 MiB is set aside; others are served",
)
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
        stop = time.monotonic() + scaled(3, 30)
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


@row(
    "clients that say nothing, stop inside a packet, or send an octet of it now and then",
    "all are closed within six minutes; one that is idle inside a message is kept; honest mail is served", quick=False,
)
def trickle():
    kinds = {"silent": b"", "stalled": b"\0\0\xff\xffO", "trickling": b"\0\0\xff\xffO"}
    closed, longest = {}, 0.0
    with Filter() as postern:
        kept = milter(postern)
        kept.negotiate()
        kept.connect("client.example", HONEST)
        kept.mail("<a@bank.example>")
        streams = {kind: [connected(postern) for _ in range(50)] for kind in kinds}
        for kind, begun in kinds.items():
            for stream in streams[kind]:
                stream.sendall(begun)
                stream.settimeout(0)
        stop = time.monotonic() + 360
        while time.monotonic() < stop and any(streams.values()):
            for kind, left in streams.items():
                streams[kind] = [stream for stream in left if is_open(stream, b"x" if kind == "trickling" else b"")]
                if not streams[kind]:
                    closed.setdefault(kind, 360 - (stop - time.monotonic()))
            longest = max(longest, honest(postern))
            time.sleep(1)
        kept.rcpt("<b@example.org>")
        kept.close()
    require(len(closed) == len(kinds), f"left: {({kind: len(left) for kind, left in streams.items()})}")
    ends = ", ".join(f"{kind} after {seconds:.0f} s" for kind, seconds in closed.items())
    return f"50 of 50 each, {ends}; honest mail within {longest * 1000:.0f} ms"


def is_open(stream, octets):
    """Sends these, and tells whether the other side has not hung up."""
    try:
        if octets:
            stream.send(octets)
        if stream.recv(4096):
            return True
    except BlockingIOError:
        return True
    except OSError:
        pass
    stream.close()
    return False


@row(
    "2,000 sessions that hold all they may, in a memory group of 256 MiB",
    "nothing is killed; what has no room is put off, which is said once; honest mail is judged meanwhile", quick=False,
)
def hoarders():
    with many_descriptors(2500), memory_limit(256 << 20) as group, Filter(
        replace={'mode = "0666"': 'mode = "0666"\nmax_connections = 2500'}, limit=group
    ) as postern:
        replies, most = collections.Counter(), 0
        with contextlib.ExitStack() as stack:
            milters = []
            for number in range(2000):
                milters.append(stack.enter_context(milter(postern, 60)))
                hoard(milters[-1])
                if number % 100 == 99:
                    most = max(most, postern.memory())
                    require(postern.running(), f"Postern was killed at {number} sessions, {most // 1024} MiB")
                    honest(postern)
            for one in milters[-200:]:
                replies[finish(one)] += 1
            told = postern.logged("no memory left for")
        mta.wait_until(lambda: "connections     0 open" in postern.ask("status").stdout, "the connections' end", 60)
        honest(postern, 20)
        after = postern.memory()
    seen = (
        f"{dict(replies)} to the last 200, {told} lines in the log, "
        f"{most // 1024} MiB at most, {after // 1024} MiB afterwards"
    )
    require(replies["452"] > 100 and told == 1, seen)
    return seen


def hoard(one):
    """Begins a message with 900 kB of header, and leaves it there."""
    one.negotiate()
    one.connect("client.example", HONEST)
    one.helo("mail.bank.example")
    one.mail("<a@bank.example>")
    one.rcpt("<b@example.org>")
    one.data()
    with contextlib.suppress(OSError):
        for _ in range(15):
            one.header("X-Long", "x" * 60000)


def finish(one):
    """What the filter says to the message in the end."""
    try:
        one.header("From", "a@bank.example")
        one.eoh()
        reply = one.eom().reply
        return reply.text[:3] if reply.command == "y" else reply.command
    except (OSError, EOFError):
        return "closed"


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
