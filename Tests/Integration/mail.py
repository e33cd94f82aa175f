"""Messages: making, signing, sending and reading them."""

import base64
import re
import smtplib
import socket
import subprocess

import dkim

KEYS = {}


class Key:
    """A signing key made for this run, and the record that publishes it."""

    def __init__(self, domain, selector="s", kind="rsa"):
        self.domain, self.selector, self.kind = domain, selector, kind
        command = ["genrsa", "2048"] if kind == "rsa" else ["genpkey", "-algorithm", "ed25519"]
        self.pem = openssl(*command)
        public = openssl("pkey", "-pubout", "-outform", "DER", given=self.pem)
        # RFC 8463 § 4: an Ed25519 key record holds the bare 32 octets, which end the SubjectPublicKeyInfo.
        self.public = public if kind == "rsa" else public[-32:]

    @property
    def text(self):
        """The text of the record."""
        return f"v=DKIM1; k={self.kind}; p={base64.b64encode(self.public).decode()}"

    @property
    def record(self):
        """The record as a line of a zone file."""
        text = self.text
        strings = " ".join(f'"{text[at:at + 200]}"' for at in range(0, len(text), 200))
        return f"{self.selector}._domainkey.{self.domain}. 300 IN TXT {strings}\n"

    def sign(self, message, canonicalization=(b"relaxed", b"relaxed"), **options):
        """The message with a signature by dkimpy above it."""
        private = self.pem
        if self.kind == "ed25519":
            # dkimpy wants the seed alone, which ends the PKCS#8 structure.
            private = base64.b64encode(openssl("pkey", "-outform", "DER", given=self.pem)[-32:])
        signature = dkim.sign(
            message, self.selector.encode(), self.domain.encode(), private, canonicalize=canonicalization,
            signature_algorithm=b"rsa-sha256" if self.kind == "rsa" else b"ed25519-sha256", **options,
        )
        return signature + message


def key(domain, selector="s", kind="rsa"):
    """A key, made once for a run."""
    return KEYS.setdefault((domain, selector, kind), Key(domain, selector, kind))


def openssl(*arguments, given=b""):
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True, timeout=60).stdout


def letter(author="a@example.com", to="bob@example.org", subject="A letter", body=b"Hello.\r\n", extra=()):
    """A plain message. `extra` are whole header lines that stand above the others."""
    lines = [
        *extra, f"From: {author}", f"To: {to}", f"Subject: {subject}", "Date: Mon, 2 Jan 2026 10:00:00 +0000",
        "Message-ID: <1@example.com>", "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
    ]
    header = b"".join((line if isinstance(line, bytes) else line.encode()) + b"\r\n" for line in lines)
    return header + b"\r\n" + body


class Outcome:
    """What an SMTP server said: the last reply and its stage, and the replies to recipients refused before DATA."""

    def __init__(self):
        self.stage, self.code, self.text = "connect", 0, ""
        self.refused = {}

    def note(self, stage, reply):
        self.stage, self.code = stage, reply[0]
        self.text = reply[1].decode("ascii", "backslashreplace")
        return reply[0] < 400

    @property
    def reply(self):
        return f"{self.code} {self.text}"

    @property
    def queue_id(self):
        found = re.search(r"queued as (\w+)|(\w+) Message accepted for delivery", self.text)
        return found and (found[1] or found[2])

    def __repr__(self):
        return f"{self.stage}: {self.reply}"


class Session:
    """An SMTP session with a private server, as the given client.

    Postfix learns the client by XCLIENT; Sendmail, which has none, sees the loopback address that is connected from.
    """

    def __init__(self, server, client="192.0.2.10", helo="mail.example.com", login=None, timeout=60):
        source = None if server.has_xclient else (client, 0)
        self.smtp = smtplib.SMTP("127.0.0.1", server.port, local_hostname=helo, timeout=timeout, source_address=source)
        # Long replies at the end of a message must not wait for a delayed acknowledgement.
        self.smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.helo = helo
        if server.has_xclient:
            self.smtp.ehlo(helo)
            address = f"IPV6:{client}" if ":" in client else client
            code, text = self.smtp.docmd("XCLIENT", f"ADDR={address}" + (f" LOGIN={login}" if login else ""))
            if code != 220:
                raise RuntimeError(f"XCLIENT: {code} {text}")
        self.greeting = self.smtp.ehlo(helo)

    def send(self, message, sender="a@example.com", to=("bob@example.org",)):
        """One transaction; it ends at the first reply that refuses, which the outcome names."""
        outcome = Outcome()
        recipients = [to] if isinstance(to, str) else to
        options = ["BODY=8BITMIME"] if any(octet > 127 for octet in message) else []
        if not outcome.note("mail", self.smtp.mail(sender, options)):
            self.smtp.rset()
            return outcome
        accepted = []
        for recipient in recipients:
            if outcome.note("rcpt", self.smtp.rcpt(recipient)):
                accepted.append(recipient)
            else:
                outcome.refused[recipient] = outcome.reply
        if not accepted:
            self.smtp.rset()
            return outcome
        try:
            outcome.note("data", self.smtp.data(message))
        except smtplib.SMTPDataError as error:
            outcome.note("data", (error.smtp_code, error.smtp_error))
        return outcome

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.smtp.quit()
        except smtplib.SMTPException:
            pass
        self.smtp.close()


def send(server, message, sender="a@example.com", to=("bob@example.org",), **client):
    """A session of one message."""
    with Session(server, **client) as session:
        return session.send(message, sender, to)


def fields(message):
    """The header fields in their order: pairs of name and value, the value with its folds as they are."""
    header = re.split(rb"\r?\n\r?\n", message, maxsplit=1)[0]
    unfolded = re.split(rb"\r?\n(?![ \t])", header)
    pairs = [line.partition(b":")[::2] for line in unfolded]
    return [(name.decode("latin-1"), value.strip().decode("utf-8", "backslashreplace")) for name, value in pairs]


def values(message, name):
    """The values of the fields of a name, from the top."""
    return [value for field, value in fields(message) if field.lower() == name.lower()]


def stamped(message):
    """The fields above the topmost Received, but for those that the delivery agent wrote."""
    above = []
    for name, value in fields(message):
        if name.lower() == "received":
            break
        if name not in ("Return-Path", "X-Original-To", "Delivered-To"):
            above.append((name, value))
    return above


def results(message, authserv_id="mx.example.org"):
    """Method to result in our own Authentication-Results, which must be the only one; {} without it."""
    name = re.compile(re.escape(authserv_id) + r"(?![\w.-])")
    ours = [value for value in values(message, "Authentication-Results") if name.match(value)]
    if not ours:
        return {}
    if len(ours) > 1:
        raise AssertionError(f"{len(ours)} fields of {authserv_id}: {ours}")
    return dict(re.findall(r"(?:;\s*)([a-z-]+)=([a-z]+)", ours[0]))
