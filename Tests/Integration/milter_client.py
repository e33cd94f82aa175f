"""A scripted MTA: the client side of the milter protocol (version 6), over a unix or a TCP socket.

    with Milter("unix:/path") as milter:                  # or "inet:PORT@HOST"
        milter.negotiate()
        milter.connect("mail.example.com", "192.0.2.1")
        milter.helo("mail.example.com")
        reply = milter.mail("<a@example.com>")            # None: the filter asked for no reply
        milter.rcpt("<b@example.net>", macros={"i": "4XyZ1"})
        milter.data(); milter.header("From", "a@example.com"); milter.eoh(); milter.body(b"Hi\r\n")
        outcome = milter.eom()                            # outcome.reply, outcome.modifications, outcome.headers_after(...)

Events that the filter asked not to get are not sent; replies it said it would not give are not waited for.
"""

import socket
import struct

NO = {"C": 0x1, "H": 0x2, "M": 0x4, "R": 0x8, "B": 0x10, "L": 0x20, "N": 0x40, "U": 0x100, "T": 0x200}
NR = {"L": 0x80, "C": 0x1000, "H": 0x2000, "M": 0x4000, "R": 0x8000, "T": 0x10000, "U": 0x20000, "N": 0x40000, "B": 0x80000}
SKIP, LEADSPC = 0x400, 0x100000
ALL_ACTIONS, ALL_PROTOCOL = 0x1FF, 0x1FFFFF
CHUNK = 65535


def octets(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


class Reply:
    """A filter's reply: its command letter, and its data."""

    def __init__(self, command, data=b""):
        self.command, self.data = command, data

    @property
    def text(self):
        """The SMTP text of a reply code ('y') as the client sees it: `%%` is `%`."""
        return self.data.rstrip(b"\0").replace(b"%%", b"%").decode("ascii", "replace")

    def __repr__(self):
        return f"Reply({self.command!r}, {self.data!r})"


class Outcome:
    """What the filter said at the end of a message: `modifications` are (letter, data), `reply` is the last word."""

    def __init__(self, modifications, reply, progress):
        self.modifications, self.reply, self.progress = modifications, reply, progress

    def header_changes(self):
        """The changes of header fields, decoded: (letter, index, name, value)."""
        result = []
        for command, data in self.modifications:
            if command in "im":
                name, value = data[4:].split(b"\0")[:2]
                result.append((command, struct.unpack(">I", data[:4])[0], name.decode(), value.decode("utf-8", "replace")))
            elif command == "h":
                name, value = data.split(b"\0")[:2]
                result.append((command, 0, name.decode(), value.decode("utf-8", "replace")))
        return result

    def headers_after(self, headers, renumber=True, leading_space=True):
        """The header [(name, value)] after the changes, as Postfix makes them (Sendmail: renumber=False).

        The values given and returned are without the space after the colon.
        """
        fields = [[name, value] for name, value in headers]
        for command, index, name, value in self.header_changes():
            if leading_space and value.startswith(" "):
                value = value[1:]
            if command == "i":
                fields.insert(index, [name, value])
            elif command == "h":
                fields.append([name, value])
            else:
                same = [f for f in fields if f[0].lower() == name.lower() and (f[1] is not None or not renumber)]
                if index <= len(same) and index > 0:
                    same[index - 1][1] = value or None
                elif value:
                    fields.append([name, value])
        return [(name, value) for name, value in fields if value is not None]


class Milter:
    """One connection to a filter."""

    def __init__(self, address, timeout=30):
        if address.startswith("unix:"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(address[5:])
        else:
            port, _, host = address.removeprefix("inet:").removeprefix("inet6:").partition("@")
            self.socket = socket.create_connection((host or "127.0.0.1", int(port)), timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.version = self.actions = self.protocol = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    # Packets
    def send_raw(self, data):
        self.socket.sendall(data)

    def send(self, command, data=b""):
        self.send_raw(struct.pack(">I", len(data) + 1) + command.encode() + data)

    def read(self):
        """The next packet, or None when the filter has closed the connection."""
        head = self._read_exactly(4)
        if head is None:
            return None
        packet = self._read_exactly(struct.unpack(">I", head)[0])
        if not packet:
            raise EOFError("the filter closed the connection within a packet")
        return Reply(chr(packet[0]), packet[1:])

    def _read_exactly(self, count):
        data = b""
        while len(data) < count:
            try:
                piece = self.socket.recv(count - len(data))
            except ConnectionResetError:
                piece = b""
            if not piece:
                if data:
                    raise EOFError("the filter closed the connection within a packet")
                return None
            data += piece
        return data

    # Commands
    def negotiate(self, version=6, actions=ALL_ACTIONS, protocol=ALL_PROTOCOL):
        self.send("O", struct.pack(">III", version, actions, protocol))
        reply = self.read()
        if reply is None or reply.command != "O":
            raise EOFError(f"no answer to option negotiation: {reply}")
        self.version, self.actions, self.protocol = struct.unpack(">III", reply.data[:12])
        return reply

    def macros(self, stage, values):
        if values:
            pairs = b"".join(octets(name) + b"\0" + octets(value) + b"\0" for name, value in values.items())
            self.send("D", stage.encode() + pairs)

    def event(self, command, data=b"", macros=None):
        """Sends an event and returns the reply; None if the filter does not want the event or does not reply to it."""
        if self.protocol & NO.get(command, 0):
            return None
        self.macros(command, macros)
        self.send(command, data)
        if self.protocol & NR.get(command, 0):
            return None
        return self._final()[0]

    def _final(self):
        progress = 0
        while True:
            reply = self.read()
            if reply is None:
                raise EOFError("the filter closed the connection instead of replying")
            if reply.command != "p":
                return reply, progress
            progress += 1

    def connect(self, name="localhost", address="127.0.0.1", port=12345, family=None, macros=None):
        family = family or ("6" if ":" in address else "4")
        data = octets(name) + b"\0" + family.encode()
        if family != "U":
            data += struct.pack(">H", port) + octets(address) + b"\0"
        return self.event("C", data, macros)

    def helo(self, name, macros=None):
        return self.event("H", octets(name) + b"\0", macros)

    def mail(self, *arguments, macros=None):
        return self.event("M", b"".join(octets(a) + b"\0" for a in arguments), macros)

    def rcpt(self, *arguments, macros=None):
        return self.event("R", b"".join(octets(a) + b"\0" for a in arguments), macros)

    def data(self, macros=None):
        return self.event("T", b"", macros)

    def header(self, name, value):
        """Sends a field; `value` is without the space after the colon, lines joined by LF."""
        space = b" " if self.protocol & LEADSPC else b""
        return self.event("L", octets(name) + b"\0" + space + octets(value) + b"\0")

    def eoh(self, macros=None):
        return self.event("N", b"", macros)

    def body(self, data):
        """Sends the body in chunks; the last reply, or 's' when the filter wants no more."""
        reply = None
        for start in range(0, len(data), CHUNK):
            reply = self.event("B", data[start:start + CHUNK])
            if reply is not None and reply.command != "c":
                break
        return reply

    def eom(self, data=b"", macros=None):
        """Ends the message, and returns the outcome."""
        self.macros("E", macros)
        self.send("E", data)
        modifications, progress = [], 0
        while True:
            reply, seen = self._final()
            progress += seen
            if reply.command in "acdrtyf4s":
                return Outcome(modifications, reply, progress)
            modifications.append((reply.command, reply.data))

    def abort(self):
        self.send("A")

    def quit(self):
        self.send("Q")

    def quit_new_connection(self):
        self.send("K")

    def message(self, headers, body, mail=("<>",), rcpts=(("<postmaster@example.org>",),), mail_macros=None, rcpt_macros=None):
        """A whole message. Returns the Outcome, or the first reply that ended it earlier."""
        for reply in self._message_events(headers, body, mail, rcpts, mail_macros, rcpt_macros):
            if reply is not None and reply.command not in "cs":
                return reply
        return self.eom(macros=rcpt_macros)

    def _message_events(self, headers, body, mail, rcpts, mail_macros, rcpt_macros):
        yield self.mail(*mail, macros=mail_macros)
        for rcpt in rcpts:
            yield self.rcpt(*rcpt, macros=rcpt_macros)
        yield self.data(macros=rcpt_macros)
        for name, value in headers:
            yield self.header(name, value)
        yield self.eoh(macros=rcpt_macros)
        yield self.body(body)
