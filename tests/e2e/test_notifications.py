import email
import re
import smtplib
import unittest

from case import ALICE, BOB, CLUSTER, GROUP, EndToEnd
from harness.lmtp_sink import REFUSE, LmtpSink
from harness.load import message
from harness.processes import wait_until

SENDER, BOSS, FAR = "sender@example.net", "postmaster@hub1.example.test", "user@far.example"


class Notifications(EndToEnd):
    """What senders and the postmaster are told; their mailboxes are on a node of their own."""

    def hub_with(self, **relay):
        (self.node,) = self.sinks("node1")
        self.told = LmtpSink(self.workspace, "told").start()
        self.far = LmtpSink(self.workspace, "far", protocol="smtp").start()
        return self.clustered_hub(
            [self.node],
            recipients=[f"{SENDER} {self.told.deliver_to}", f"{BOSS} {self.told.deliver_to}", f"{FAR} {self.far.deliver_to}"],
            settings={"relay": relay},
        )

    def reports(self, mailbox=SENDER):
        folder = self.told.mail / mailbox / "new"
        return [email.message_from_bytes(path.read_bytes()) for path in sorted(folder.iterdir())] if folder.exists() else []

    def only_report(self, mailbox=SENDER):
        wait_until(lambda: self.reports(mailbox), 30, f"{mailbox} is told", pause=0.1)
        (report,) = self.reports(mailbox)
        return report

    def submit(self, hub, message_id, recipients, notify=None, sender=SENDER, mail_options=()):
        with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=30) as client:
            client.ehlo()
            options = [f"NOTIFY={notify}"] if notify else []
            client.sendmail(sender, recipients, message(message_id, recipients), list(mail_options), options)

    def fields_of(self, report):
        self.assertEqual((report.get_content_type(), report.get_param("report-type")), ("multipart/report", "delivery-status"))
        self.assertEqual(report["Auto-Submitted"], "auto-replied")
        status = report.get_payload()[1]
        self.assertEqual(status.get_content_type(), "message/delivery-status")
        return [dict(part.items()) for part in status.get_payload()]

    def test_a_delay_is_told_once_over_a_restart_and_only_to_who_wants_to_know(self):
        hub = self.hub_with(delay_warning="1s")
        self.node.kill()
        self.submit(hub, "plain@x", [ALICE])
        self.submit(hub, "never@x", [ALICE], notify="NEVER")
        self.submit(hub, "failure@x", [BOB], notify="FAILURE")
        self.submit(hub, "null@x", [ALICE], sender="")
        head, about = self.fields_of(self.only_report())
        self.assertEqual(head["Reporting-MTA"], "dns; hub1.example.test")
        self.assertEqual((about["Action"], about["Final-Recipient"]), ("delayed", f"rfc822; {ALICE}"))
        self.assertIn("Will-Retry-Until", about)
        self.assertTrue(about["Status"].startswith("4."))
        hub.kill()
        hub.start()
        self.submit(hub, "second@x", [ALICE])
        wait_until(lambda: len(self.reports()) >= 2, 30, "the second message's delay is told", pause=0.1)
        self.assertEqual(len(self.reports()), 2)
        returned = [report.get_payload()[2].get_payload() for report in self.reports()]
        self.assertEqual([re.search(r"Message-ID: <(\S+)>", str(text)).group(1) for text in returned], ["plain@x", "second@x"])
        self.node.start()
        self.wait_copies(self.node, {(ALICE, "plain@x"), (ALICE, "never@x"), (BOB, "failure@x"), (ALICE, "null@x"), (ALICE, "second@x")})

    def test_success_is_told_where_it_was_asked_for_and_no_next_hop_tells_it(self):
        hub = self.hub_with()
        self.submit(hub, "m@x", [ALICE, FAR], notify="SUCCESS,FAILURE", mail_options=["ENVID=order+2B7"])
        self.submit(hub, "unasked@x", [ALICE, FAR])
        wait_until(lambda: len(self.reports()) == 2, 30, "both deliveries are told", pause=0.1)
        hub.wait_spool_empty()
        told = {}
        for report in self.reports():
            head, about = self.fields_of(report)
            self.assertEqual(head["Original-Envelope-Id"], "order+7")
            told[about["Final-Recipient"]] = (about["Action"], about["Status"])
        self.assertEqual(told, {f"rfc822; {ALICE}": ("delivered", "2.1.5"), f"rfc822; {FAR}": ("relayed", "2.1.5")})

    def test_a_bounce_that_cannot_be_delivered_goes_to_the_postmaster_and_makes_no_other(self):
        hub = self.hub_with()
        self.node.rules += [("m@x", REFUSE), ("null@x", REFUSE)]
        self.submit(hub, "m@x", [ALICE], sender="nobody@nowhere.example")
        self.submit(hub, "null@x", [ALICE], sender="")
        report = self.only_report(BOSS)
        self.assertEqual(report["Auto-Submitted"], "auto-generated")
        text = report.get_payload()
        self.assertIn("nobody@nowhere.example", text)
        self.assertIn("null@x", text)
        hub.wait_spool_empty()
        self.assertEqual(self.reports(), [])

    def test_a_refused_resubmission_tells_the_postmaster_and_not_the_sender(self):
        hub = self.hub_with()
        mails = self.send(hub, [f"m{number}@x" for number in range(5)])
        self.wait_copies(self.node, mails)
        hub.wait_spool_empty()
        self.node.rules += [("m2@x", REFUSE), ("m3@x", REFUSE)]
        api = hub.api()
        api.resubmit(CLUSTER, GROUP, key="k", from_="2020-01-01T00:00:00Z", until=api.hub()["now"])
        text = self.only_report(BOSS).get_payload()
        self.assertIn("resubmission", text)
        for message_id, told in (("m2@x", True), ("m3@x", True), ("m1@x", False)):
            self.assertEqual(message_id in text, told)
        hub.wait_spool_empty()
        self.assertEqual(self.reports(), [])
        lines, _ = api.deliveries(CLUSTER, GROUP, state="failed")
        self.assertEqual({line["message_id"] for line in lines}, {"m2@x", "m3@x"})
        self.assertEqual(hub.metric("recovery_messages_total", result="failed"), 2)

    def test_mail_that_outlives_its_time_bounces_with_its_reason(self):
        hub = self.hub_with(queue_lifetime="2s", delay_warning="0s")
        self.node.kill()
        self.submit(hub, "old@x", [ALICE, BOB], mail_options=["RET=FULL"])
        report = self.only_report()
        _, *about = self.fields_of(report)
        self.assertEqual({(one["Action"], one["Status"]) for one in about}, {("failed", "4.4.7")})
        self.assertIn("connect", about[0]["Diagnostic-Code"])
        whole = report.get_payload()[2]
        self.assertEqual(whole.get_content_type(), "message/rfc822")
        self.assertEqual(whole.get_payload()[0]["Message-ID"], "<old@x>")
        hub.wait_spool_empty()


if __name__ == "__main__":
    unittest.main()
