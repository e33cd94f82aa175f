"""Faults of the DNS: servers that are gone, slow, broken or lying, and names whose owners mean harm."""

import collections
import concurrent.futures
import contextlib
import random
import socket
import threading
import time

import mta
import name_server
import swarm
from attack import under_attack
from faults import HONEST, ZONE, Failed, Filter, allowed, ask, honest, ordinary, ordinary_zone, require, row, scaled
from name_server import (
    CLOSE, FORMERR, NOTIMP, REFUSED, SERVFAIL, TXT, ZONE_ANSWER, Later, NameServer, Raw, Record, silence,
)


def seconds(value):
    return f"{value:.2f} s"


def outage(postern, server_returns):
    """Messages during an outage and after it: the first, later ones, and the time to recover."""
    first = ask(postern)
    require(first.code == "451", f"a forged message during the outage: {first.words}")
    mta.wait_until(lambda: postern.logged("DNS is not answering"), "a word in the log", 30)
    later = []
    for _ in range(9):
        began = time.monotonic()
        told = ask(postern)
        later.append(time.monotonic() - began)
        require(told.code == "451", f"a forged message during the outage: {told.words}")
    server_returns()
    began = time.monotonic()
    mta.wait_until(lambda: ask(postern).code == "550", "a judgement after the outage", 10)
    recovered = time.monotonic() - began
    honest(postern)
    told = postern.logged("DNS is not answering"), postern.logged("DNS is answering again")
    median = sorted(later)[4]
    seen = (
        f"first {seconds(first.at_recipient + first.at_end)}, later {seconds(median)}, "
        f"judged again after {seconds(recovered)}; {told[0]} and {told[1]} lines in the log"
    )
    require(median < 0.5 and recovered < 3 and told == (1, 1), seen)
    return seen


OUTAGE = "451 for what a rule must know, later in less than 0.5 s (median); judged again within 3 s; said once"


@row("DNS port closed", OUTAGE)
def port_closed():
    port = mta.free_port()
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


@row("DNS server silent", OUTAGE)
def server_silent():
    with NameServer(ZONE, script=silence) as server, Filter(server) as postern:
        def come_back():
            server.script = lambda query: ZONE_ANSWER

        return outage(postern, come_back)


def slow(*delays):
    """Answers about one domain that come late, from a server that is quick otherwise."""
    seen = []
    for delay in delays:
        def script(query, delay=delay):
            return Later(delay, server.zone.answer(query)) if "bank" in query.name else ZONE_ANSWER

        with NameServer(ZONE, script=script) as server, Filter(server) as postern:
            told = ask(postern)
        progress = told.outcome.progress if told.outcome else 0
        seen.append(
            f"{delay} s: {told.code}, RCPT {seconds(told.at_recipient)}, end {seconds(told.at_end)}, {progress} PROGRESS"
        )
        require(told.at_recipient < 4, "; ".join(seen))
        require(told.code == ("550" if delay < 10 else "451"), "; ".join(seen))
        require(told.at_end < 30 and (told.at_end < 7 or progress > 0), "; ".join(seen))
    return "; ".join(seen)


@row(
    "answers that come after 1, 2, 5 and 19 s",
    "RCPT waits for early_wait, 2 s, and little more; then the result, or 451 beyond dns.timeout", quick=False,
)
def slow_answers():
    return slow(1, 2, 5, 19)


@row("DNS slow by 5 s for everything", "the same as silent: 451", quick=False)
def slow_server():
    with NameServer(ZONE, delay=5) as server, Filter(server) as postern:
        told = ask(postern)
    require(told.code == "451", told.words)
    return f"451 after {seconds(told.at_recipient + told.at_end)}"


@row(
    "SERVFAIL, REFUSED, FORMERR, NOTIMP",
    "451 for what a rule must know, before dns.timeout, 10 s; FORMERR is asked again without EDNS",
)
def error_codes():
    for name, code in (("SERVFAIL", SERVFAIL), ("REFUSED", REFUSED), ("FORMERR", FORMERR), ("NOTIMP", NOTIMP)):
        with NameServer(ZONE, script=lambda query, code=code: query.reply(code=code)) as server, Filter(server) as postern:
            began = time.monotonic()
            told = ask(postern)
            took = time.monotonic() - began
            require(told.code == "451", f"{name}: {told.words}")
            require(took < 9, f"{name}: {seconds(took)}")
    with NameServer(ZONE, script=lambda query: query.reply(code=FORMERR) if query.edns else ZONE_ANSWER) as server:
        with Filter(server) as postern:
            require(ask(postern).code == "550", "a server without EDNS gave no answer")
    return "451 each; a server without EDNS serves"


@row("first of two servers broken", "every message is judged; the first one gets less than half the queries")
def bad_first_server():
    with NameServer(ZONE, script=lambda query: query.reply(code=SERVFAIL)) as bad, NameServer(ZONE) as good:
        with Filter([bad.address, good.address]) as postern:
            for number in range(30):
                require(ask(postern, author=f"a{number}@bank.example").code == "550", "not judged")
                ask(postern, author=f"a@{number}.example")
        share = len(bad.asked), len(good.asked)
    require(share[0] < share[1] / 2, f"{share[0]} queries to the broken server, {share[1]} to the other")
    return f"{share[0]} queries to the broken server, {share[1]} to the other"


@row(
    "truncated reply, then TCP refused, hung, cut, fine",
    "451, 451, 451, judged; less than 0.5 s of CPU each", quick=False,
)
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
        with NameServer(ZONE, script=script(over_tcp)) as server, Filter(server, dns='timeout = "2s"') as postern:
            before = postern.processor_time()
            began = time.monotonic()
            told = ask(postern)
            took = time.monotonic() - began
            used = postern.processor_time() - before
            require(told.code == code, f"{name}: {told.words}")
            require(used < 0.5, f"{name}: {used:.2f} s of CPU")
            seen.append(f"{name} {told.code} {seconds(took)}")
    return ", ".join(seen)


@row("a name server that sends over TCP without end", "451, and less than 1 s of CPU")
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


@row(
    "wrong id, name, source, no question, no QR, cut, two questions, garbage before the good reply",
    "only the good reply counts",
)
def lies():
    generator = random.Random(1)
    lying = "v=spf1 +all"

    def wrong(query):
        bad = query.reply(Record(query.name, TXT, lying))
        return {
            "id": (query.identifier ^ 1).to_bytes(2, "big") + bad[2:],
            "name": query.reply(Record(query.name, TXT, lying), question=b"\x03foo\0" + query.question[-4:]),
            "no question": query.reply(question=b""),
            "no QR": bad[:2] + bytes([bad[2] & 0x7F]) + bad[3:],
            "cut": bad[:7],
            "two questions": bad[:4] + b"\0\2" + bad[6:],
            "garbage": generator.randbytes(40),
            "source": bad,
        }

    kinds = ("id", "name", "no question", "no QR", "cut", "two questions", "garbage", "source")
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as elsewhere:
        for kind in kinds:
            told_lies = []

            def script(query, kind=kind, told_lies=told_lies):
                told_lies.append(kind)
                lie, good = wrong(query)[kind], Later(0.05, server.zone.answer(query))
                if kind != "source":
                    return [lie, good]
                elsewhere.sendto(lie, query.peer)
                return [good]

            with NameServer(ZONE) as server, Filter(server) as postern:
                server.script = script
                told = ask(postern)
                require(told.code == "550" and told_lies, f"{kind}: {told.words}")
    return f"the good reply won over each of {len(kinds)} others"


@row(
    "records of 64 KiB",
    "no verdict but an error; honest mail is judged; less than 70 ordinary messages of CPU and 1.4 for each kB", quick=False,
)
def long_records():
    text = "v=spf1 " + "a:x.example " * 5000

    def script(query):
        if query.kind != "TXT" or "long" not in query.name:
            return ZONE_ANSWER
        return query.reply(truncated=True) if query.over == "udp" else query.reply(Record(query.name, TXT, text))

    with NameServer(ordinary_zone(), script=script) as server, Filter(server) as postern:
        unit = ordinary(postern)
        before = postern.processor_time()
        told = ask(postern, author="a@long.example")
        cost = (postern.processor_time() - before) / unit
        honest(postern)
        queries = sum("long" in query.name and query.over == "tcp" for query in server.asked)
    seen = f"{told.results}, {cost:.0f} ordinary messages of CPU, {queries} such records"
    require(told.results.get("spf") == "permerror" and cost < allowed(queries * 65_000 + 4000), seen)
    return seen


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
        stop = time.monotonic() + scaled(3, 30)
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
        mta.wait_until(lambda: ask(postern, client=HONEST).results.get("spf") == "pass", "a judgement", 30)
    require(count[0] > 200, f"only {count[0]} replies")
    return f"{count[0]} mutated replies"


@row("three of ten queries lost", "at least 58 of 60 messages are judged, the others put off", quick=False)
def lossy():
    generator = random.Random(3)
    zone = "".join(f'd{number}.example. 300 IN TXT "v=spf1 ip4:192.0.2.10 -all"\n' for number in range(60))
    with NameServer(zone, script=lambda query: None if generator.random() < 0.3 else ZONE_ANSWER) as server:
        options = {"dns": 'attempt_timeout = "200ms"'}
        with Filter(server, **options) as postern, concurrent.futures.ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(lambda number: ask(postern, author=f"a@d{number}.example").code, range(60)))
    judged = codes.count("550")
    require(judged >= 58 and set(codes) <= {"550", "451"}, f"{judged} of 60 judged: {sorted(set(codes))}")
    return f"{judged} of 60 judged, {len(server.asked)} queries"


def hungry_records(domain, count=10):
    """Records by which one message of a domain asks as much as it can of a name server that stays silent."""
    terms = " ".join(f"mx:m{number}.{domain}" for number in range(count))
    return f'{domain}. 300 IN TXT "v=spf1 {terms} -all"\n'


def hungry_message(domain):
    """A message of such a domain, with ten signatures of names below it."""
    signatures = [
        ("DKIM-Signature", f"v=1; a=rsa-sha256; d=k{number}.{domain}; s=s; h=from; bh=AAAA; b=AAAA") for number in range(10)
    ]
    return swarm.Message(f"a@{domain}", headers=[*signatures, ("From", f"a@{domain}")])


STARVED = "forged mail of others is never accepted, at least 95 % is judged, the rest put off; said once"


@row("a silent domain in 40 sessions", STARVED)
def silent_domain():
    return starve(sessions=40, domains=1)


@row("ten silent domains in 200 sessions", STARVED, quick=False)
def silent_domains():
    return starve(sessions=200, domains=10)


def starve(sessions, domains):
    names = [f"silent{number}.test" for number in range(domains)]
    zone = ZONE + "".join(hungry_records(name) for name in names)
    zone += "".join(f'd{number}.example. 300 IN TXT "v=spf1 ip4:192.0.2.10 -all"\n' for number in range(100))

    def script(query):
        below_silent = any(query.name.endswith("." + name) for name in names)
        return None if below_silent else ZONE_ANSWER

    codes, times = collections.Counter(), []
    with name_server.in_process(zone, script=script) as address, Filter([address]) as postern:
        with under_attack(postern, [hungry_message(name) for name in names], sessions):
            mta.wait_until(lambda: postern.logged("lookups wait for room"), "a word in the log", 60)
            for number in range(100):
                began = time.monotonic()
                codes[ask(postern, author=f"a@d{number}.example").code] += 1
                times.append(time.monotonic() - began)
        told = postern.logged("lookups wait for room")
    seen = (
        f"{codes['550']} of 100 forged refused, {codes['451']} put off, {codes['250']} accepted, "
        f"p99 {seconds(sorted(times)[98])}; {told} lines in the log"
    )
    require(codes["550"] >= 95 and set(codes) <= {"550", "451"} and told == 1, seen)
    return seen


@row("an owner of hundreds of silent domains", "the outage mode is not entered; others' mail is judged")
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
            mta.wait_until(lambda: len(server.asked) > scaled(100, 500), "queries", 60)
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
