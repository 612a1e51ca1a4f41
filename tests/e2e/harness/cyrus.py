"""Private Cyrus 3.6 nodes on loopback: an active one, and a passive one that it replicates to. Need root."""

import collections
import imaplib
import json
import os
import pathlib
import shutil
import signal
import subprocess

from . import maildir
from .processes import Process, answers, free_port, session_members, wait_until

TOOLS = pathlib.Path("/usr/lib/cyrus/bin")
PASSWORD = "secret"

SETTINGS = """\
configdirectory: {base}/conf
proc_path: {base}/run/proc
mboxname_lockpath: {base}/run/lock
defaultpartition: default
partition-default: {base}/spool
sievedir: {base}/sieve
lmtpsocket: {base}/run/lmtp
idlesocket: {base}/run/idle
notifysocket: {base}/run/notify
servername: {name}
virtdomains: userid
admins: cyrus
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {base}/sasldb2
sasl_mech_list: PLAIN LOGIN
syslog_prefix: {name}
umask: 077
sync_log: 1
sync_host: {peer_address}
sync_port: {peer_port}
sync_authname: cyrus
sync_password: {password}
sync_repeat_interval: 1
sync_shutdown_file: {base}/run/sync_shutdown
"""

SERVICES = """\
START {{
  recover cmd="{tools}/ctl_cyrusdb -C {base}/imapd.conf -r"
}}
SERVICES {{
  imap cmd="{tools}/imapd -C {base}/imapd.conf" listen="{address}:{imap_port}" prefork=1 maxchild=20
  lmtp cmd="{tools}/lmtpd -C {base}/imapd.conf -a" listen="{address}:{lmtp_port}" prefork=1 maxchild=20
  syncserver cmd="{tools}/sync_server -C {base}/imapd.conf" listen="{address}:{sync_port}" prefork=1 maxchild=10
}}
EVENTS {{
  checkpoint cmd="{tools}/ctl_cyrusdb -C {base}/imapd.conf -c" period=30
}}
"""


def available():
    """Why Cyrus cannot be run here, or nothing."""
    if os.geteuid() != 0:
        return "Cyrus nodes need root"
    if not (TOOLS / "sync_server").exists() or not shutil.which("saslpasswd2"):
        return "cyrus-imapd is not installed"
    return None


class CyrusNode:
    """One mailbox node. Mailboxes are named by the full address."""

    def __init__(self, name, base, address, mailboxes):
        self.name = name
        self.base = pathlib.Path(base) / name
        self.address = address
        self.mailboxes = list(mailboxes)
        self.imap_port, self.lmtp_port, self.sync_port = (free_port(address) for _ in range(3))
        self.peer = None
        self.process = None
        self.replication = None

    @property
    def deliver_to(self):
        return f"lmtp://{self.address}:{self.lmtp_port}"

    @property
    def configuration(self):
        return self.base / "imapd.conf"

    def prepare(self):
        folders = ("conf/db", "conf/log", "conf/socket", "spool", "sieve", "run/proc", "run/lock")
        for folder in folders:
            (self.base / folder).mkdir(parents=True)
        values = {
            "base": self.base,
            "name": self.name,
            "tools": TOOLS,
            "address": self.address,
            "imap_port": self.imap_port,
            "lmtp_port": self.lmtp_port,
            "sync_port": self.sync_port,
            "peer_address": self.peer.address,
            "peer_port": self.peer.sync_port,
            "password": PASSWORD,
        }
        self.configuration.write_text(SETTINGS.format(**values))
        (self.base / "cyrus.conf").write_text(SERVICES.format(**values))
        command = ["saslpasswd2", "-p", "-c", "-f", str(self.base / "sasldb2"), "-u", self.name, "cyrus"]
        subprocess.run(command, input=PASSWORD, text=True, check=True, capture_output=True, timeout=30)
        subprocess.run(["chown", "-R", "cyrus:mail", str(self.base)], check=True, timeout=30)

    def start(self):
        self.prepare()
        command = [TOOLS / "master", "-D", "-C", self.configuration, "-M", self.base / "cyrus.conf"]
        self.process = Process([*command, "-p", self.base / "run" / "master.pid"], self.base / "out.log")
        ports = (self.imap_port, self.lmtp_port, self.sync_port)
        wait_until(lambda: all(answers(self.address, port) for port in ports), 20, lambda: f"{self.name} answers\n{self.log()}")

    def log(self):
        path = self.base / "out.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def create_mailboxes(self):
        with imaplib.IMAP4(self.address, self.imap_port, timeout=30) as client:
            client.login("cyrus", PASSWORD)
            for mailbox in self.mailboxes:
                answer = client.create(f"user/{mailbox}")
                if answer[0] != "OK":
                    raise AssertionError(f"{mailbox} cannot be created: {answer}")

    def replicate(self):
        """Starts rolling replication to the peer, and waits until that has all mailboxes."""
        client = Process([TOOLS / "sync_client", "-C", self.configuration, "-A"], self.base / "sync.log")
        client.wait(60)
        self.replication = Process([TOOLS / "sync_client", "-C", self.configuration, "-r"], self.base / "sync.log")
        wait_until(lambda: len(self.peer.folders()) >= len(self.mailboxes), 30, lambda: f"replicated\n{self.log()}")

    def pause_replication(self):
        """What is delivered from now on stays on this node."""
        for process, _ in session_members(self.replication.id):
            os.kill(process, signal.SIGSTOP)

    def kill(self):
        """kill -9 of every process of the node."""
        for process in (self.replication, self.process):
            if process:
                process.kill()

    def folders(self):
        """{mailbox: directory of its inbox}."""
        command = [TOOLS / "ctl_mboxlist", "-C", self.configuration, "-d"]
        listed = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=30)
        found = {}
        for name, entry in json.loads(listed.stdout or "{}").items():
            domain, _, local = name.partition("!user.")
            unique = entry["uniqueid"]
            if local and "." not in local:
                found[f"{local.replace('^', '.')}@{domain}"] = self.base / "spool" / "uuid" / unique[0] / unique[1] / unique
        return found

    def copies(self):
        """Counter of (mailbox, message id)."""
        found = collections.Counter()
        for mailbox, folder in self.folders().items():
            for path in folder.glob("*[0-9]."):
                message_id = maildir.header_of(path, "Message-ID")
                found[mailbox, message_id.strip("<>")] += 1
        return found

    def settled_copies(self, quiet=1.0, seconds=30):
        """The copies once they have not changed for `quiet` seconds."""
        last = [None]

        def unchanged():
            before, last[0] = last[0], self.copies()
            return before is not None and before == last[0]

        wait_until(unchanged, seconds, f"the mail of {self.name} settles", pause=quiet)
        return last[0]


def pair(base, mailboxes, names=("node1", "node2"), addresses=("127.0.0.13", "127.0.0.14")):
    """Two nodes, not started; either can replicate to the other."""
    first, second = (CyrusNode(name, base, address, mailboxes) for name, address in zip(names, addresses))
    first.peer, second.peer = second, first
    return first, second


def start_pair(workspace, first, second):
    """Starts both and replicates the first to the second."""
    for node in (second, first):
        workspace.own(node).start()
    first.create_mailboxes()
    first.replicate()
