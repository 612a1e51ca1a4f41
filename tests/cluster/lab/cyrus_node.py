"""A Cyrus node from the example files."""

import collections
import imaplib
import re

from harness.processes import wait_until

from .machine import Machine
from .project import examples

LMTP_PORT = 2003
REPLICATION_PORT = 2005
PASSWORD = "replication-secret"
# What Debian's unit and tmpfiles do.
BOOT = """\
mkdir -p /run/cyrus/{proc,lock,socket} /var/lib/cyrus /var/spool/cyrus/mail /var/spool/sieve
chown -R cyrus:mail /run/cyrus /var/lib/cyrus /var/spool/cyrus /var/spool/sieve
"""


class CyrusNode(Machine):
    kind = "cyrus"
    replication_port = REPLICATION_PORT
    before_pacemaker = BOOT
    server_process = "master"
    inventory = {"type": "cyrus", "path": "/etc/imapd.conf"}

    @property
    def deliver_to(self):
        return f"lmtp://{self.address}:{LMTP_PORT}"

    def install_mail_server(self, peer_address, mailboxes):
        text = (examples() / "cyrus/imapd.conf").read_text().replace("192.0.2.12", peer_address)
        self.install(text, "/etc/imapd.conf")
        for role in ("active", "passive"):
            self.install(examples() / f"cyrus/cyrus.conf.{role}", f"/etc/cyrus.conf.{role}")
        self.mailboxes = list(mailboxes)

    def prepare_accounts(self):
        """On the running machine: the accounts for replication, administration and readers."""
        for mailbox in ["cyrus", *self.mailboxes]:
            name, _, domain = mailbox.partition("@")
            self.run(
                "sh", "-c",
                f"echo {PASSWORD} | saslpasswd2 -p -c -f /etc/cyrus-sasldb2 -u {domain or 'mail.example.test'} {name} && "
                "chown cyrus:mail /etc/cyrus-sasldb2",
            )

    def login(self, name):
        client = imaplib.IMAP4(self.address, 143, timeout=20)
        client.login(name, PASSWORD)
        return client

    def prepare_mailboxes(self, mailboxes):
        """On the active node; waits until the other one has them."""
        client = self.login("cyrus")
        for mailbox in mailboxes:
            status, answer = client.create(f"user/{mailbox}")
            if status != "OK" and b"exists" not in answer[0]:
                raise AssertionError(f"{mailbox}: {answer}")
        client.logout()
        wait_until(lambda: self.peer.has(mailboxes), 60, "the mailboxes are replicated", pause=0.5)

    def has(self, mailboxes):
        try:
            for mailbox in mailboxes:
                client = self.login(mailbox)
                status, _ = client.select("INBOX", readonly=True)
                client.logout()
                if status != "OK":
                    return False
        except (OSError, imaplib.IMAP4.error):
            return False
        return True

    def copies(self):
        """As a reader sees them, over IMAP."""
        found = collections.Counter()
        for mailbox in self.mailboxes:
            client = self.login(mailbox)
            status, count = client.select("INBOX", readonly=True)
            if status == "OK" and int(count[0]):
                _, fields = client.uid("FETCH", "1:*", "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
                for field in fields:
                    if isinstance(field, tuple):
                        found[mailbox, re.search(rb"<(.*)>", field[1]).group(1).decode()] += 1
            client.logout()
        return found

    def log(self):
        return self.read("/var/log/cyrus.log")
