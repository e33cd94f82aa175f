"""Faults of the DNS: servers that are gone, slow, broken or lying, and names whose owners mean harm."""

import concurrent.futures
import random
import threading
import time

from faults import ZONE, Failed, Filter, ask, honest, require, row
from name_server import CLOSE, FORMERR, NOTIMP, REFUSED, SERVFAIL, ZONE_ANSWER, Later, NameServer, Raw, silence
from mta import free_port


def seconds(value):
    return f"{value:.2f} s"


def outage(postern, server_returns):
    """Messages during an outage and after it: the slowest of the first, of later ones, and the time to recover."""
    first = ask(postern)
    require(first.code == "451", f"a forged message during the outage: {first.words}")
    deadline = time.monotonic() + 6
    while time.monotonic() < deadline:
        ask(postern)
    later = []
    for _ in range(5):
        began = time.monotonic()
        told = ask(postern)
        later.append(time.monotonic() - began)
        require(told.code == "451", f"a forged message during the outage: {told.words}")
    server_returns()
    began = time.monotonic()
    while ask(postern).code != "550":
        require(time.monotonic() - began < 10, "not judged 10 s after the server came back")
    recovered = time.monotonic() - began
    require(max(later) < 2, f"later messages took {seconds(max(later))}")
    require(recovered < 3, f"judged again after {seconds(recovered)}")
    return f"first {seconds(first.at_recipient + first.at_end)}, later at most {seconds(max(later))}, judged again after {seconds(recovered)}"


@row("DNS port closed", "451 for what a rule must know, soon at once; judged again a second after the server is back")
def port_closed():
    port = free_port()
    with Filter([f"127.0.0.1:{port}"]) as postern:
        servers = []

        def come_back():
            servers.append(NameServer(ZONE, port=port))
            servers[0].__enter__()

        try:
            return outage(postern, come_back)
        finally:
            for server in servers:
                server.stop()


@row("DNS server silent", "451 for what a rule must know, soon within half a second; judged again a second after it answers")
def server_silent():
    with NameServer(ZONE, script=silence) as server, Filter(server) as postern:
        def come_back():
            server.script = lambda query: ZONE_ANSWER

        return outage(postern, come_back)


@row("DNS slow by 1 s and 2 s", "RCPT waits at most early_wait, the end waits with PROGRESS, and the result is right")
def slow():
    seen = []
    for delay in (1, 2):
        with NameServer(ZONE, delay=delay) as server, Filter(server) as postern:
            told = ask(postern)
            require(told.at_recipient < 2.6, f"RCPT waited {seconds(told.at_recipient)} at a delay of {delay} s")
            require(told.code == "550", f"{told.words} at a delay of {delay} s")
            progress = told.outcome.progress if told.outcome else 0
            require(told.at_end < 4 or progress > 0, f"{seconds(told.at_end)} at the end without PROGRESS")
            seen.append(f"{delay} s: RCPT {seconds(told.at_recipient)}, end {seconds(told.at_end)}, {progress} PROGRESS")
    return "; ".join(seen)


@row("SERVFAIL, REFUSED, FORMERR, NOTIMP", "451 at once for what a rule must know; FORMERR is asked again without EDNS")
def error_codes():
    for name, code in (("SERVFAIL", SERVFAIL), ("REFUSED", REFUSED), ("FORMERR", FORMERR), ("NOTIMP", NOTIMP)):
        with NameServer(ZONE, script=lambda query, code=code: query.reply(code=code)) as server, Filter(server) as postern:
            began = time.monotonic()
            told = ask(postern)
            took = time.monotonic() - began
            require(told.code == "451", f"{name}: {told.words}")
            require(took < 5, f"{name}: {seconds(took)}")
    with NameServer(ZONE, script=lambda query: query.reply(code=FORMERR) if query.edns else ZONE_ANSWER) as server:
        with Filter(server) as postern:
            require(ask(postern).code == "550", "a server without EDNS gave no answer")
    return "451 each; a server without EDNS serves"


@row("first of two servers broken", "the second one is asked, and the first one soon left alone")
def bad_first_server():
    with NameServer(ZONE, script=lambda query: query.reply(code=SERVFAIL)) as bad, NameServer(ZONE) as good:
        with Filter([bad.address, good.address]) as postern:
            for number in range(30):
                require(ask(postern, author=f"a{number}@bank.example").code == "550", "not judged")
                ask(postern, author=f"a@{number}.example")
        share = len(bad.asked), len(good.asked)
    require(share[0] < share[1] / 2, f"{share[0]} queries to the broken server, {share[1]} to the other")
    return f"{share[0]} queries to the broken server, {share[1]} to the other"


@row("truncated reply, then TCP refused, hung, cut, fine", "451, 451, 451, judged; no core spins")
def truncated():
    def script(over_tcp):
        return lambda query: query.reply(truncated=True) if query.over == "udp" else over_tcp(query)

    def cut(query):
        return [Raw(b"\x01\x00" + query.octets[:6]), CLOSE]

    seen = []
    for name, over_tcp, code in (
        ("refused", lambda query: CLOSE, "451"),
        ("hung", silence, "451"),
        ("cut", cut, "451"),
        ("fine", lambda query: ZONE_ANSWER, "550"),
    ):
        with NameServer(ZONE, script=script(over_tcp)) as server, Filter(server, dns='timeout = "3s"') as postern:
            before = postern.processor_time()
            began = time.monotonic()
            told = ask(postern)
            took = time.monotonic() - began
            used = postern.processor_time() - before
            require(told.code == code, f"{name}: {told.words}")
            require(used < 0.5, f"{name}: {used:.2f} s of CPU")
            seen.append(f"{name} {told.code} {seconds(took)}")
    return ", ".join(seen)


@row("a name server that sends over TCP without end", "closed after a few replies to nothing asked; no core is held")
def endless_tcp():
    def script(query):
        if query.over == "udp":
            return query.reply(truncated=True)
        stray = (query.octets[0] ^ 0x55).to_bytes(1, "big") + query.reply()[1:]
        return [stray] * 20000

    with NameServer(ZONE, script=script) as server, Filter(server, dns='timeout = "3s"') as postern:
        before = postern.processor_time()
        told = ask(postern)
        used = postern.processor_time() - before
        require(told.code == "451", told.words)
        require(used < 1.0, f"{used:.2f} s of CPU")
    return f"{told.code}, {used:.2f} s of CPU"


@row("wrong id, name, case, no QR, cut, two questions, garbage before the good reply", "only the good reply counts")
def lies():
    generator = random.Random(1)

    def wrong(query):
        good = query.reply()
        return {
            "id": (query.identifier ^ 1).to_bytes(2, "big") + good[2:],
            "question": query.reply(question=b"\x03foo\0" + query.question[-4:]),
            "no question": query.reply(question=b""),
            "no QR": good[:2] + bytes([good[2] & 0x7F]) + good[3:],
            "cut": good[:7],
            "two questions": good[:4] + b"\0\2" + good[6:],
            "garbage": generator.randbytes(40),
        }

    kinds = list(wrong(type("Query", (), {
        "reply": lambda self, **_: bytes(20), "identifier": 0, "question": bytes(5),
    })()))
    for kind in kinds:
        def script(query, kind=kind):
            return [wrong(query)[kind], Later(0.05, server.zone.answer(query))]

        with NameServer(ZONE) as server, Filter(server) as postern:
            server.script = script
            told = ask(postern)
            require(told.code == "550", f"{kind}: {told.words}")
    return f"the good reply won over each of {len(kinds)} others"


@row("mutated replies", "no crash, and honest mail is judged afterwards")
def mutated():
    generator = random.Random(7)
    count = [0]

    def script(query):
        reply = bytearray(server.zone.answer(query))
        for _ in range(generator.randint(1, 6)):
            at = generator.randrange(12, len(reply)) if len(reply) > 12 else 0
            action = generator.randrange(4)
            if action == 0 and at < len(reply):
                reply[at] = generator.randrange(256)
            elif action == 1:
                del reply[at:]
            elif action == 2:
                reply[at:at] = b"\xc0\x0c" * generator.randint(1, 9)
            else:
                reply += generator.randbytes(generator.randint(1, 60))
        count[0] += 1
        return [bytes(reply)] * 2

    with NameServer(ZONE) as server, Filter(server, dns='timeout = "1s"\nattempt_timeout = "100ms"') as postern:
        server.script = script
        stop = time.monotonic() + 15
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            def ask_often(number):
                turn = 0
                while time.monotonic() < stop:
                    turn += 1
                    ask(postern, author=f"a@n{number}-{turn}.example")

            for _ in pool.map(ask_often, range(16)):
                pass
        require(postern.running(), "Postern ended:\n" + postern.read("log")[-2000:])
        server.script = lambda query: ZONE_ANSWER
        time.sleep(2)
        honest(postern)
    require(count[0] > 200, f"only {count[0]} replies")
    return f"{count[0]} mutated replies"


@row("three of ten queries lost", "every message is judged")
def lossy():
    generator = random.Random(3)
    zone = "".join(f'd{number}.example. 300 IN TXT "v=spf1 ip4:192.0.2.10 -all"\n' for number in range(60))
    with NameServer(zone, script=lambda query: None if generator.random() < 0.3 else ZONE_ANSWER) as server:
        with Filter(server) as postern, concurrent.futures.ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(lambda number: ask(postern, author=f"a@d{number}.example").code, range(60)))
    judged = codes.count("550")
    require(judged >= 58 and set(codes) <= {"550", "451"}, f"{judged} of 60 judged: {sorted(set(codes))}")
    return f"{judged} of 60 judged, {len(server.asked)} queries"


def hungry_records(domain, count=10):
    """Records by which one message of a domain asks as much as it can of a name server that stays silent."""
    terms = " ".join(f"mx:m{number}.{domain}" for number in range(count))
    return f'{domain}. 300 IN TXT "v=spf1 {terms} -all"\n'


def hungry_message(postern, domain, stop):
    """Sends messages that ask for silent names, with ten signatures, until told to stop."""
    signatures = [
        ("DKIM-Signature", f"v=1; a=rsa-sha256; d=k{number}.{domain}; s=s; h=from; bh=AAAA; b=AAAA") for number in range(10)
    ]
    while not stop.is_set():
        try:
            ask(postern, timeout=60, author=f"a@{domain}", client="198.51.100.7", headers=signatures)
        except (OSError, EOFError):
            stop.wait(0.1)


@row("a silent domain in 40 sessions", "forged mail of others is never accepted; honest mail is judged or put off; said once")
def silent_domain():
    return starve(sessions=40, domains=1)


@row("ten silent domains in 200 sessions", "forged mail of others is never accepted; at least 95 % is judged", quick=False)
def silent_domains():
    return starve(sessions=200, domains=10)


def starve(sessions, domains):
    names = [f"silent{number}.test" for number in range(domains)]
    zone = ZONE + "".join(hungry_records(name) for name in names)
    zone += "".join(f'd{number}.example. 300 IN TXT "v=spf1 ip4:192.0.2.10 -all"\n' for number in range(100))

    def script(query):
        below_silent = any(query.name.endswith("." + name) for name in names)
        return None if below_silent else ZONE_ANSWER

    stop = threading.Event()
    with NameServer(zone, script=script) as server, Filter(server) as postern:
        attackers = [
            threading.Thread(target=hungry_message, args=(postern, names[number % domains], stop)) for number in range(sessions)
        ]
        for thread in attackers:
            thread.start()
        time.sleep(3)
        codes, times = [], []
        try:
            for number in range(100):
                began = time.monotonic()
                codes.append(ask(postern, author=f"a@d{number}.example").code)
                times.append(time.monotonic() - began)
        finally:
            stop.set()
            for thread in attackers:
                thread.join(90)
    times.sort()
    judged = codes.count("550")
    seen = f"{judged} of 100 forged refused, {codes.count('451')} put off, {codes.count('250')} accepted, p99 {seconds(times[98])}"
    require("250" not in codes, seen)
    require(judged >= 95 and times[98] < 5, seen)
    return seen


@row("an owner of 500 silent domains", "the outage mode is not entered: others' mail is judged at once")
def silent_owner():
    def script(query):
        return None if query.name.endswith(".silent.test") or "silent-" in query.name else ZONE_ANSWER

    with NameServer(ZONE, script=script) as server, Filter(server, dns='timeout = "2s"') as postern:
        stop = threading.Event()

        def ask_silent(number):
            turn = 0
            while not stop.is_set():
                turn += 1
                ask(postern, author=f"a@silent-{number}-{turn}.test", client="198.51.100.7")

        threads = [threading.Thread(target=ask_silent, args=(number,)) for number in range(25)]
        for thread in threads:
            thread.start()
        try:
            time.sleep(5)
            codes = [ask(postern).code for _ in range(20)]
            silent = postern.logged("not answering")
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)
        require(set(codes) == {"550"}, f"{codes}")
        require(silent == 0, postern.read("log")[-1500:])
    return f"20 of 20 forged refused, {len(server.asked)} queries"


@row("the list of servers changes during mail", "no message fails, and the old server is asked nothing more")
def changed_servers():
    with NameServer(ZONE) as old, NameServer(ZONE) as new, Filter(old) as postern:
        for number in range(20):
            ask(postern, author=f"a@x{number}.example")
        postern.dns = f'servers = ["{new.address}"]'
        postern.configure(postern_rules(postern))
        postern.reload()
        wait = time.monotonic() + 10
        while not postern.logged("configuration reloaded"):
            if time.monotonic() > wait:
                raise Failed("no reload:\n" + postern.read("log")[-1000:])
            time.sleep(0.05)
        asked = len(old.asked)
        codes = [ask(postern).code for _ in range(20)]
        ask(postern, author="a@fresh.example")
        require(set(codes) == {"550"}, str(codes))
        require(len(old.asked) == asked, f"{len(old.asked) - asked} more queries to the old server")
        require(new.asked, "the new server was asked nothing")
    return f"20 of 20 judged, {len(new.asked)} queries to the new server, none to the old one"


def postern_rules(postern):
    """The rules of a configuration file as it stands: all that follows its frame."""
    text = postern.read("postern.toml")
    return text[text.index("[[rules]]"):] if "[[rules]]" in text else ""
