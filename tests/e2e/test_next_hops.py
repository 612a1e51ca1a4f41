import smtplib
import unittest

from case import ALICE, CLUSTER, EndToEnd
from harness import dovecot, postfix
from harness.certificates import Certificate
from harness.hub import Hub
from harness.lmtp_sink import LmtpSink
from harness.load import message
from harness.processes import wait_until

STRANGER = "somebody@elsewhere.test"


class Faults(EndToEnd):
    def setUp(self):
        super().setUp()
        self.hub = self.clustered_hub(self.sinks("node1"), start=False)

    def checked(self, next_hop, parameters=""):
        tables = Hub.tables(self.hub)
        tables["next_hop"] = [{"host": "127.0.0.1", **next_hop}]
        tables["cluster"][0]["node"][0]["deliver_to"] += parameters
        self.hub.tables = lambda: tables
        self.hub.write()
        return self.hub.check()

    def test_what_a_next_hop_cannot_mean_is_refused_with_its_line(self):
        for next_hop, parameters, sentence in (
            ({"ca": "/nowhere.pem"}, "", "/nowhere.pem"),
            ({"fingerprints": ["12:34"]}, "", "not a SHA-256"),
            ({"ca": "system", "fingerprints": ["ab" * 32]}, "", "exclude each other"),
            ({"certificate": "/some.crt"}, "", "belong together"),
            ({"auth": "/nowhere.auth"}, "", "/nowhere.auth"),
            ({"password": "secret"}, "", "password"),
            ({"host": "not a host"}, "", "host"),
            ({"fingerprints": ["ab" * 32]}, "?tls=none", "tls=none"),
        ):
            with self.subTest(next_hop):
                checked = self.checked(next_hop, parameters)
                self.assertEqual(checked.returncode, 1, checked.stdout + checked.stderr)
                self.assertIn(sentence, checked.stderr)

    def test_credentials_that_everybody_may_read_are_refused(self):
        credentials = self.workspace.base / "smart.auth"
        credentials.write_text("user:secret\n")
        for mode, accepted in ((0o644, False), (0o640, True)):
            credentials.chmod(mode)
            checked = self.checked({"auth": credentials})
            self.assertEqual(checked.returncode == 0, accepted, checked.stderr)

    def test_tls_without_verification_is_allowed_and_warned_about(self):
        checked = self.checked({"chunking": False}, "?tls=starttls")
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertIn(f"node {CLUSTER}/node1", checked.stderr)
        self.assertIn("not verified", checked.stderr)


class PlainNextHops(EndToEnd):
    def test_a_node_named_by_its_host_is_reached_at_whichever_address_answers(self):
        (node,) = self.sinks("node1")  # on 127.0.0.1 alone; localhost is ::1 as well
        hub = self.clustered_hub([node], start=False)
        tables = hub.tables()
        tables["cluster"][0]["node"][0]["deliver_to"] = f"lmtp://localhost:{node.port}"
        hub.tables = lambda: tables
        hub.start()
        self.wait_copies(node, self.send(hub, ["named@x"]))

    def test_a_node_without_starttls_gets_nothing_where_tls_is_demanded_until_that_is_taken_back(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node], start=False, settings={"next_hop": [{"host": "127.0.0.1", "fingerprints": ["ab" * 32]}]})
        hub.start()
        mails = self.send(hub, ["secret@x"])
        wait_until(lambda: "does not offer STARTTLS" in hub.log(), 20, "the reason is logged")
        self.assertEqual(node.transactions["secret@x"], 0)
        hub.settings["next_hop"] = [{"host": "127.0.0.1"}]
        hub.write()
        hub.reload()
        self.wait_copies(node, mails)


    def test_a_body_that_the_next_hop_cannot_take_comes_back_with_its_code_and_one_that_it_can_goes_out(self):
        (node,) = self.sinks("node1")
        old = LmtpSink(self.workspace, "old", protocol="smtp").start()
        old.extensions = ["PIPELINING"]
        hub = self.clustered_hub([node], recipients=[f"{STRANGER} {old.deliver_to}"])
        for message_id, text in (("ascii@x", "plain"), ("eight@x", "gr\u00fcn")):
            data = f"Message-ID: <{message_id}>\r\nSubject: x\r\n\r\n{text}\r\n".encode()
            with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=30) as client:
                client.sendmail(ALICE, [STRANGER], data, mail_options=["BODY=8BITMIME"])
        self.wait_copies(old, {(STRANGER, "ascii@x")})
        told = wait_until(lambda: node.bodies() if node.copies() else None, 20, "the sender is told")
        (notification,) = told.values()
        self.assertIn(b"Status: 5.6.3", notification)
        hub.wait_spool_empty()
        self.assertEqual(old.transactions["eight@x"], 0)


@unittest.skipIf(dovecot.available(), dovecot.available())
class Dovecot(EndToEnd):
    def node(self, certificate):
        node = dovecot.DovecotNode("node1", self.workspace.base, "127.0.0.1", [ALICE])
        node.certificate = certificate
        self.workspace.own(node).start()
        return node

    def hub_of(self, node, next_hop):
        hub = self.clustered_hub([node], mailboxes=[ALICE], settings={"next_hop": [{"host": "127.0.0.1", **next_hop}]}, start=False)
        return hub.start()

    def test_dovecot_gets_its_mail_over_verified_tls_in_chunks_byte_for_byte(self):
        certificate = Certificate(self.workspace.base / "tls", "node1")
        node = self.node(certificate)
        hub = self.hub_of(node, {"ca": certificate.path, "port": node.lmtp_port})
        mails = self.send(hub, ["small@x"])
        mails |= self.send(hub, ["large@x"], size=3_000_000)
        self.wait_copies(node, mails)
        self.assertRegex(hub.log(), r'event=connected .*tls="TLSv1.3 verified"')
        self.assertEqual(node.copies(), {mail: 1 for mail in mails})

    def test_a_node_with_another_certificate_gets_nothing_until_its_fingerprint_is_known(self):
        certificate = Certificate(self.workspace.base / "tls", "node1")
        other = Certificate(self.workspace.base / "tls", "other")
        node = self.node(certificate)
        hub = self.hub_of(node, {"ca": other.path})
        mails = self.send(hub, ["held@x"])
        wait_until(lambda: "4.7.5" in hub.log(), 20, "the reason is logged")
        self.assertEqual(node.copies(), {})
        hub.settings["next_hop"] = [{"host": "127.0.0.1", "fingerprints": [certificate.fingerprint]}]
        hub.write()
        hub.reload()
        self.wait_copies(node, mails)

    def test_without_a_word_about_tls_it_is_used_where_it_is_offered(self):
        node = self.node(Certificate(self.workspace.base / "tls", "node1"))
        hub = self.clustered_hub([node], mailboxes=[ALICE])
        self.wait_copies(node, self.send(hub, ["opportunistic@x"]))
        self.assertRegex(hub.log(), r'event=connected .*tls="TLSv1.3 unverified"')


@unittest.skipIf(postfix.available(), postfix.available())
class PostfixSmarthost(EndToEnd):
    def credentials(self, text):
        path = self.workspace.base / "smart.auth"
        path.write_text(text + "\n")
        path.chmod(0o600)
        return path

    def test_a_smarthost_that_demands_starttls_and_auth_takes_the_mail_once_the_password_is_right(self):
        world = LmtpSink(self.workspace, "world", protocol="smtp").start()
        certificate = Certificate(self.workspace.base / "tls", "smart", f"DNS:{postfix.HOST}")
        smarthost = postfix.Smarthost(self.workspace, certificate, "hub1", "s3:cret", world).start()
        next_hop = {"host": "127.0.0.1", "ca": certificate.path, "certificate_name": postfix.HOST}
        next_hop["auth"] = self.credentials(f"hub1@{postfix.HOST}:wrong")
        settings = {"relay": {"smarthost": f"smtp://127.0.0.1:{smarthost.port}?tls=starttls"}, "next_hop": [next_hop]}
        hub = Hub(self.workspace, settings=settings)
        hub.start()
        with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=30) as client:
            client.sendmail("sender@example.net", [STRANGER], message("away@x", [STRANGER], 2000))
        wait_until(lambda: "AUTH refused: 535" in hub.log(), 20, lambda: f"the refusal is logged\n{smarthost.log()}")
        self.credentials(f"hub1@{postfix.HOST}:s3:cret")
        hub.reload()
        self.wait_copies(world, {(STRANGER, "away@x")})
        self.assertRegex(hub.log(), r'event=connected .*tls="TLSv1.3 verified" authenticated=yes')
        self.assertIn(f"sasl_username=hub1@{postfix.HOST}", smarthost.log())
        self.assertNotIn("s3:cret", hub.log())


if __name__ == "__main__":
    unittest.main()
