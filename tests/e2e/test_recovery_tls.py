import json
import ssl
import subprocess
import unittest

from case import EndToEnd
from harness.processes import wait_until


class RecoveryOverTls(EndToEnd):
    def certificate(self):
        """A certificate of its own for 127.0.0.1, and its key."""
        certificate, key = self.workspace.base / "tls.crt", self.workspace.base / "tls.key"
        subject = ["-subj", "/CN=hub1.example.test", "-addext", "subjectAltName=IP:127.0.0.1"]
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", certificate]
        subprocess.run([*command, *subject], check=True, capture_output=True)
        return certificate, key

    def test_an_agent_promotes_over_https_when_it_knows_the_authority_and_not_otherwise(self):
        node1, node2 = self.sinks("node1", "node2")
        certificate, key = self.certificate()
        hub = self.clustered_hub([node1, node2], settings={"recovery": {"certificate": certificate, "key": key}})
        mails = self.send(hub, ["lost@x"])
        self.wait_copies(node1, mails)
        hub.wait_spool_empty()
        node1.kill()
        agent = self.agent([hub], node2)
        agent.settings["hubs"] = [f"https://{hub.recovery_address}"]
        stranger = agent.run("promote", "--wait", "2s")
        self.assertEqual(stranger.returncode, 2, stranger.stdout + stranger.stderr)
        agent.settings["ca"] = certificate
        done = agent.run("fill", "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        json.loads(done.stdout)
        self.wait_copies(node2, mails)
        self.assertEqual(node2.copies(), {mail: 1 for mail in mails})

    def test_a_reload_takes_a_renewed_certificate_and_keeps_the_old_one_when_it_is_broken(self):
        (node,) = self.sinks("node1")
        certificate, key = self.certificate()
        hub = self.clustered_hub([node], settings={"recovery": {"certificate": certificate, "key": key}})
        host, port = hub.recovery_address.split(":")
        served = lambda: ssl.get_server_certificate((host, int(port)))  # noqa: E731
        old = served()
        self.certificate()
        hub.reload()
        wait_until(lambda: served() != old, 20, "the renewed certificate")
        new = served()
        certificate.write_text("broken")
        hub.reload()
        wait_until(lambda: "not reloaded" in hub.log(), 20, "a fault in the log")
        self.assertEqual(served(), new)

    def test_an_address_that_is_not_loopback_is_refused_without_tls(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node], settings={"recovery": {"address": "0.0.0.0:8025"}}, start=False)
        hub.write()
        checked = hub.check()
        self.assertEqual(checked.returncode, 1)
        self.assertIn("needs TLS", checked.stdout + checked.stderr)


if __name__ == "__main__":
    unittest.main()
