"""A name server that does what it is told, over UDP and TCP on one port of loopback.

    with NameServer(ZONE, silent=["evil.example"]) as server:
        server.address                                  # "127.0.0.1:PORT", for dns.servers
        server.script = lambda query: query.reply(code=SERVFAIL) if query.name == "bad.example" else ZONE_ANSWER
        server.asked                                    # every query so far: .name .kind .over .edns .time

A script says what is done about each query: octets to send, `None` for silence, `Later(seconds, octets)`, `Raw(octets)` on
the TCP stream without a length, `CLOSE`, a list of these, or ZONE_ANSWER for what the zone has to say. A zone is the text of
a master file with one record in a line and full names: `name. TTL IN TYPE data`.
"""

import collections
import contextlib
import heapq
import ipaddress
import multiprocessing
import select
import shlex
import socket
import struct
import threading
import time

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, OPT = 1, 2, 5, 6, 12, 15, 16, 28, 41
KINDS = {"A": A, "NS": NS, "CNAME": CNAME, "SOA": SOA, "PTR": PTR, "MX": MX, "TXT": TXT, "AAAA": AAAA}
NAMES = {number: name for name, number in KINDS.items()}
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)

ZONE_ANSWER = object()
CLOSE = object()
Later = collections.namedtuple("Later", "seconds octets")
Raw = collections.namedtuple("Raw", "octets")


def wire_name(text):
    """A name in wire form, without compression."""
    labels = [label for label in text.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode("latin-1") for label in labels) + b"\0"


def strings(text):
    """TXT data: character-strings of up to 255 octets (RFC 1035 § 3.3.14)."""
    octets = text if isinstance(text, bytes) else text.encode("latin-1")
    pieces = [octets[at:at + 255] for at in range(0, len(octets), 255)] or [b""]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces)


def record_data(kind, value):
    """The data of a record; `value` as a master file has it, or octets that are taken as they are."""
    if isinstance(value, bytes):
        return value
    if kind in (A, AAAA):
        return ipaddress.ip_address(value).packed
    if kind in (NS, CNAME, PTR):
        return wire_name(value)
    if kind == MX:
        preference, name = value.split()
        return struct.pack(">H", int(preference)) + wire_name(name)
    if kind == SOA:
        server, contact, *numbers = value.split()
        return wire_name(server) + wire_name(contact) + struct.pack(">5I", *map(int, numbers))
    return strings(value)


class Record(collections.namedtuple("Record", "name kind value ttl", defaults=(300,))):
    """A resource record: Record("example.com", TXT, "v=spf1 -all")."""

    def encode(self):
        data = record_data(self.kind, self.value)
        return wire_name(self.name) + struct.pack(">HHIH", self.kind, 1, self.ttl, len(data)) + data


class Query:
    """A question as it came; `name` is in lower case and without the last dot, `over` is "udp" or "tcp"."""

    # The address that it came from, over UDP.
    peer = None

    def __init__(self, octets, over):
        self.octets, self.over, self.time = octets, over, time.monotonic()
        self.identifier, self.flags, _, _, _, additional = struct.unpack(">6H", octets[:12])
        labels, at = [], 12
        while octets[at]:
            labels.append(octets[at + 1:at + 1 + octets[at]])
            at += 1 + octets[at]
        self.question = octets[12:at + 5]
        self.number = struct.unpack(">H", octets[at + 1:at + 3])[0]
        self.name = b".".join(labels).decode("latin-1").lower()
        self.kind = NAMES.get(self.number, str(self.number))
        self.edns = additional > 0

    def __repr__(self):
        return f"{self.name or '.'} {self.kind} over {self.over}{' with EDNS' if self.edns else ''}"

    def reply(self, *answers, code=NOERROR, authority=(), additional=(), authoritative=False, truncated=False, question=None):
        """A reply with this question and these records."""
        flags = 0x8180 | (0x0400 if authoritative else 0) | (0x0200 if truncated else 0) | code
        question = self.question if question is None else question
        counts = (1 if question else 0, len(answers), len(authority), len(additional))
        records = b"".join(record.encode() for record in (*answers, *authority, *additional))
        return struct.pack(">6H", self.identifier, flags, *counts) + question + records


class Zone:
    """What a master file says, for everything below the root."""

    SOURCE = Record("", SOA, "ns.invalid hostmaster.invalid 1 3600 900 604800 300", 300)

    def __init__(self, text=""):
        self.records = collections.defaultdict(list)
        self.names = {""}
        for line in text.splitlines():
            words = shlex.split(line.partition(" ;")[0]) if line.strip() and not line.startswith(";") else []
            if words:
                name, ttl, _, kind, *data = words
                self.add(Record(name.rstrip(".").lower(), KINDS[kind], ("" if kind == "TXT" else " ").join(data), int(ttl)))

    def add(self, *records):
        for record in records:
            self.records[record.name, record.kind].append(record)
            labels = record.name.split(".")
            self.names.update(".".join(labels[at:]) for at in range(len(labels)))

    def answer(self, query):
        """What an honest recursive server replies."""
        if query.name == "" and query.number == NS:
            return query.reply(Record("", NS, "ns.invalid"))
        name, chain = query.name, []
        while (name, query.number) not in self.records and (name, CNAME) in self.records and len(chain) < 32:
            chain.append(self.records[name, CNAME][0])
            name = chain[-1].value.rstrip(".").lower()
        found = self.records.get((name, query.number), [])
        code = NOERROR if found or name in self.names else NXDOMAIN
        whole = query.reply(*chain, *found, code=code, authority=() if found else (self.SOURCE,))
        if query.over == "udp" and len(whole) > (1232 if query.edns else 512):
            return query.reply(truncated=True)
        return whole


class NameServer:
    """The server; `silent` are names that nobody answers for, themselves and all below them."""

    def __init__(self, zone="", silent=(), script=None, host="127.0.0.1", port=0, delay=0.0, remembers=True):
        self.zone = zone if isinstance(zone, Zone) else Zone(zone)
        self.silent = {name.rstrip(".").lower() for name in silent}
        self.script = script or (lambda query: ZONE_ANSWER)
        self.delay = delay
        # Every query so far; without `remembers` only the newest, because an hour of them is much.
        self.asked = [] if remembers else collections.deque(maxlen=1000)
        self.host = host
        self.streams = {}
        self.later = []
        self.count = 0
        self.stopped = threading.Event()
        self.datagrams, self.listener = self.bind(host, port)
        self.port = self.datagrams.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)

    @staticmethod
    def bind(host, port):
        for _ in range(50):
            datagrams = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
            datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
            datagrams.bind((host, port))
            listener = socket.socket(datagrams.family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((host, datagrams.getsockname()[1]))
            except OSError:
                datagrams.close()
                listener.close()
                continue
            listener.listen(128)
            for item in (datagrams, listener):
                item.setblocking(False)
            return datagrams, listener
        raise OSError("no port is free for both UDP and TCP")

    @property
    def address(self):
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Closes everything: from now on the port is closed."""
        if not self.stopped.is_set():
            self.stopped.set()
            self.thread.join()
            for item in (self.datagrams, self.listener, *self.streams):
                item.close()

    def questions(self):
        """How often each name and type was asked."""
        return collections.Counter((query.name, query.kind) for query in self.asked)

    # The loop
    def run(self):
        while not self.stopped.is_set():
            wait = min(0.05, max(0.0, self.later[0][0] - time.monotonic())) if self.later else 0.05
            ready, _, _ = select.select([self.datagrams, self.listener, *self.streams], [], [], wait)
            for item in ready:
                if item is self.datagrams:
                    self.take_datagrams()
                elif item is self.listener:
                    self.accept()
                else:
                    self.take_stream(item)
            self.send_due()

    def take_datagrams(self):
        for _ in range(256):
            try:
                octets, peer = self.datagrams.recvfrom(4096)
            except OSError:
                return
            self.serve(octets, "udp", lambda reply, peer=peer: self.send_datagram(reply, peer), lambda: None, peer)

    def send_datagram(self, octets, peer):
        try:
            self.datagrams.sendto(octets, peer)
        except OSError:
            pass

    def accept(self):
        try:
            stream, _ = self.listener.accept()
        except OSError:
            return
        stream.setblocking(True)
        stream.settimeout(5)
        self.streams[stream] = b""

    def take_stream(self, stream):
        try:
            octets = stream.recv(65536)
        except OSError:
            octets = b""
        if not octets:
            return self.forget(stream)
        received = self.streams[stream] + octets
        while len(received) >= 2 and len(received) >= 2 + struct.unpack(">H", received[:2])[0]:
            length = struct.unpack(">H", received[:2])[0]
            message, received = received[2:2 + length], received[2 + length:]
            self.streams[stream] = received
            self.serve(message, "tcp", lambda data, s=stream: self.send_stream(s, data), lambda s=stream: self.forget(s))
            if stream not in self.streams:
                return None
        self.streams[stream] = received
        return None

    def send_stream(self, stream, data):
        octets = data.octets if isinstance(data, Raw) else struct.pack(">H", len(data)) + data
        try:
            stream.sendall(octets)
        except OSError:
            self.forget(stream)

    def forget(self, stream):
        self.streams.pop(stream, None)
        stream.close()

    def send_due(self):
        now = time.monotonic()
        while self.later and self.later[0][0] <= now:
            _, _, send, octets = heapq.heappop(self.later)
            send(octets)

    def serve(self, octets, over, send, close, peer=None):
        try:
            query = Query(octets, over)
        except (IndexError, struct.error):
            return
        query.peer = peer
        self.asked.append(query)
        if self.is_silent(query.name):
            return
        actions = self.script(query)
        for action in actions if isinstance(actions, list) else [actions]:
            if action is ZONE_ANSWER:
                action = self.zone.answer(query)
                if self.delay:
                    action = Later(self.delay, action)
            if action is CLOSE:
                close()
            elif isinstance(action, Later):
                self.count += 1
                heapq.heappush(self.later, (time.monotonic() + action.seconds, self.count, send, action.octets))
            elif action is not None:
                send(action)

    def is_silent(self, name):
        while name and name not in self.silent:
            name = name.partition(".")[2]
        return name in self.silent


def silence(_):
    """A script that answers nothing at all."""
    return None


@contextlib.contextmanager
def in_process(*arguments, **options):
    """A NameServer in a process of its own, where it is not held up by what its user does; gives its address."""
    parent, child = multiprocessing.Pipe()

    def serve():
        with NameServer(*arguments, **options) as server:
            child.send(server.address)
            child.recv()

    process = multiprocessing.get_context("fork").Process(target=serve, daemon=True)
    process.start()
    try:
        yield parent.recv()
    finally:
        parent.send("over")
        process.join()
