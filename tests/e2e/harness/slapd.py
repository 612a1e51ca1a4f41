"""A directory server of the tests: a real slapd on loopback with the project's schema and example entries."""

import pathlib
import subprocess

from .processes import Process, answers, free_port, wait_until

SCRIPT = pathlib.Path(__file__).parents[2] / "integration/directory/private_slapd.sh"
PASSWORD = "change-me"


class Slapd:
    def __init__(self, workspace):
        self.base = workspace.base / "slapd"
        self.port = free_port()
        self.tls_port = free_port()
        self.process = None
        workspace.own(self)

    def start(self):
        command = [SCRIPT, self.base / "files", self.port, self.tls_port]
        self.process = Process(command, self.base / "slapd.log", {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        wait_until(lambda: answers("127.0.0.1", self.port), 30, lambda: f"slapd answers\n{self.process.output()}")
        return self

    def kill(self):
        if self.process:
            self.process.kill()

    def change(self, ldif):
        """LDIF with changetype, as the administrator."""
        command = ["ldapmodify", "-x", "-H", f"ldap://127.0.0.1:{self.port}", "-D", "cn=admin,dc=example,dc=test", "-w", "admin"]
        subprocess.run(command, input=ldif, text=True, check=True, capture_output=True, timeout=20)

    def table(self, workspace, **settings):
        """[directory] of a hub that asks this server, over StartTLS."""
        password = workspace.base / "ldap.password"
        password.write_text(f"{PASSWORD}\n")
        password.chmod(0o600)
        return {
            "type": "ldap",
            "url": f"ldap://127.0.0.1:{self.port}",
            "start_tls": True,
            "ca": self.base / "files" / "ca.crt",
            "bind_dn": "cn=hub,dc=example,dc=test",
            "bind_password_file": password,
            "base": "ou=mail,dc=example,dc=test",
            "filter": "(|(mail=%s)(dumpsterAddress=%s))",
            "storage_group_attribute": "dumpsterStorageGroup",
            "route_attribute": "dumpsterRoute",
            "mailbox_attribute": "dumpsterMailbox",
            "alias_attribute": "dumpsterAlias",
            "timeout": "2s",
            **settings,
        }
