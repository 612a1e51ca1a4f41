"""A private Postfix in front of the hub, as most sites have one: it relays all that it gets. Needs root."""

import os
import pathlib
import shutil
import subprocess

from .postfix import MASTER_PROGRAM
from .processes import Process, answers, free_port, wait_until

MAIN = """\
compatibility_level = 3.6
queue_directory = {base}/queue
data_directory = {base}/data
maillog_file = {base}/mail.log
maillog_file_prefixes = {base}
syslog_name = upstream
myhostname = upstream.example.net
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
relay_domains = example.test
relay_recipient_maps =
relay_transport = {transport}
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_peername_lookup = no
smtp_send_xforward_command = yes
lmtp_send_xforward_command = yes
smtp_tls_security_level = {level}
lmtp_tls_security_level = {level}
smtp_tls_CAfile = {authority}
lmtp_tls_CAfile = {authority}
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
biff = no
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def available():
    return os.geteuid() == 0 and shutil.which("postfix") is not None


class UpstreamPostfix:
    def __init__(self, workspace, transport, authority=None):
        """`transport`: `lmtp:inet:127.0.0.1:PORT` or `relay:[127.0.0.1]:PORT`. With `authority` TLS is demanded."""
        self.base = pathlib.Path(workspace.base) / "upstream"
        self.port = free_port()
        self.process = None
        for folder in ("etc", "queue", "data"):
            (self.base / folder).mkdir(parents=True)
        shutil.chown(self.base / "data", "postfix", "postfix")
        (self.base / "data").chmod(0o700)
        values = {"base": self.base, "port": self.port, "transport": transport, "authority": authority or ""}
        values["level"] = "encrypt" if authority else "none"
        (self.base / "etc/main.cf").write_text(MAIN.format(**values))
        (self.base / "etc/master.cf").write_text(MASTER.format(**values))
        workspace.own(self)

    def start(self):
        subprocess.run(["postfix", "-c", self.base / "etc", "check"], check=True, capture_output=True, stdin=subprocess.DEVNULL)
        # -d: it stays in the session, and is ended with it.
        self.process = Process([MASTER_PROGRAM, "-c", self.base / "etc", "-d"], self.base / "out.log")
        wait_until(lambda: answers("127.0.0.1", self.port), 20, "Postfix answers")
        return self

    def kill(self):
        if self.process:
            self.process.kill()
