#!/usr/bin/python3
"""Run the SPF and Sender ID suites over UDP, against nsd on loopback, and again against unbound in front of it.

Each section of a suite gets servers of its own, with the section's zone as the root zone. What no server can be told,
names whose lookups time out, is done by a relay in front that drops those questions.

Usage: spf_name_server.py [--published] [swift test options]
"""

import json
import os
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import yaml

TYPES = {1: "A", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA"}
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUR_OWN = ["spf/rfc7208.yml", "sender-id/rfc4406.yml"]
PUBLISHED = ["spf-rfc7208/rfc7208-tests.yml", "senderid-a/rfc4406-tests.yml", "senderid-a/record-selection.yml"]


def suites():
    """Our own vectors, and of the published ones those that are here; with --published only these."""
    fetch = os.path.join(ROOT, "Packaging", "fetch-corpora")
    folder = subprocess.run([fetch, "--folder"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    ours = [] if "--published" in sys.argv[1:] else [os.path.join(ROOT, "Tests", "Vectors", name) for name in OUR_OWN]
    return ours + [path for path in (os.path.join(folder, name) for name in PUBLISHED) if os.path.exists(path)]


def escaped(octets, plain):
    return "".join(chr(o) if chr(o).isascii() and (chr(o).isalnum() or chr(o) in plain) else f"\\{o:03d}" for o in octets)


def owner(name):
    """A name as a master file writes it; None for one that the DNS cannot hold."""
    labels = name.rstrip(".").split(".")
    if not all(0 < len(label) < 64 for label in labels):
        return None
    return ".".join(escaped(label.encode("latin-1"), "-_") for label in labels) + "."


def strings(value):
    octets = "".join(value).encode("latin-1", "backslashreplace") if isinstance(value, list) else value.encode("latin-1")
    pieces = [octets[at:at + 255] for at in range(0, len(octets), 255)] or [b""]
    return " ".join(f'"{escaped(piece, " -_=:/.+,~?!%{}()")}"' for piece in pieces)


class Section:
    """The zone of one section: its records as master-file lines, and the questions that get no answer."""

    def __init__(self, zonedata):
        self.lines = []
        self.known = {}
        self.silent = set()
        for name, entries in (zonedata or {}).items():
            if owner(name):
                self.read(name, entries)

    def read(self, name, entries):
        pairs = [pair for entry in entries if isinstance(entry, dict) for pair in entry.items()]
        if any(entry == "TIMEOUT" for entry in entries):
            self.silent.add(name.lower().rstrip("."))
        has_text = any(kind == "TXT" for kind, _ in pairs)
        for kind, value in pairs:
            if kind == "TXT" and value == "NONE" or kind == "SPF" and has_text:
                continue
            kind = "TXT" if kind == "SPF" else kind
            if kind == "TXT":
                data = strings(value)
            elif kind == "MX":
                data = f"{value[0]} {owner(value[1]) if value[1] else '.'}"
            elif kind in ("PTR", "CNAME"):
                data = owner(value)
            else:
                data = value
            self.lines.append(f"{owner(name)} 300 IN {kind} {data}")
            self.known.setdefault(name.lower().rstrip("."), set()).add(kind)

    def is_silent(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1").lower())
            at += 1 + query[at]
        kinds = self.known.get(".".join(labels), set())
        kind = TYPES.get(int.from_bytes(query[at + 1:at + 3], "big"))
        return ".".join(labels) in self.silent and kind not in kinds and "CNAME" not in kinds


class Server:
    """nsd with one section, perhaps unbound that asks it, and the socket that questions come to."""

    def __init__(self, folder, section, has_resolver):
        self.section = section
        self.relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.relay.bind(("127.0.0.1", 0))
        self.port = self.relay.getsockname()[1]
        # The port that the relay holds, on an address that no socket of this program is given.
        self.upstream = ("127.0.0.2", self.port)
        self.folder = folder
        os.mkdir(folder)
        with open(f"{folder}/root.zone", "w") as file:
            file.write(". 300 IN SOA ns.invalid. host.invalid. 1 3600 900 604800 300\n. 300 IN NS ns.invalid.\n")
            file.write("\n".join(dict.fromkeys(section.lines)) + "\n")
        with open(f"{folder}/nsd.conf", "w") as file:
            file.write(f"""server:
    ip-address: {self.upstream[0]}@{self.upstream[1]}
    username: ""
    chroot: ""
    zonesdir: "{folder}"
    database: ""
    pidfile: "{folder}/nsd.pid"
    xfrdfile: "{folder}/xfrd.state"
    xfrdir: "{folder}"
    zonelistfile: "{folder}/zone.list"
    logfile: "{folder}/log"
    rrl-ratelimit: 0
remote-control:
    control-enable: no
zone:
    name: "."
    zonefile: "root.zone"
""")
        self.processes = [self.launch("nsd")]
        if has_resolver:
            self.add_resolver()

    def launch(self, program):
        path = shutil.which(program) or f"/usr/sbin/{program}"
        return subprocess.Popen([path, "-d", "-c", f"{self.folder}/{program}.conf"], stderr=subprocess.DEVNULL)

    def add_resolver(self):
        server, self.upstream = self.upstream, ("127.0.0.3", self.port)
        reserved = ["test.", "invalid.", "onion.", "localhost.", "home.arpa.", "resolver.arpa.", "127.in-addr.arpa."]
        zones = "\n".join(f'    local-zone: "{name}" nodefault' for name in reserved)
        with open(f"{self.folder}/unbound.conf", "w") as file:
            file.write(f"""server:
    interface: {self.upstream[0]}@{self.upstream[1]}
    username: ""
    chroot: ""
    directory: "{self.folder}"
    pidfile: ""
    use-syslog: no
    logfile: "{self.folder}/log-unbound"
    num-threads: 1
    msg-cache-size: 1m
    rrset-cache-size: 1m
    module-config: "iterator"
    do-not-query-localhost: no
    do-ip6: no
    qname-minimisation: no
    unblock-lan-zones: yes
{zones}
remote-control:
    control-enable: no
stub-zone:
    name: "."
    stub-addr: {server[0]}@{server[1]}
""")
        self.processes.append(self.launch("unbound"))

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()
        self.relay.close()

    def ask(self, query, timeout):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as upstream:
            upstream.settimeout(timeout)
            upstream.connect(self.upstream)
            upstream.send(query)
            return upstream.recv(65535)

    def wait(self):
        # The SOA record of the root, recursion desired.
        query = b"\0\1\1\0\0\1\0\0\0\0\0\0\0\0\6\0\1"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and all(process.poll() is None for process in self.processes):
            try:
                if self.ask(query, 1)[3] & 15 == 0:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        with open(f"{self.folder}/log") as log:
            status = [process.poll() for process in self.processes]
            sys.exit(f"no answer, {status}:\n{log.read()}")

    def relayed(self):
        query, client = self.relay.recvfrom(65535)
        if not self.section.is_silent(query):
            self.relay.sendto(self.ask(query, 5), client)


def serve(servers, stop):
    selector = selectors.DefaultSelector()
    for server in servers:
        selector.register(server.relay, selectors.EVENT_READ, server)
    while not stop.is_set():
        for key, _ in selector.select(0.2):
            try:
                key.data.relayed()
            except OSError as error:
                print(f"relay: {error}", file=sys.stderr)


def run(has_resolver):
    servers, ports, stop = [], {}, threading.Event()
    relay = threading.Thread(target=serve, args=(servers, stop))
    with tempfile.TemporaryDirectory() as folder:
        try:
            for suite in suites():
                ports[suite] = []
                with open(suite, encoding="utf-8") as file:
                    # Every scalar stays the text that it is.
                    for document in yaml.load_all(file, Loader=yaml.BaseLoader):
                        section = Section(document.get("zonedata"))
                        servers.append(Server(f"{folder}/{len(servers)}", section, has_resolver))
                        ports[suite].append(servers[-1].port)
            for server in servers:
                server.wait()
            relay.start()
            environment = dict(os.environ, POSTERN_SPF_SERVERS=json.dumps(ports))
            options = [option for option in sys.argv[1:] if option != "--published"]
            command = ["swift", "test", *options, "--filter", "SPFTests.NameServerTests"]
            output = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
            print(output.stdout[-4000:] if output.returncode else output.stdout.strip().splitlines()[-1])
            print(f"{len(servers)} sections, {'unbound and nsd' if has_resolver else 'nsd'}")
            # A filter that matches nothing is a success for "swift test".
            return output.returncode == 0 and "with 1 test " in output.stdout
        finally:
            stop.set()
            if relay.is_alive():
                relay.join()
            for server in servers:
                server.stop()


sys.exit(0 if run(False) and run(True) else 1)
