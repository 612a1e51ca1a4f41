import smtplib
import unittest

from case import ALICE, BOB
from harness.load import message
from harness.upstream_postfix import UpstreamPostfix, available
from test_smtp_tls import TlsHub


@unittest.skipUnless(available(), "Postfix needs root and its package")
class PostfixInFront(TlsHub):
    def upstream(self, hub, protocol, tls):
        transport = f"lmtp:inet:127.0.0.1:{hub.smtp_port}" if protocol == "lmtp" else f"relay:[127.0.0.1]:{hub.smtp_port}"
        return UpstreamPostfix(self.workspace, transport, self.certificate if tls else None).start()

    def assert_passes(self, protocol, tls):
        hub = self.tls_hub({"protocol": protocol, "tls": "starttls"})
        postfix = self.upstream(hub, protocol, tls)
        mails = set()
        with smtplib.SMTP("127.0.0.1", postfix.port, timeout=30) as client:
            for number in range(5):
                name = f"{protocol}{number}@x"
                client.sendmail("sender@example.net", [ALICE, BOB], message(name, [ALICE, BOB], 3000))
                mails |= {(ALICE, name), (BOB, name)}
            # 8-bit text within an address: SMTPUTF8 all the way.
            client.ehlo("client.example.net")
            client.sendmail("jürgen@example.net", [ALICE], message("utf8@x", [ALICE], 100), mail_options=["SMTPUTF8"])
            mails.add((ALICE, "utf8@x"))
        self.wait_copies(self.node, mails)
        self.assert_each_once(self.node.copies(), mails)
        word = {"smtp": "ESMTP", "lmtp": "LMTP"}[protocol] + ("S" if tls else "")
        received = self.received_of(f"{protocol}0@x")
        self.assertIn(f" with {word} ", received + " ")
        self.assertIn("([127.0.0.1] for [127.0.0.1])", received)

    def test_postfix_hands_over_with_smtp_under_tls(self):
        self.assert_passes("smtp", tls=True)

    def test_postfix_hands_over_with_lmtp_under_tls(self):
        self.assert_passes("lmtp", tls=True)

    def test_postfix_hands_over_with_lmtp_in_the_clear(self):
        self.assert_passes("lmtp", tls=False)

    def test_lmtp_answers_postfix_for_each_recipient(self):
        hub = self.tls_hub({"protocol": "lmtp"})
        postfix = self.upstream(hub, "lmtp", False)
        with smtplib.SMTP("127.0.0.1", postfix.port, timeout=30) as client:
            client.sendmail("", [ALICE, "nobody@example.test"], message("half@x", [ALICE], 500))
        self.wait_copies(self.node, {(ALICE, "half@x")})
        self.assertEqual(hub.metric("relay_rejected_total", reason="unknown_recipient"), 1)


if __name__ == "__main__":
    unittest.main()
