"""Mailman 3 unpacked and not installed: one process is one list, from its creation to the delivery of one post.

    mailman_list.py PACKAGES VAR PORT SETTINGS < post

PACKAGES is where Debian's packages are unpacked, VAR a new folder for Mailman, PORT where its mail goes by SMTP; SETTINGS the
attributes of the list that differ from their defaults, in JSON; "footer" is the text
below each post.
"""

import json
import os
import site
import sys

LIST, MEMBER = "tea@lists.example", "bob@example.org"

CONFIGURATION = """\
[mailman]
layout: here
site_owner: owner@lists.example
default_language: en
[paths.here]
var_dir: {var}
[database]
class: mailman.database.sqlite.SQLiteDatabase
url: sqlite:///{var}/mailman.db
[mta]
incoming: mailman.mta.null.NullMTA
smtp_host: 127.0.0.1
smtp_port: {port}
[archiver.mhonarc]
enable: no
[archiver.mail_archive]
enable: no
[archiver.prototype]
enable: no
"""

def main():
    packages, var, port, settings = sys.argv[1:]
    # These packages are parts of namespaces, which only a site folder can join.
    site.addsitedir(os.path.join(packages, "usr/lib/python3/dist-packages"))
    from mailman.core.initialize import initialize

    path = os.path.join(var, "mailman.cfg")
    with open(path, "w", encoding="utf-8") as file:
        file.write(CONFIGURATION.format(var=var, port=port))
    initialize(path)
    from mailman.rules import dmarc

    # Every author of the trial has p=reject, and there is no DNS to ask.
    dmarc.maybe_mitigate = lambda *_: True
    make_list(json.loads(settings))
    post(sys.stdin.buffer.read())


def make_list(settings):
    from mailman.app.lifecycle import create_list
    from mailman.database.transaction import transaction
    from mailman.interfaces.action import Action
    from mailman.interfaces.domain import IDomainManager
    from mailman.interfaces.mailinglist import DMARCMitigateAction
    from mailman.interfaces.member import MemberRole
    from mailman.interfaces.usermanager import IUserManager
    from zope.component import getUtility

    with transaction():
        getUtility(IDomainManager).add(LIST.partition("@")[2])
        mailing_list = create_list(LIST)
        mailing_list.default_nonmember_action = Action.accept
        if "footer" in settings:
            set_footer(mailing_list, settings.pop("footer"))
        for name, value in settings.items():
            setattr(mailing_list, name, DMARCMitigateAction[value] if name == "dmarc_mitigate_action" else value)
        address = getUtility(IUserManager).create_address(MEMBER)
        address.verified_on = mailing_list.created_at
        mailing_list.subscribe(address, MemberRole.member)


def set_footer(mailing_list, text):
    from mailman.config import config
    from mailman.interfaces.template import ITemplateManager
    from zope.component import getUtility

    path = os.path.join(config.VAR_DIR, "footer.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    getUtility(ITemplateManager).set("list:member:regular:footer", mailing_list.list_id, f"file://{path}")


def post(text):
    from mailman.app.inject import inject_text
    from mailman.config import config
    from mailman.core.switchboard import Switchboard
    from mailman.interfaces.listmanager import IListManager
    from mailman.runners.incoming import IncomingRunner
    from mailman.runners.outgoing import OutgoingRunner
    from mailman.runners.pipeline import PipelineRunner
    from zope.component import getUtility

    inject_text(getUtility(IListManager).get(LIST), text.decode("utf-8", "surrogateescape"), switchboard="in")
    for name, runner in (("in", IncomingRunner), ("pipeline", PipelineRunner), ("out", OutgoingRunner)):
        # The loop that a daemon runs, once.
        runner(name)._one_iteration()
    left = {name: len(Switchboard(name, os.path.join(config.QUEUE_DIR, name)).files) for name in ("in", "pipeline", "out", "shunt")}
    print({name: count for name, count in left.items() if count})


main()
