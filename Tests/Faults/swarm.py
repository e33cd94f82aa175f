"""Many milter sessions at once, in one thread: the client side of the protocol (version 6) on asyncio.

    session = await Session.open("inet:127.0.0.1:PORT", client="192.0.2.1", helo="mail.example.com")
    outcome = await session.send(Message(sender="a@example.com", headers=[("From", "a@example.com")], queue_id="4XyZ1"))
    outcome.action      # "accept", "reject", "tempfail", "discard", or "closed" where the filter hung up
    outcome.text        # the SMTP reply that the filter asked for
    outcome.seconds     # from the end of the message to the last word
    await session.close()

For single sessions and everything unusual there is milter_client.py beside the integration tests.
"""

import asyncio
import dataclasses
import os
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Integration"))

from milter_client import ALL_ACTIONS, ALL_PROTOCOL, CHUNK, LEADSPC, NO, NR, octets

FINAL = {"a": "accept", "c": "accept", "r": "reject", "t": "tempfail", "d": "discard", "f": "closed"}


@dataclasses.dataclass
class Message:
    """What SMTP and the message say."""

    sender: str = ""
    recipients: tuple = ("postmaster@example.org",)
    headers: list = dataclasses.field(default_factory=list)
    body: bytes = b"Hello.\r\n"
    queue_id: str = "NOQUEUE"


@dataclasses.dataclass
class Outcome:
    """What the filter said to a message; `stage` is the letter of the event that it said it to."""

    action: str
    text: str = ""
    stage: str = "E"
    seconds: float = 0.0
    fields: list = dataclasses.field(default_factory=list)

    @property
    def results(self):
        """The methods and their results of our Authentication-Results; None where the message has none."""
        for name, value in self.fields:
            if name == "Authentication-Results":
                parts = (part.strip().partition("=") for part in value.split(";")[1:])
                return {method: rest.split()[0] for method, _, rest in parts if rest}
        return None


def packet(command, data=b""):
    return struct.pack(">I", len(data) + 1) + command.encode() + data


class Session:
    """One SMTP session as a filter sees it."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.protocol = 0
        self.skips = False

    @classmethod
    async def open(cls, address, client="192.0.2.1", helo="mail.example.com", name="unknown"):
        if address.startswith("unix:"):
            reader, writer = await asyncio.open_unix_connection(address[5:])
        else:
            host, _, port = address.removeprefix("inet:").rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
        session = cls(reader, writer)
        writer.write(packet("O", struct.pack(">III", 6, ALL_ACTIONS, ALL_PROTOCOL)))
        command, data = await session.read()
        if command != "O":
            raise ConnectionError(f"no answer to option negotiation: {command}")
        session.protocol = struct.unpack(">III", data[:12])[2]
        family = b"6" if ":" in client else b"4"
        await session.event("C", octets(name) + b"\0" + family + struct.pack(">H", 12345) + octets(client) + b"\0")
        await session.event("H", octets(helo) + b"\0")
        return session

    async def read(self):
        """A packet; ("f", b"") where the filter has hung up."""
        try:
            length = struct.unpack(">I", await self.reader.readexactly(4))[0]
            data = await self.reader.readexactly(length)
            return chr(data[0]), data[1:]
        except (asyncio.IncompleteReadError, ConnectionError):
            return "f", b""

    def wants(self, command):
        """Whether the filter wants this event at all."""
        return not self.protocol & NO.get(command, 0)

    def answers(self, command):
        """Whether the filter replies to this event."""
        return not self.protocol & NR.get(command, 0)

    async def event(self, command, data=b""):
        """Sends an event where the filter wants it; its reply, None where there is none or it says to go on."""
        if not self.wants(command):
            return None
        self.writer.write(packet(command, data))
        return await self.reply() if self.answers(command) else None

    async def reply(self):
        """The reply to an event; None where it says to go on."""
        while True:
            letter, data = await self.read()
            if letter != "p":
                self.skips = letter == "s"
                return None if letter in "cs" else (letter, data)

    async def send(self, message, last="E"):
        """Sends a message and waits for what becomes of it; with several recipients the first that is refused ends it.

        With another `last` than "E" it ends with this event, an abort or a hang-up, and there is no outcome.
        """
        block = bytearray(packet("D", b"Mi\0" + octets(message.queue_id) + b"\0"))
        began = time.monotonic()
        for command, data in self.steps(message):
            if not self.wants(command):
                continue
            block += packet(command, data)
            if self.answers(command) or len(block) > CHUNK:
                # What needs no reply travels with what comes next.
                self.writer.write(bytes(block))
                block.clear()
                await self.writer.drain()
            reply = await self.reply() if self.answers(command) else None
            if reply:
                if reply[0] != "f":
                    self.writer.write(packet("A"))
                return self.outcome(reply, command, began, [])
        self.writer.write(bytes(block) + packet(last))
        return await self.end() if last == "E" else None

    async def end(self):
        """What becomes of a message whose end is sent."""
        began = time.monotonic()
        fields = []
        while True:
            letter, data = await self.read()
            if letter in FINAL or letter == "y":
                return self.outcome((letter, data), "E", began, fields)
            if letter == "i":
                name, value = data[4:].split(b"\0")[:2]
                fields.append((name.decode(), value.decode("utf-8", "replace")))

    def steps(self, message):
        """The events of a message up to its end."""
        yield "M", octets(f"<{message.sender}>") + b"\0"
        for recipient in message.recipients:
            yield "R", octets(f"<{recipient}>") + b"\0"
        yield "T", b""
        space = b" " if self.protocol & LEADSPC else b""
        for name, value in message.headers:
            yield "L", octets(name) + b"\0" + space + octets(value) + b"\0"
        yield "N", b""
        self.skips = False
        for at in range(0, len(message.body), CHUNK):
            if not self.skips:
                yield "B", message.body[at:at + CHUNK]

    @staticmethod
    def outcome(reply, stage, began, fields):
        letter, data = reply
        text = data.rstrip(b"\0").replace(b"%%", b"%").decode("ascii", "replace") if letter == "y" else ""
        action = FINAL.get(letter) or ("tempfail" if text.startswith("4") else "reject")
        return Outcome(action, text, stage, time.monotonic() - began, fields)

    async def close(self):
        try:
            self.writer.write(packet("Q"))
            await self.writer.drain()
        except ConnectionError:
            pass
        self.writer.close()


async def play(address, message, client="192.0.2.1", helo="mail.example.com"):
    """One message in a session of its own."""
    session = await Session.open(address, client, helo)
    try:
        return await session.send(message)
    finally:
        await session.close()
