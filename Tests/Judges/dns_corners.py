#!/usr/bin/python3
"""A key behind a name server with a corner to it: what Postern, OpenDKIM, dkimpy and Unbound make of it.

- dropped EDNS: queries with an OPT record get no answer, as behind some firewalls (RFC 6891 § 6.2.2);
- lone alias: the reply holds the CNAME alone, and its target has to be asked for (RFC 1034 § 5.3.3, step 5).

Postern must find the key in each, since it is there. What the others find is printed, and does not agree.
As measured with Debian 12 (rspamd, which is not asked here, with the same name server):

                dropped EDNS                                 lone alias
- Unbound 1.17  SERVFAIL after nine queries in 17 s          asks for the target
- OpenDKIM      the same, as it asks by libunbound           asks for the target
- rspamd 3.4    temporary failure after five queries in 8 s  permanent failure, no key
- dkimpy        finds it, as it never asks with EDNS         fail, no key

Nobody asks again without EDNS; that costs one query, and the answer is there within the deadline. Those who do not ask
for the target take a key that is published for one that is not.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import dkim
import dns.exception
import dns.resolver

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# OpenDKIM asks port 53 only. Nobody else's server is at this address.
SERVER, UNBOUND = "127.77.0.1", "127.77.0.2"
NAME, TARGET = "s._domainkey.example.com", "key.elsewhere.example"
CORNERS = ["none", "dropped EDNS", "lone alias", "both"]
# How many seconds the others may take; Unbound gives up after 17 s.
PATIENCE = 5
TXT, CNAME = 16, 5


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


class NameServer:
    """Answers for the key alone; `corner` says how."""

    def __init__(self, record):
        self.record, self.corner, self.asked = record, "none", []
        self.udp = socket.socket(type=socket.SOCK_DGRAM)
        self.udp.bind((SERVER, 53))
        self.tcp = socket.create_server((SERVER, 53))
        for work in (self.serve_datagrams, self.serve_connections):
            threading.Thread(target=work, daemon=True).start()

    def serve_datagrams(self):
        while True:
            query, client = self.udp.recvfrom(4096)
            reply = self.reply(query, is_datagram=True)
            if reply:
                self.udp.sendto(reply, client)

    def serve_connections(self):
        while True:
            connection, _ = self.tcp.accept()
            threading.Thread(target=self.serve_connection, args=(connection,), daemon=True).start()

    def serve_connection(self, connection):
        with connection, contextlib.suppress(OSError), connection.makefile("rb") as stream:
            while len(head := stream.read(2)) == 2:
                reply = self.reply(stream.read(int.from_bytes(head, "big")), is_datagram=False)
                connection.sendall(struct.pack(">H", len(reply)) + reply)

    def reply(self, query, is_datagram):
        has_edns = query[10:12] != b"\0\0"
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1").lower())
            at += 1 + query[at]
        name, kind = ".".join(labels), int.from_bytes(query[at + 1:at + 3], "big")
        if name in (NAME, TARGET):
            self.asked.append((name, kind, has_edns))
        if has_edns and is_datagram and self.corner in ("dropped EDNS", "both"):
            return None
        answers, code = self.answers(name, kind)
        text = b"".join(wire(owner) + struct.pack(">HHIH", kind, 1, 300, len(data)) + data for owner, kind, data in answers)
        return query[:2] + struct.pack(">HHHHH", 0x8580 | code, 1, len(answers), 0, 0) + query[12:at + 5] + text

    def answers(self, name, kind):
        """The answer section, and the response code."""
        pieces = [self.record[at:at + 255].encode() for at in range(0, len(self.record), 255)]
        text = (TXT, b"".join(bytes([len(piece)]) + piece for piece in pieces))
        has_alias = self.corner in ("lone alias", "both")
        if name == NAME and has_alias:
            return [(name, CNAME, wire(TARGET))], 0
        if name == (TARGET if has_alias else NAME):
            return [(name, *text)] if kind == TXT else [], 0
        return [], 0 if not name or NAME.endswith("." + name) or name == "example" else 3


class Unbound:
    """Unbound, which asks the name server all that it is asked."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        with open(f"{self.folder}/unbound.conf", "w", encoding="ascii") as file:
            file.write(f"""server:
    interface: {UNBOUND}@53
    username: ""
    chroot: ""
    directory: "{self.folder}"
    pidfile: ""
    use-syslog: no
    do-not-query-localhost: no
    module-config: "iterator"
    num-threads: 1
remote-control:
    control-enable: no
forward-zone:
    name: "."
    forward-addr: {SERVER}@53
""")
        program = shutil.which("unbound") or "/usr/sbin/unbound"
        self.process = subprocess.Popen([program, "-d", "-c", f"{self.folder}/unbound.conf"], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection((UNBOUND, 53), timeout=5):
                return
            time.sleep(0.05)
        raise TimeoutError("Unbound does not listen")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)


def resolver(address):
    found = dns.resolver.Resolver(configure=False)
    found.nameservers, found.lifetime = [address], PATIENCE
    return found


def of_postern(folder):
    program = os.environ.get("POSTERN") or f"{ROOT}/.build/debug/postern"
    done = subprocess.run(
        [program, "check", "--nameserver", SERVER, "--client-ip", "192.0.2.1", "--format", "json", f"{folder}/message"],
        stdout=subprocess.PIPE, check=True, timeout=60,
    )
    (signature,) = json.loads(done.stdout)["dkim"]
    return signature["result"]


def of_opendkim(folder):
    with open(f"{folder}/opendkim.conf", "w", encoding="ascii") as file:
        file.write(f"Mode v\nNameservers {SERVER}\nDNSTimeout {PATIENCE}\n")
    program = shutil.which("opendkim") or "/usr/sbin/opendkim"
    done = subprocess.run(
        [program, "-x", f"{folder}/opendkim.conf", "-t", f"{folder}/message"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
    )
    if "succeeded" in done.stdout:
        return "pass"
    return re.sub(r"^opendkim: \S+: ", "", (done.stdout.strip().splitlines() or [f"status {done.returncode}"])[-1])


def of_dkimpy(folder):
    dns.resolver.default_resolver = resolver(SERVER)
    with open(f"{folder}/message", "rb") as file:
        message = file.read()
    try:
        return "pass" if dkim.DKIM(message).verify() else "fail"
    except (dkim.DKIMException, dns.exception.DNSException) as error:
        return f"{type(error).__name__}: {error}"


def of_unbound(_):
    try:
        answer = resolver(UNBOUND).resolve(NAME + ".", "TXT")
    except dns.exception.DNSException as error:
        return type(error).__name__
    return "pass" if any(b"p=" in text for record in answer for text in record.strings) else "no key"


PROGRAMS = {"postern": of_postern, "unbound": of_unbound, "opendkim": of_opendkim, "dkimpy": of_dkimpy}


def write_message(folder):
    """A signed message; returns the key's record."""
    key = f"{folder}/key.pem"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, stderr=subprocess.DEVNULL)
    public = subprocess.run(["openssl", "rsa", "-in", key, "-pubout"], check=True, capture_output=True, text=True).stdout
    with open(key, "rb") as file:
        secret = file.read()
    message = b"From: a@example.com\r\nTo: b@example.net\r\nSubject: corners\r\n\r\nHello\r\n"
    signature = dkim.sign(message, b"s", b"example.com", secret, include_headers=[b"from", b"subject"])
    with open(f"{folder}/message", "wb") as file:
        file.write(signature + message)
    return "v=DKIM1; k=rsa; p=" + "".join(line for line in public.splitlines() if "-" not in line)


def main():
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        server = NameServer(write_message(folder))
        for corner in CORNERS:
            server.corner = corner
            # Unbound is a new one each time, because it remembers what its server can do.
            with Unbound(folder):
                for who, look in PROGRAMS.items():
                    begun, asked = time.monotonic(), len(server.asked)
                    result = look(folder)
                    seconds, queries = time.monotonic() - begun, len(server.asked) - asked
                    print(f"{corner}: {who}: {result} ({seconds:.1f} s, {queries} queries)", flush=True)
                    failed = failed or who == "postern" and result != "pass"
    sys.exit("Postern does not find the key" if failed else 0)


if __name__ == "__main__":
    main()
