#!/usr/bin/python3
"""Judge reports of generated messages by the schema of RFC 9990, and by a program that reads reports for a living.

    Tests/Judges/aggregate_reports.py [--messages N]

The messages are events with every oddity: hostile d=, selectors of 64 KiB, 200 signatures, no sender, several authors,
test mode, np, records that are broken or changed at noon, IPv6, international names. lxml and xmlschema validate each report
against the schema; parsedmarc reads each as file and as mail. The sums must be those that are counted here, by the rules of
the documentation and not by our code. What is not installed, or not there, is named and not asked (Debian has lxml and
xmlschema, PyPI has parsedmarc). The exit status is 1 where a report is not as described.

Environment: POSTERN, the postern binary; judge-driver is expected beside it.
"""

import argparse
import collections
import email
import gzip
import importlib.util
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
SCHEMA = "dmarc-rfc9989-examples/aggregate/dmarc-xml-0.2.xsd"
NAMESPACE = "{urn:ietf:params:xml:ns:dmarc-2.0}"
REPORTS = "dmarc-reports@mx.example.org"
HOSTILE = [
    "", "<d>&amp;]]>", "\x00\x01\x1b[31m", "\ufffe\uffff", "\x7f\x85", "é\u2028", "😀" * 70, "a" * 65536, "\r\n\t",
    "<!ENTITY x SYSTEM 'file:///etc/passwd'>&x;", "%s%n", "\ud7ff\ue000",
]
RUA = [
    ["mailto:r@{}"], ["mailto:r@{}!10m", "mailto:s@else.example"], ["mailto:a%0d%0ab@{}", "mailto:r@{}"],
    [f"mailto:r{n}@{{}}" for n in range(50)], ["mailto:%C3%BC@{}"], ["https://{}/"], [], ["mailto:a b@{}", "ftp:x"],
]
DAY = 20_785


def policy(chance, domain):
    """A record's tags, and who wants reports of it."""
    word = lambda *others: chance.choice(["none", "quarantine", "reject", *others])
    return {
        "tags": {
            "p": word(None), "sp": word(None, None), "np": word(None, None), "adkim": chance.choice("rs"),
            "aspf": chance.choice("rs"), "fo": chance.choice(["0", "1:d:s", "0:0:1"]), "t": chance.choice("nny"),
            "psd": chance.choice("uuny"),
        },
        "rua": [uri.format(domain) for uri in chance.choice(RUA)],
    }


def domains(chance):
    """Domains with their records, some of which change at noon."""
    names = [f"d{number}.example" for number in range(40)] + ["xn--bcher-kva.example", "a" * 63 + "." + "b" * 63 + ".example"]
    return {name: (policy(chance, name), policy(chance, name) if chance.random() < 0.2 else None) for name in names}


def signature(chance, author):
    result = chance.choice(["pass", "pass", "fail", "policy", "neutral", "temperror", "permerror"])
    own = chance.random() < 0.5
    name = author if own else chance.choice(["other.example", "bücher.example", *HOSTILE])
    return {
        "d": name if chance.random() < 0.95 else None,
        "s": chance.choice(["s1", "2026r", "2026r", *HOSTILE]) if chance.random() < 0.95 else None,
        "a": "rsa-sha256", "result": result, "aligned": chance.choice(["strict", "relaxed"]) if own else None,
        "testing": chance.random() < 0.1, "problem": chance.choice(["key", *HOSTILE]) if result != "pass" else None,
        "diagnosis": [],
    }


def dmarc(chance, author, domain, record):
    aligned = chance.sample(["dkim", "spf"], chance.choice([0, 0, 1, 2]))
    tags = record["tags"]
    sub = tags["sp"] or tags["p"] or "none"
    published = tags["p"] or "none" if author == domain else chance.choice([tags["np"] or sub, sub])
    if chance.random() < 0.03:
        published = "none"
    lowered = {"reject": "quarantine", "quarantine": "none", "none": "none"}[published]
    result = "pass" if aligned else chance.choice(["fail"] * 9 + ["temperror"])
    if chance.random() < 0.02:
        published, result, aligned = None, "temperror", []
    return {
        "result": result, "from": author, "domain": domain, "organizational": domain, "method": "treewalk",
        "published": published, "effective": published and (lowered if tags["t"] == "y" else published), "tags": tags,
        "rua": record["rua"], "ruf": [], "aligned": aligned,
        "problem": "temporary error in dkim" if result == "temperror" else None,
    }


def no_record(author, problem):
    """DMARC without a record: none, two at one name, several authors, or no answer."""
    return {
        "result": {"none": "none", "two records": "none", "2 From fields": "permerror"}.get(problem, "temperror"),
        "from": author, "domain": None, "organizational": author, "method": None, "published": None, "effective": None,
        "tags": None, "rua": [], "ruf": [], "aligned": [], "problem": problem,
    }


def event(chance, number, records):
    """One event; the members that reports ask about are of every kind."""
    domain = chance.choice(list(records))
    author = domain if chance.random() < 0.6 else f"{chance.choice(['www', 'nx', 'a.b'])}.{domain}"
    second = chance.randrange(86_400)
    early, late = records[domain]
    record = late if late and second >= 43_200 else early
    odd = chance.choice(HOSTILE[:4] + ["a"])
    sender = chance.choice(["", f"a@{author}", f"{odd}@other.example", "a@bücher.example", "ü@other.example", "postmaster", "a@[192.0.2.1]", f"a@{odd}"])
    finding = dmarc(chance, author, domain, record) if chance.random() < 0.95 else no_record(author, chance.choice(["none", "two records", "2 From fields", "timed out"]))
    action = chance.choice(["accept"] * 6 + ["reject", "junk", "quarantine", "discard", "tempfail"])
    rule = chance.choice(["dmarc-fail", "spf-strict"]) if action != "accept" else None
    observed = action == "accept" and chance.random() < 0.3
    address = chance.choice(["192.0.2.1", "198.51.100.7", "2001:db8::1", "::ffff:192.0.2.9", None] if chance.random() < 0.1 else ["192.0.2.1", "2001:db8::1"])
    signatures = [signature(chance, author) for _ in range(chance.choice([0, 1, 1, 2, 3] if chance.random() < 0.99 else [200]))]
    return {
        "v": 1, "time": DAY * 86_400 + second + 0.5, "host": "mx1", "listener": "inet:8891", "configuration": "c", "id": f"Q{number}",
        "direction": "inbound" if chance.random() < 0.97 else "outbound", "addresses": "full",
        "client": {
            "ip": address, "name": None, "helo": chance.choice(["mail.example.com", *HOSTILE[:6]]), "trusted": chance.random() < 0.02,
            "authenticated": chance.random() < 0.02, "login": None,
        },
        "mail_from": sender, "rcpt_to": [REPORTS] if chance.random() < 0.05 else ["b@example.net"], "refused_rcpt_to": [],
        "unnamed_rcpt_to": 0, "deferred_rcpt_to": [], "rcpt_stage": None, "message_id": None, "octets": 3000,
        **({"auto_submitted": chance.random() < 0.5} if chance.random() < 0.2 else {}),
        "author": {"domains": [author], "count": chance.choice([1, 1, 1, 2]), "reading": "readable"},
        "spf": None if chance.random() < 0.02 else {
            "result": chance.choice(["pass", "fail", "softfail", "neutral", "none", "temperror", "permerror"]),
            "domain": chance.choice([author, "other.example", None]), "mechanism": None, "explanation": None,
            "problem": chance.choice([None, "no record at other.example", "no record at a.other.example", *HOSTILE]),
        },
        "spf_helo": None, "sender_id": None, "dkim": None if chance.random() < 0.02 else signatures, "dmarc": finding, "iprev": None,
        "facts": None,
        "verdict": {
            "mode": "observe" if observed else "enforce", "action": action, "stage": "rcpt" if action == "reject" and chance.random() < 0.2 else "eom",
            "rule": rule, "reply": None, "would": {"action": "reject", "rule": "r", "stage": "eom"} if observed else None, "marks": [],
            "exempted": [], "trial": [], "undecided": [], "refused": [], "partial": None, "removed": 0,
        },
        "signed": [], "unsigned": None, "problem": None, "dns": {"lookups": 3, "cached": 1, "starved": 0, "answers": None}, "ms": 1,
    }


def usable(uri):
    return uri.startswith("mailto:") and "%0d" not in uri and " " not in uri


def counts(message):
    """Whether an owner is told of the message, by the words of the documentation."""
    finding, verdict, client = message["dmarc"], message["verdict"], message["client"]
    return (
        message["direction"] == "inbound" and not client["trusted"] and not client["authenticated"] and client["ip"] is not None
        and verdict["stage"] != "rcpt" and verdict["action"] != "tempfail" and finding["tags"] is not None
        and any(map(usable, finding["rua"])) and (finding["result"] in ("pass", "fail") or finding["published"] is not None)
    )


def causes(message):
    """Whether the message alone may cause a report, by the words of the documentation."""
    return bool(message["mail_from"]) and not message.get("auto_submitted") and message["rcpt_to"] != [REPORTS]


def dispositions(messages):
    """How many messages have which disposition, by the words of the documentation."""
    found = collections.Counter()
    for message in messages:
        finding = message["dmarc"]
        if finding["result"] == "pass":
            found["pass" if finding["effective"] in ("quarantine", "reject") else "none"] += 1
        else:
            found[{"reject": "reject", "junk": "quarantine", "quarantine": "quarantine", "discard": "quarantine"}.get(message["verdict"]["action"], "none")] += 1
    return found


def schema_path():
    for folder in [os.environ.get("POSTERN_CORPORA"), os.path.join(ROOT, "..", "shared", "corpora"), os.path.join(ROOT, ".build", "corpora")]:
        if folder and os.path.exists(os.path.join(folder, SCHEMA)):
            return os.path.join(folder, SCHEMA)
    return None


def has(module):
    return importlib.util.find_spec(module) is not None


def validators():
    """The validators at hand, by name, and a line for each that is not."""
    path = schema_path()
    if path is None:
        print(f"not run: validation; {SCHEMA} is not here (Packaging/fetch-corpora)")
        return {}
    found = {}
    if has("lxml"):
        import lxml.etree

        schema = lxml.etree.XMLSchema(lxml.etree.parse(path))
        found["lxml"] = lambda text: None if schema.validate(lxml.etree.fromstring(text)) else str(schema.error_log)
    if has("xmlschema"):
        import xmlschema

        other = xmlschema.XMLSchema(path)
        found["xmlschema"] = lambda text: next((str(error) for error in other.iter_errors(xml.etree.ElementTree.fromstring(text))), None)
    for name in ["lxml", "xmlschema"]:
        if name not in found:
            print(f"not run: {name}, which is not installed")
    return found


def our_sums(text):
    """Of a report as it is: the messages, and how many had which disposition."""
    sums = collections.Counter()
    for row in xml.etree.ElementTree.fromstring(text).iter(NAMESPACE + "row"):
        sums[row.find(f"{NAMESPACE}policy_evaluated/{NAMESPACE}disposition").text] += int(row.find(NAMESPACE + "count").text)
    return sums


def well_formed_mail(path):
    """What is wrong with a mail; None where nothing is."""
    with open(path, "rb") as file:
        octets = file.read()
    lines = octets.split(b"\r\n")
    if b"\n" in octets.replace(b"\r\n", b"") or b"\r" in octets.replace(b"\r\n", b"") or max(map(len, lines)) > 998:
        return "lines are not as RFC 5322 wants them"
    message = email.message_from_bytes(octets)
    part = [part for part in message.walk() if part.get_content_type() == "application/gzip"]
    if message.defects or len(part) != 1:
        return f"no report in it: {message.defects}"
    with open(os.path.join(os.path.dirname(path), part[0].get_filename()), "rb") as file:
        return None if file.read() == part[0].get_payload(decode=True) else "another report in it"


def read_by_parsedmarc(folder, files):
    """How many reports parsedmarc reads otherwise, as file and as mail."""
    import parsedmarc

    wrong = 0
    for name, known in sorted(files.items()):
        identity = name.rsplit("!", 1)[1].removesuffix(".xml.gz")
        for path in [name, identity + ".eml"]:
            try:
                report = parsedmarc.parse_report_file(os.path.join(folder, path), offline=True, always_use_local_files=True)["report"]
                sums = sum(record["count"] for record in report["records"])
                same = (sums, report["report_metadata"]["report_id"], report["policy_published"]["domain"]) == (known["sum"], identity, known["domain"])
                complaint = None if same else f"{sums} messages of {known['sum']}"
            except Exception as error:  # whatever it does not understand is a finding
                complaint = f"{type(error).__name__}: {error}"
            if complaint:
                wrong += 1
                print(f"parsedmarc: {path[-40:]}: {complaint[:300]}")
    return wrong


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--messages", type=int, default=10_000)
    arguments = arguments.parse_args()
    driver = os.path.join(os.path.dirname(os.environ["POSTERN"]), "judge-driver")
    chance = random.Random(9990)
    records = domains(chance)
    messages = [event(chance, number, records) for number in range(arguments.messages)]
    lines = io.StringIO()
    for message in messages:
        lines.write(json.dumps(message) + "\n")
    check = validators()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        answer = json.loads(subprocess.run([driver, "reports", folder], input=lines.getvalue(), check=True, capture_output=True, text=True).stdout)
        wanted = [message for message in messages if counts(message)]
        sums = collections.Counter()
        for name in answer["files"]:
            with gzip.open(os.path.join(folder, name)) as file:
                text = file.read()
            sums += our_sums(text)
            complaints = [(validator, judge(text)) for validator, judge in check.items()]
            complaints.append(("mail", well_formed_mail(os.path.join(folder, name.rsplit("!", 1)[1].removesuffix(".xml.gz") + ".eml"))))
            for validator, complaint in complaints:
                if complaint:
                    wrong += 1
                    print(f"{validator}: {name}: {complaint[:300]}")
        print(f"{answer['read']} messages, {answer['counted']} that count, {len(answer['files'])} reports of {sum(file['rows'] for file in answer['files'].values())} rows: {wrong} are not as {', '.join(check) or 'mail readers'} want them")
        seen = [dict(sums), answer["read"], answer["counted"], answer["mayCause"], answer["passed"]]
        told = [dict(dispositions(wanted)), len(messages), len(wanted), sum(map(causes, wanted)), sum(message["dmarc"]["result"] == "pass" for message in wanted)]
        if seen != told:
            wrong += 1
            print(f"the sums differ: {seen}, wanted {told}")
        if has("parsedmarc"):
            misread = read_by_parsedmarc(folder, answer["files"])
            wrong += misread
            print(f"parsedmarc: {2 * len(answer['files'])} files and mails, {misread} misread")
        else:
            print("not run: parsedmarc, which is not installed")
    sys.exit(1 if wrong or not answer["files"] else 0)


main()
