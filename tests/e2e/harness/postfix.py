"""A private Postfix as a smarthost: STARTTLS and AUTH (Cyrus SASL) demanded, everything relayed to one place. Needs root."""

import os
import pathlib
import shutil
import subprocess

from .processes import Process, answers, free_port, wait_until

HOST = "smart.example.test"
MASTER_PROGRAM = "/usr/lib/postfix/sbin/master"
MAIN = """\
compatibility_level = 3.6
queue_directory = {base}/queue
data_directory = {base}/data
maillog_file = {base}/mail.log
maillog_file_prefixes = {base}
syslog_name = smarthost
myhostname = {host}
mydestination =
mynetworks = 192.0.2.254/32
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
default_transport = smtp:[{next_address}]:{next_port}
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = {host}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
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
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
SASL = """\
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {base}/sasldb
mech_list: PLAIN LOGIN
"""


def available():
    """Why Postfix cannot be run here, or nothing."""
    if os.geteuid() != 0:
        return "Postfix needs root"
    for program in ("postfix", "saslpasswd2"):
        if not shutil.which(program):
            return f"{program} is not installed"
    return None


class Smarthost:
    def __init__(self, workspace, certificate, user, password, next_hop):
        """`next_hop`: an object with `address` and `port` that takes SMTP."""
        self.base = pathlib.Path(workspace.base) / "smarthost"
        self.certificate = certificate
        self.user, self.password = user, password
        self.next_hop = next_hop
        self.port = free_port()
        self.process = None
        workspace.own(self)

    def prepare(self):
        values = {
            "base": self.base,
            "host": HOST,
            "port": self.port,
            "certificate": self.certificate.path,
            "key": self.certificate.key,
            "next_address": self.next_hop.address,
            "next_port": self.next_hop.port,
        }
        for folder in ("etc/sasl", "queue", "data"):
            (self.base / folder).mkdir(parents=True)
        shutil.chown(self.base / "data", "postfix", "postfix")
        (self.base / "data").chmod(0o700)
        (self.base / "etc/main.cf").write_text(MAIN.format(**values))
        (self.base / "etc/master.cf").write_text(MASTER.format(**values))
        # Where Debian looks for it, beside main.cf.
        (self.base / "etc/sasl/smtpd.conf").write_text(SASL.format(**values))
        command = ["saslpasswd2", "-p", "-c", "-f", self.base / "sasldb", "-u", HOST, self.user]
        subprocess.run(command, input=self.password, text=True, check=True, capture_output=True)
        shutil.chown(self.base / "sasldb", "postfix", "postfix")

    def start(self):
        self.prepare()
        subprocess.run(["postfix", "-c", self.base / "etc", "check"], check=True, capture_output=True, stdin=subprocess.DEVNULL)
        # -d: it stays in the session, and is ended with it.
        self.process = Process([MASTER_PROGRAM, "-c", self.base / "etc", "-d"], self.base / "out.log")
        wait_until(lambda: answers("127.0.0.1", self.port), 20, lambda: f"Postfix answers\n{self.log()}")
        return self

    def log(self):
        logs = [path for path in (self.base / "out.log", self.base / "mail.log") if path.exists()]
        return "\n".join(path.read_text(errors="replace") for path in logs)

    def kill(self):
        if self.process:
            self.process.kill()

    stop = kill
