"""Delivers a stored message to a filter as an MTA would, and prints what it answers: a reply, and each changed field.

    deliver.py SOCKET QUEUE-ID CLIENT HELO SENDER RECIPIENT MESSAGE
"""

import email.parser
import email.policy
import sys

from milter_client import Milter

ANSWERS = {"a": "accepted", "c": "accepted", "d": "discarded", "r": "550 5.7.1 Command rejected", "t": "451 4.7.1 Try again later"}


def main(address, queue_id, client, helo, sender, recipient, message):
    with open(message, encoding="utf-8") as file:
        text = file.read()
    header = email.parser.HeaderParser(policy=email.policy.compat32).parsestr(text)
    macros = {"i": queue_id}
    with Milter("unix:" + address) as milter:
        milter.negotiate()
        milter.connect(helo, client)
        milter.helo(helo)
        answer = milter.message(
            header.items(), text.partition("\n\n")[2].replace("\n", "\r\n").encode(), (f"<{sender}>",), ((f"<{recipient}>",),),
            rcpt_macros=macros,
        )
        reply = getattr(answer, "reply", answer)
        print(reply.text if reply.command == "y" else ANSWERS[reply.command])
        milter.quit()
        # The filter closes the connection, and counts it as open no more.
        milter.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
