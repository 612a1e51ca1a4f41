import smtplib
import unittest

from case import ALICE, EndToEnd
from harness import http_calls
from harness.load import message
from harness.processes import wait_until
from harness.smtp_raw import RawClient

OUTSIDE = ["192.0.2.0/24"]


class Limits(EndToEnd):
    def hub(self, **relay):
        (self.node,) = self.sinks("node1")
        return self.clustered_hub([self.node], settings={"relay": {"trusted_networks": OUTSIDE, **relay}})

    def text_of(self, name):
        """The copy whose text holds `name`."""
        found = []

        def look():
            found[:] = [path for path in self.node.mail.rglob("*") if path.is_file() and name in path.read_text()]
            return found

        wait_until(look, 30, f"a copy with {name}")
        return found[0].read_bytes().replace(b"\r\n", b"\n").decode()

    def test_a_client_has_so_many_connections_and_no_more(self):
        hub = self.hub(max_connections_per_client=2)
        with RawClient(hub.smtp_port), RawClient(hub.smtp_port) as second:
            with RawClient(hub.smtp_port) as third:
                self.assertTrue(third.greeting.startswith("421 4.7.0"), third.greeting)
                self.assertEqual(third.reply(), "")
            second.command("QUIT")

            def admitted():
                with RawClient(hub.smtp_port) as another:
                    return another.greeting.startswith("220")

            wait_until(admitted, 30, "there is room again")

    def test_rates_are_refused_with_450_and_trusted_clients_have_none(self):
        hub = self.hub(max_messages_per_minute=3, max_recipients_per_minute=4)
        with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=30) as client:
            client.ehlo("client.example.net")
            client.mail("sender@example.net")
            self.assertEqual([client.rcpt(ALICE)[0] for _ in range(5)], [250, 250, 250, 250, 450])
            codes = []
            for _ in range(3):
                client.rset()
                codes.append(client.mail("sender@example.net")[0])
            self.assertEqual(codes, [250, 250, 450])
        self.assertEqual(hub.metric("relay_rejected_total", reason="rate"), 2)

    def test_a_message_may_come_back_twice_and_not_for_ever(self):
        hub = self.hub(max_received=6)
        passed = "Received: from a.example by hub1.example.test with ESMTP; Sat, 31 Jan 2026 12:00:00 +0000\r\n"
        other = passed.replace("hub1", "other")
        with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=30) as client:
            for fields, code in ((passed * 2, 250), (passed * 3, 554), (other * 6, 250), (other * 7, 554)):
                client.ehlo("client.example.net")
                client.mail("sender@example.net")
                client.rcpt(ALICE)
                answer = client.data(fields + "Subject: x\r\n\r\nx\r\n")
                self.assertEqual(answer[0], code, (fields, answer))
                if code == 554:
                    self.assertTrue(answer[1].startswith(b"5.4.6"))

    def test_missing_message_id_and_date_are_added_for_trusted_clients_alone(self):
        hub = self.hub(trusted_networks=["127.0.0.0/8"])

        def send(text):
            with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=30) as client:
                client.sendmail("sender@example.net", [ALICE], text)

        bare = "Subject: trusted-bare\r\n\r\nMessage-ID: <in@body>\r\nDate: in the body\r\n"
        whole = "Message-ID: <whole@x>\r\nDate: whenever\r\nSubject: trusted-whole\r\n\r\nx\r\n"
        send(bare)
        send(whole)
        text = self.text_of("trusted-bare")
        head, body = text.split("\n\n", 1)
        self.assertIn("\nMessage-ID: <", head)
        self.assertIn("\nDate: ", head)
        self.assertTrue(text.endswith(bare.replace("\r\n", "\n")), "what was there is there, byte for byte")
        self.assertLess(head.index("Received:"), head.index("Message-ID:"))
        self.assertEqual(self.text_of("trusted-whole").lower().count("message-id:"), 1)
        hub.settings["relay"]["trusted_networks"] = OUTSIDE
        hub.write()
        hub.reload()
        wait_until(lambda: "reloaded" in hub.log(), 30, "the reload is told")
        send(bare.replace("trusted-bare", "stranger-bare"))
        head = self.text_of("stranger-bare").split("\n\n", 1)[0]
        self.assertNotIn("Message-ID:", head)
        self.assertNotIn("Date:", head)

    def test_mail_is_refused_before_the_disk_is_full_and_taken_again_by_itself(self):
        hub = self.hub()
        hub.settings["relay"]["min_free_disk"] = "1000000GiB"
        hub.write()
        hub.reload()
        wait_until(lambda: hub.metric("relay_load_shedding") == 1, 30, "the gate is closed")
        self.assertEqual(http_calls.get(hub.metrics_address, "/readyz")[0], 503)
        with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=30) as client:
            client.ehlo("client.example.net")
            code, text = client.mail("sender@example.net")
            self.assertEqual((code, text[:5]), (452, b"4.3.1"))
            hub.settings["relay"]["min_free_disk"] = "1MiB"
            hub.write()
            hub.reload()
            wait_until(lambda: client.mail("sender@example.net")[0] == 250, 30, "mail is taken again")
        self.assertEqual(hub.metric("relay_load_shedding"), 0)
        self.assertGreaterEqual(hub.metric("relay_rejected_total", reason="overload"), 1)

    def test_garbage_ends_the_session(self):
        hub = self.hub()
        with RawClient(hub.smtp_port) as client:
            replies = [client.command("nonsense") for _ in range(20)]
            self.assertTrue(all(reply.startswith("500 5.5.1") for reply in replies[:-1]))
            self.assertTrue(replies[-1].startswith("421 4.7.0"))
            self.assertEqual(client.reply(), "")


if __name__ == "__main__":
    unittest.main()
