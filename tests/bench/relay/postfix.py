"""A private Postfix: own configuration, queue and ports, started and stopped through its own directory."""

import subprocess

from harness.processes import answers, free_port, wait_until

MAIN = """compatibility_level = 3.6
queue_directory = {base}/queue
data_directory = {base}/data
maillog_file = {base}/mail.log
maillog_file_prefixes = {base}
myhostname = postfix.example.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
relay_domains = example.test
relay_recipient_maps =
relay_transport = lmtp:inet:127.0.0.1:{node}
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
message_size_limit = 40000000
biff = no
"""

MASTER = """127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """Relays everything for example.test to the LMTP node on `node_port`. What it answers 250 for is synced."""

    def __init__(self, workspace, node_port):
        self.base = workspace.base / "postfix"
        self.smtp_port = free_port()
        etc = self.base / "etc"
        for name in ("etc", "queue", "data"):
            (self.base / name).mkdir(parents=True)
        (etc / "main.cf").write_text(MAIN.format(base=self.base, node=node_port))
        (etc / "master.cf").write_text(MASTER.format(port=self.smtp_port))
        subprocess.run(["chown", "postfix:postfix", self.base / "data"], check=True)
        workspace.own(self)

    def _command(self, verb, **options):
        return subprocess.run(
            ["postfix", "-c", self.base / "etc", verb], stdin=subprocess.DEVNULL, capture_output=True, text=True, **options
        )

    def start(self):
        self._command("start", check=True)
        wait_until(lambda: answers("127.0.0.1", self.smtp_port), 30, "Postfix answers")
        return self

    def kill(self):
        if (self.base / "queue" / "pid" / "master.pid").exists():
            self._command("stop")
