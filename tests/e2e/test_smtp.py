import smtplib
import unittest

from case import ALICE, EndToEnd
from harness.hub import Cluster, Hub
from harness.load import message
from harness.lmtp_sink import LmtpSink
from harness.processes import wait_until
from harness.smtp_raw import RawClient

# What some server somewhere takes for the end of the data, and RFC 5321 2.3.8 does not.
FALSE_ENDS = (
    b"\n.\n", b"\n.\r", b"\r.\n", b"\r.\r", b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r",
    b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\n.\r\r\n", b"\r\r\n.\r\r\n",
)  # fmt: skip
SMUGGLED = (
    b"MAIL FROM:<smuggler@example.net>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n"
    b"Message-ID: <smuggled@x>\r\nSubject: smuggled\r\n\r\nsmuggled\r\n"
)
RELAYING_FORMS = (
    "victim@elsewhere.example",
    "victim%elsewhere.example@lists.example.test",
    "elsewhere.example!victim@lists.example.test",
    "@lists.example.test:victim@elsewhere.example",
    "victim@elsewhere.example@lists.example.test",
    '"victim@elsewhere.example"@lists.example.test',
    '"victim%elsewhere.example"@lists.example.test',
    "victim%elsewhere.example",
    "@lists.example.test,@elsewhere.example:victim@elsewhere.example",
    '"@elsewhere.example:victim"@lists.example.test',
    '"elsewhere.example!victim"@lists.example.test',
    '"\\"victim@elsewhere.example\\""@lists.example.test',
    "victim%elsewhere.example%lists.example.test",
    "lists.example.test!elsewhere.example!victim",
    "victim@[127.0.0.1]",
    "victim@[IPv6:::1]",
    "victim%elsewhere.example@[127.0.0.1]",
    "<victim@elsewhere.example>",
    "victim@elsewhere.example,bob@lists.example.test",
    "victim(@lists.example.test)@elsewhere.example",
)
OUTSIDE = ["192.0.2.0/24"]


class Recipients(EndToEnd):
    def test_an_unknown_recipient_is_refused_at_rcpt(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node])
        with smtplib.SMTP("127.0.0.1", hub.smtp_port) as client:
            client.ehlo("client.example.net")
            client.mail("sender@example.net")
            self.assertEqual(client.rcpt(ALICE)[0], 250)
            code, text = client.rcpt("nobody@example.test")
            self.assertEqual((code, text[:5]), (550, b"5.1.1"))
        self.assertEqual(hub.metric("relay_rejected_total", reason="unknown_recipient"), 1)

    def relay_hub(self, trusted):
        (node,) = self.sinks("node1")
        lists = LmtpSink(self.workspace, "lists").start()
        smart = LmtpSink(self.workspace, "smart", protocol="smtp").start()
        relay = {"smarthost": smart.deliver_to}
        if trusted is not None:
            relay["trusted_networks"] = trusted
        recipients = [f"@lists.example.test {lists.deliver_to}"]
        return self.clustered_hub([node], recipients=recipients, settings={"relay": relay}), lists, smart

    def test_a_client_outside_the_trusted_networks_cannot_relay_in_any_address_form(self):
        hub, lists, smart = self.relay_hub(OUTSIDE)
        for address in RELAYING_FORMS:
            with self.subTest(address), RawClient(hub.smtp_port) as client:
                client.command("EHLO client.example.net")
                client.command("MAIL FROM:<sender@example.net>")
                self.assertRegex(client.command(f"RCPT TO:<{address}>"), "^5[05]")
        mails = self.send(hub, ["known@x"], ["team@lists.example.test"])
        self.wait_copies(lists, mails)
        self.assertEqual(smart.copies(), {})
        self.assertEqual(len(lists.copies()), 1)

    def test_a_trusted_client_relays_through_the_smarthost(self):
        hub, _, smart = self.relay_hub(None)
        self.wait_copies(smart, self.send(hub, ["outward@x"], ["someone@elsewhere.example"]))


class EndOfData(EndToEnd):
    def assert_not_smuggled(self, hub, node, before, false_end):
        with RawClient(hub.smtp_port) as client:
            client.until_data("sender@example.net", ALICE)
            client.send(b"Message-ID: <carrier@x>\r\nSubject: carrier\r\n\r\n" + before + false_end + SMUGGLED + b"\r\n.\r\n")
            self.assertRegex(client.reply(), "^5", "the message with the false end was not refused")
            # The smuggled commands would be answered before this one.
            self.assertTrue(client.command("NOOP").startswith("250"))
            self.assertTrue(client.command("RSET").startswith("250"))
            self.assertTrue(client.command("QUIT").startswith("221"))

    def false_ends(self, before):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node], settings={"relay": {"max_message_size": "64KiB"}})
        for false_end in FALSE_ENDS:
            with self.subTest(false_end=false_end):
                self.assert_not_smuggled(hub, node, before, false_end)
        self.wait_copies(node, self.send(hub, ["last@x"]))
        self.assertEqual(set(node.copies()), {(ALICE, "last@x")})

    def test_only_crlf_dot_crlf_ends_the_data_even_from_a_trusted_client(self):
        self.false_ends(b"text")

    def test_only_crlf_dot_crlf_ends_the_data_of_a_message_over_the_size_limit(self):
        self.false_ends(b"a line of text that is a little longer\r\n" * 3000 + b"text")

    def test_a_true_end_that_arrives_byte_by_byte_is_one(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node])
        with RawClient(hub.smtp_port) as client:
            client.until_data("sender@example.net", ALICE)
            for byte in b"Message-ID: <slow@x>\r\n\r\n..\r\n.\r\n":
                client.send(bytes([byte]))
            self.assertTrue(client.reply().startswith("250"))
        self.wait_copies(node, {(ALICE, "slow@x")})
        self.assertTrue(node.bodies()["slow@x"].endswith(b"\r\n\r\n.\r\n"))


class Content(EndToEnd):
    def test_a_message_in_chunks_arrives_as_one(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node])
        pieces = [b"Message-ID: <chunks@x>\r\n\r\n", b".\r\nhalf", b" and half\r\n" * 20_000, b"end\r\n"]
        with RawClient(hub.smtp_port) as client:
            for command in ("EHLO client.example.net", "MAIL FROM:<sender@example.net>", f"RCPT TO:<{ALICE}>"):
                self.assertTrue(client.command(command).startswith("250"), command)
            for number, piece in enumerate(pieces, 1):
                last = b" LAST" if number == len(pieces) else b""
                client.send(b"BDAT %d%s\r\n" % (len(piece), last) + piece)
                self.assertTrue(client.reply().startswith("250"))
        self.wait_copies(node, {(ALICE, "chunks@x")})
        self.assertTrue(node.bodies()["chunks@x"].endswith(b"".join(pieces)))

    def test_the_message_passes_byte_for_byte_under_one_received_field_and_one_id(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node])
        original = message("odd@x", [ALICE], 500) + b"\tfolded?\r\n..dots\r\n. \r\n \r\n\xff\xfe 8bit\r\n\r\n"
        forged = b"X-Dumpster-Id: forged/0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d10\r\n" + original
        with smtplib.SMTP("127.0.0.1", hub.smtp_port) as client:
            client.sendmail("sender@example.net", [ALICE], forged, mail_options=["BODY=8BITMIME"])
        self.wait_copies(node, {(ALICE, "odd@x")})
        stored = node.bodies()["odd@x"]
        self.assertTrue(stored.endswith(forged), stored[:2000])
        added = stored[: -len(forged)].decode()
        first, rest = added.split("\r\n", 1)
        uuid = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
        self.assertRegex(first, rf"^X-Dumpster-Id: hub1\.example\.test/{uuid}$")
        self.assertRegex(rest, r"^Received: from (?:[^\r\n]|\r\n[ \t])+\r\n$")

    def test_mail_for_a_cluster_is_retained_and_mail_for_elsewhere_is_not(self):
        (node,) = self.sinks("node1")
        elsewhere = LmtpSink(self.workspace, "elsewhere").start()
        hub = self.clustered_hub([node], recipients=[f"carol@example.test {elsewhere.deliver_to}"])
        both = self.send(hub, ["both@x"], [ALICE, "carol@example.test"])
        other = self.send(hub, ["other@x"], ["carol@example.test"])
        self.wait_copies(node, {mail for mail in both if mail[0] == ALICE})
        self.wait_copies(elsewhere, {mail for mail in both | other if mail[0] != ALICE})
        hub.wait_spool_empty()
        lines, last = hub.api().deliveries("ccr1", "sg1")
        self.assertEqual([(line["message_id"], line["recipients"]) for line in lines],
                         [("both@x", [{"address": ALICE, "mailbox": ALICE}])])  # fmt: skip
        self.assertEqual(last["count"], 1)
        self.assertEqual(hub.metric("dumpster_messages"), 1)
        self.assertNotIn(b"X-Dumpster-Id", elsewhere.bodies()["both@x"])

    def test_two_hubs_configured_alike_do_not_share_ids(self):
        (node,) = self.sinks("node1")
        for name in ("hub1", "hub2"):
            hub = self.clustered_hub([node], name=name)
            self.wait_copies(node, self.send(hub, [f"{name}@x"]))
        ids = [body.split(b"\r\n", 1)[0].split(b"/")[1] for body in node.bodies().values()]
        self.assertEqual(len(set(ids)), 2)


class LmtpListener(EndToEnd):
    def test_lmtp_input_is_answered_for_each_recipient(self):
        (node,) = self.sinks("node1")
        hub = Hub(self.workspace, [Cluster("ccr1", [node])], [f"{ALICE} ccr1/sg1", "bob@example.test ccr1/sg1"])
        hub.settings["listener"] = [{"address": f"127.0.0.1:{hub.smtp_port}", "protocol": "lmtp"}]
        hub.start()
        with RawClient(hub.smtp_port) as client:
            self.assertTrue(client.command("LHLO client.example.net").startswith("250"))
            client.command("MAIL FROM:<sender@example.net>")
            self.assertTrue(client.command(f"RCPT TO:<{ALICE}>").startswith("250"))
            self.assertTrue(client.command("RCPT TO:<nobody@example.test>").startswith("550"))
            self.assertTrue(client.command("RCPT TO:<bob@example.test>").startswith("250"))
            self.assertTrue(client.command("DATA").startswith("354"))
            client.send(b"Message-ID: <lmtp@x>\r\n\r\ntext\r\n.\r\n")
            self.assertTrue(client.reply().startswith("250"))
            self.assertTrue(client.reply().startswith("250"))
            self.assertTrue(client.command("NOOP").startswith("250 2.0.0"))
        wait_until(lambda: len(node.copies()) == 2, 20, "both copies")


if __name__ == "__main__":
    unittest.main()
