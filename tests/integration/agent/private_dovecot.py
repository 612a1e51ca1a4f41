"""A Dovecot of the test's own: LMTP on a free loopback port, everything else in one directory. Needs root."""

import os
import pathlib
import signal
import smtplib
import socket
import subprocess
import time

CONFIGURATION = """\
base_dir = {base}/run
state_dir = {base}/run
log_path = {base}/log
protocols = lmtp
ssl = no
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
mail_location = maildir:{base}/mail/%u
passdb {{
  driver = passwd-file
  args = {base}/users
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
    address = 127.0.0.1
    port = {port}
  }}
}}
"""


def free_port():
    with socket.socket() as probe:
        for port in range(23000 + os.getpid() % 2000, 32000):
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


class PrivateDovecot:
    def __init__(self, base, users):
        self.base, self.port, self.process = pathlib.Path(base), free_port(), None
        self.base.chmod(0o755)
        (self.base / "mail").mkdir()
        subprocess.run(["chown", "mail:mail", self.base / "mail"], check=True)
        (self.base / "users").write_text("".join(f"{user}:{{PLAIN}}x::::/nonexistent::\n" for user in users))
        self.configuration = self.base / "dovecot.conf"
        self.configuration.write_text(CONFIGURATION.format(base=self.base, port=self.port))

    def __enter__(self):
        self.process = subprocess.Popen(["dovecot", "-F", "-c", self.configuration])
        deadline = time.monotonic() + 20
        while True:
            try:
                self.lmtp().quit()
                return self
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)

    def lmtp(self):
        return smtplib.LMTP("127.0.0.1", self.port)

    def deliver(self, user, text):
        client = self.lmtp()
        client.sendmail("sender@example.test", [user], text.replace("\n", "\r\n").encode())
        client.quit()

    def copy(self, user, folder):
        """Copies all of the inbox into another folder, as a user would."""
        doveadm = ["doveadm", "-c", self.configuration]
        subprocess.run([*doveadm, "mailbox", "create", "-u", user, folder], check=True)
        subprocess.run([*doveadm, "copy", "-u", user, folder, "mailbox", "INBOX", "all"], check=True)
