import smtplib
import ssl
import unittest

from case import ALICE, BOB, EndToEnd
from harness.certificates import Certificate
from harness.load import message
from harness.processes import wait_until


class RequireTls(EndToEnd):
    """RFC 8689 through two hubs: the first one's next hop is the second one. ALICE is on the first, BOB on the second."""

    def setUp(self):
        super().setUp()
        self.first_node, self.second_node = self.sinks("node1", "node2")
        self.certificate = Certificate(self.workspace.base, "tls")
        self.second = self.tls_hub([self.second_node], "hub2", mailboxes=[BOB])
        self.second.start()

    def tls_hub(self, nodes, name, **options):
        hub = self.clustered_hub(nodes, start=False, name=name, **options)
        listener = {"address": f"127.0.0.1:{hub.smtp_port}", "protocol": "smtp", "tls": "starttls"}
        hub.settings["listener"] = [{**listener, "certificate": self.certificate.path, "key": self.certificate.key}]
        return hub

    def first(self, next_hop):
        """The first hub, with what it knows of its next hop."""
        route = f"{BOB} smtp://127.0.0.1:{self.second.smtp_port}"
        settings = {"next_hop": [{"host": "127.0.0.1", "port": self.second.smtp_port, **next_hop}]}
        return self.tls_hub([self.first_node], "hub1", mailboxes=[ALICE], recipients=[route], settings=settings).start()

    def send_requiring_tls(self, hub, message_id):
        with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=30) as client:
            client.starttls(context=ssl.create_default_context(cafile=self.certificate.path))
            client.ehlo("client.example.net")
            client.sendmail(ALICE, [BOB], message(message_id, [BOB]), mail_options=["REQUIRETLS"])

    def test_a_next_hop_that_has_proved_who_it_is_takes_the_mail_and_keeps_the_demand(self):
        hub = self.first({"ca": self.certificate.path})
        self.send_requiring_tls(hub, "secret@x")
        wait_until(lambda: "message_id=secret@x" in self.second.log(), 30, "the second hub has it")
        hub.wait_spool_empty()
        self.assertEqual(self.first_node.copies(), {})
        # Its own node has no TLS: the demand has come along, and holds there, too.
        wait_until(lambda: "5.7.30" in self.second.log(), 30, self.second.log)
        self.assertEqual(self.second_node.transactions["secret@x"], 0)

    def test_a_next_hop_that_anybody_could_be_gets_nothing_and_the_sender_is_told(self):
        hub = self.first({})
        self.send_requiring_tls(hub, "secret@x")
        (notification,) = wait_until(self.first_node.bodies, 30, "the sender is told").values()
        self.assertIn(b"Status: 5.7.30", notification)
        self.assertNotIn("secret@x", self.second.log())

    def test_the_demand_is_refused_from_whoever_has_no_tls(self):
        hub = self.first({"ca": self.certificate.path})
        with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=30) as client, self.assertRaises(smtplib.SMTPSenderRefused) as refused:
            client.ehlo("client.example.net")
            client.sendmail(ALICE, [BOB], message("plain@x", [BOB]), mail_options=["REQUIRETLS"])
        self.assertGreaterEqual(refused.exception.smtp_code, 500)


if __name__ == "__main__":
    unittest.main()
