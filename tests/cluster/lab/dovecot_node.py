"""A Dovecot node from the example files."""

import shutil

from harness import maildir

from .machine import Machine
from .project import examples

LMTP_PORT = 24
REPLICATION_PORT = 12345


class DovecotNode(Machine):
    kind = "dovecot"
    replication_port = REPLICATION_PORT
    before_pacemaker = ""
    server_process = "dovecot"
    mail_folder = "/var/vmail"
    inventory = {"type": "dovecot", "path": "/etc/dovecot/dovecot.conf", "marker": "/var/vmail/.dumpster-store"}

    @property
    def deliver_to(self):
        return f"lmtp://{self.address}:{LMTP_PORT}"

    @property
    def mail(self):
        return self.disk / self.mail_folder.lstrip("/")

    def install_mail_server(self, peer_address, mailboxes):
        text = (examples() / "dovecot/dovecot.conf").read_text().replace("192.0.2.12", peer_address)
        self.install(text, "/etc/dovecot/dovecot.conf")
        for role in ("active", "passive"):
            self.install(examples() / f"dovecot/role.conf.{role}", f"/etc/dovecot/role.conf.{role}")
        users = "".join(f"{mailbox}:{{PLAIN}}secret::::/var/vmail/{mailbox}/home::\n" for mailbox in mailboxes)
        self.install(users, "/etc/dovecot/users")
        self.mail.mkdir(parents=True, exist_ok=True)
        shutil.chown(self.mail, "mail", "mail")

    def prepare_accounts(self):
        """They stand in /etc/dovecot/users."""

    def prepare_mailboxes(self, mailboxes):
        """Dovecot makes mailboxes by itself."""

    def copies(self):
        return maildir.copies(self.mail)

    def log(self):
        return self.read("/var/log/dovecot.log")
