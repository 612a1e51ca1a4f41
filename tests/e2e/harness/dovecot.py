"""Private Dovecot 2.3 nodes: one alone, or a pair with asynchronous replication over doveadm. Need root."""

import os
import pathlib
import shutil
import signal
import subprocess

from . import maildir
from .processes import Process, answers, free_port, session_members, wait_until

MAIL_USER = "mail"

CONFIGURATION = """\
base_dir = {base}/run
state_dir = {base}/state
instance_name = {name}
log_path = {base}/dovecot.log
protocols = lmtp
listen = {address}
{ssl}
default_internal_user = dovecot
default_login_user = dovenull
mail_location = maildir:{base}/mail/%Lu
mail_uid = {mail_user}
mail_gid = {mail_user}
first_valid_uid = 1
mail_fsync = always
mail_plugins = {plugins}
auth_username_format = %Lu
passdb {{
  driver = passwd-file
  args = scheme=plain {base}/users
}}
userdb {{
  driver = passwd-file
  args = {base}/users
}}
namespace inbox {{
  inbox = yes
}}
service lmtp {{
  inet_listener lmtp {{
    address = {address}
    port = {lmtp_port}
  }}
  process_min_avail = 2
}}
service doveadm {{
  inet_listener {{
    address = {address}
    port = {doveadm_port}
  }}
  user = root
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
doveadm_password = replication
lmtp_save_to_detail_mailbox = no
protocol lmtp {{
  postmaster_address = postmaster@example.test
}}
"""

SIEVE = """\
protocol lmtp {{
  mail_plugins = $mail_plugins sieve
}}
plugin {{
  sieve = file:{homes}/%Lu.sieve
}}
"""

REPLICATION = """\
service replicator {{
  process_min_avail = 1
  unix_listener replicator-doveadm {{
    mode = 0666
  }}
}}
service aggregator {{
  fifo_listener replication-notify-fifo {{
    mode = 0666
  }}
  unix_listener replication-notify {{
    mode = 0666
  }}
}}
replication_max_conns = 10
plugin {{
  mail_replica = tcp:{peer_address}:{peer_port}
}}
"""


def available():
    """Why Dovecot cannot be run here, or nothing."""
    if os.geteuid() != 0:
        return "Dovecot nodes need root"
    if not shutil.which("dovecot") or not pathlib.Path("/usr/lib/dovecot/lmtp").exists():
        return "dovecot-lmtpd is not installed"
    return None


def sieve_available():
    """Why Dovecot cannot be run here with Sieve, or nothing."""
    if available():
        return available()
    if not list(pathlib.Path("/usr/lib/dovecot").glob("**/lib90_sieve_plugin.so")):
        return "dovecot-sieve is not installed"
    return None


class DovecotNode:
    """One mailbox node with its own processes, mail and addresses. Mailboxes are named by the full address."""

    def __init__(self, name, base, address, mailboxes):
        self.name = name
        self.base = pathlib.Path(base) / name
        self.address = address
        self.mailboxes = list(mailboxes)
        self.lmtp_port = free_port(address)
        self.doveadm_port = free_port(address)
        self.peer = None
        self.certificate = None  # with `path` and `key`: STARTTLS is offered
        self.settings = ""  # behind the others
        self.plugins = []
        self.user_fields = {}  # mailbox: extra fields of its user, e.g. a quota rule
        self.scripts = {}  # mailbox: its Sieve script
        self.process = None

    @property
    def deliver_to(self):
        return f"lmtp://{self.address}:{self.lmtp_port}"

    @property
    def configuration(self):
        return self.base / "dovecot.conf"

    @property
    def mail(self):
        return self.base / "mail"

    def prepare(self):
        for folder in (self.base, self.base / "run", self.base / "state"):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)
        homes = self.base / "homes"
        for folder in (self.mail, homes):
            folder.mkdir(exist_ok=True)
            shutil.chown(folder, MAIL_USER, MAIL_USER)
        fields = {mailbox: self.user_fields.get(mailbox, "") for mailbox in self.mailboxes}
        users = "".join(f"{mailbox}:{{PLAIN}}none::::{homes}/{mailbox}::{more}\n" for mailbox, more in fields.items())
        (self.base / "users").write_text(users)
        for mailbox, script in self.scripts.items():
            (homes / f"{mailbox}.sieve").write_text(script)
            (homes / mailbox).mkdir(exist_ok=True)  # for what Sieve remembers
            shutil.chown(homes / mailbox, MAIL_USER, MAIL_USER)
        own = self.certificate
        values = {
            "ssl": f"ssl = yes\nssl_cert = <{own.path}\nssl_key = <{own.key}" if own else "ssl = no",
            "name": self.name,
            "base": self.base,
            "address": self.address,
            "lmtp_port": self.lmtp_port,
            "doveadm_port": self.doveadm_port,
            "mail_user": MAIL_USER,
            "plugins": " ".join([*self.plugins, *(["notify", "replication"] if self.peer else [])]),
        }
        text = CONFIGURATION.format(**values)
        if self.peer:
            text += REPLICATION.format(peer_address=self.peer.address, peer_port=self.peer.doveadm_port)
        if self.scripts:
            text += SIEVE.format(homes=homes)
        self.configuration.write_text(text + self.settings)

    def start(self):
        self.prepare()
        self.process = Process(["dovecot", "-F", "-c", self.configuration], self.base / "out.log")
        wait_until(
            lambda: answers(self.address, self.lmtp_port) and answers(self.address, self.doveadm_port),
            20,
            lambda: f"{self.name} answers\n{self.log()[-3000:]}",
        )

    def wait_replicating(self):
        """Waits for the first full synchronisation of every mailbox. What is delivered within the same second may be
        overlooked by the replicator, which counts in seconds."""

        def synchronised():
            lines = self.doveadm("replicator", "status", "*").stdout.splitlines()[1:]
            ages = {fields[0]: fields[-2] for fields in map(str.split, lines) if len(fields) >= 6}
            return all(ages.get(mailbox, "-") > "00:00:01" for mailbox in self.mailboxes)

        wait_until(synchronised, 120, lambda: f"{self.name} replicates\n{self.log()[-3000:]}", pause=0.2)

    def log(self):
        logs = [path for path in (self.base / "out.log", self.base / "dovecot.log") if path.exists()]
        return "\n".join(path.read_text(errors="replace") for path in logs)

    def doveadm(self, *arguments):
        command = ["doveadm", "-c", str(self.configuration), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)

    def pause_replication(self):
        """Stops the processes that start transfers to the peer: what is delivered from now on stays on this node."""
        replicators = [process for process, name in session_members(self.process.id) if name == "replicator"]
        for process in replicators:
            os.kill(process, signal.SIGSTOP)
        return replicators

    def kill(self):
        """kill -9 of every process of the node."""
        if self.process:
            self.process.kill()

    def stop(self):
        if self.process and self.process.alive():
            self.process.stop()

    def copies(self):
        return maildir.copies(self.mail)

    def settled_copies(self, quiet=2.0, seconds=30):
        """The copies once they have not changed for `quiet` seconds: a survivor goes on storing what it had received."""
        last = [None]

        def unchanged():
            before, last[0] = last[0], self.copies()
            return before is not None and before == last[0]

        wait_until(unchanged, seconds, f"the mail of {self.name} settles", pause=quiet)
        return last[0]


def start_pair(workspace, first, second):
    """Starts two nodes and waits until the first replicates to the second."""
    for node in (second, first):
        workspace.own(node).start()
    first.wait_replicating()


def pair(base, mailboxes, names=("node1", "node2"), addresses=("127.0.0.11", "127.0.0.12")):
    """Two nodes that replicate to each other, not started."""
    first, second = (DovecotNode(name, base, address, mailboxes) for name, address in zip(names, addresses))
    first.peer, second.peer = second, first
    return first, second
