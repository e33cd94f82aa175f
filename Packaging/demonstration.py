"""The five messages of Packaging/demo, through a private Postfix and Postern with an embedded zone."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Tests", "Integration"))

import daemon
import mail
import mta

ZONE = """\
$TTL 300
. IN SOA ns.example. hostmaster.example. 1 3600 600 86400 300
example.com.        IN TXT "v=spf1 ip4:192.0.2.10 -all"
_dmarc.example.com. IN TXT "v=DMARC1; p=none"
relay.example.      IN TXT "v=spf1 ip4:192.0.2.10 -all"
enrolled.example.   IN TXT "v=spf1 ip4:192.0.2.99 -all"
"""

RULES = """\
[[rules]]
name = "spf-strict"
when = { spf = "fail" }
action = "reject"

[[rules]]
name = "enrolled-sender-id"
when = { sender_id = "fail", sender_domains = ["enrolled.example"], recipient_domains = ["protected.example"] }
action = "reject"
reply = "550 5.7.1 Sender ID (PRA) fail: {explanation}"
"""


def messages():
    """Title, client, MAIL FROM, RCPT TO and content of each."""
    key = mail.key("example.com")
    signed = key.sign(mail.letter(author="alice@example.com", body=b"Please pay 10 crowns.\r\n"))
    altered = signed.replace(b"10 crowns", b"99 crowns")
    news = mail.letter(author="news@enrolled.example")
    yield "A permitted client, and a valid signature", "192.0.2.10", "alice@example.com", "bob@open.example", signed
    yield "A client that SPF's -all excludes", "192.0.2.66", "alice@example.com", "bob@open.example", signed
    yield (
        "An enrolled sender fails Sender ID at a protected recipient domain",
        "192.0.2.10", "bounce@relay.example", "bob@protected.example", news,
    )
    yield (
        "The same at a recipient domain that is not protected",
        "192.0.2.10", "bounce@relay.example", "bob@open.example", news,
    )
    yield "The body altered after signing", "192.0.2.10", "alice@example.com", "bob@open.example", altered


def show(title, lines):
    print(f"   {title}:")
    for line in lines:
        print("     ", line)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    zone = ZONE + mail.key("example.com").record
    with daemon.Postern(RULES, zone, mode="enforce") as postern, mta.Postfix(postern.unix) as postfix:
        print("\nPostfix with Postern as its milter. The rules, in enforce mode:\n\n" + RULES)
        for number, (title, client, sender, recipient, message) in enumerate(messages(), 1):
            print(f"{number}. {title}\n   client {client}, from <{sender}>, to <{recipient}>")
            logged = len(postern.lines())
            postfix.empty_mailboxes()
            outcome = mail.send(postfix, message, sender, recipient, client=client)
            postfix.settle()
            show(f"SMTP reply to {outcome.stage.upper()}", [outcome.reply])
            delivered = postfix.delivered(recipient)
            if delivered:
                stamps = [f"{name}: {value}" for name, value in mail.stamped(delivered[0])]
                show("Stamped on what was delivered", [line.expandtabs(4) for stamp in stamps for line in stamp.splitlines()])
            else:
                print("   Nothing was delivered.")
            show("Log", [postern.line(after=logged)])
            print()


if __name__ == "__main__":
    main()
