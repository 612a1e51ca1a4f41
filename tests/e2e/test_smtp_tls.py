import hashlib
import smtplib
import socket
import ssl
import subprocess
import unittest

from case import ALICE, EndToEnd
from harness.certificates import Certificate
from harness.load import message
from harness.lmtp_sink import LmtpSink
from harness.processes import free_port, wait_until
from harness.smtp_raw import RawClient

# "secret" with the least work that yescrypt allows.
PASSWORDS = "carol@example.test:$y$j75$abcdefgh$uMUXG79B2cFpoAYyDccUnsaH/aGTyBYMlnQidzyag01\n"
CAROL = "carol@example.test"
OUTSIDE = ["192.0.2.0/24"]


class TlsHub(EndToEnd):
    def tls_hub(self, listener=None, relay=None, start=True):
        """A hub with a listener under TLS, and the node behind it."""
        (self.node,) = self.sinks("node1")
        self.new_certificate()
        self.passwords = self.workspace.base / "passwords"
        self.passwords.write_text(PASSWORDS)
        self.passwords.chmod(0o600)
        hub = self.clustered_hub([self.node], start=False)
        table = {"address": f"127.0.0.1:{hub.smtp_port}", "protocol": "smtp", "tls": "starttls"}
        table |= {"certificate": self.certificate, "key": self.key, **(listener or {})}
        hub.settings = {"listener": [table], "relay": {"passwords": self.passwords, **(relay or {})}}
        return hub.start() if start else hub

    def new_certificate(self):
        made = Certificate(self.workspace.base, "tls", "DNS:hub1.example.test,DNS:localhost,IP:127.0.0.1")
        self.certificate, self.key = made.path, made.key

    def context(self):
        return ssl.create_default_context(cafile=self.certificate)

    def received_of(self, message_id, mailbox=ALICE):
        """The topmost Received field of the copy."""
        self.wait_copies(self.node, {(mailbox, message_id)})
        for path in self.node.mail.rglob("*"):
            if path.is_file() and f"<{message_id}>".encode() in path.read_bytes():
                text = path.read_bytes().decode()
                return text[text.index("Received:") :].split(";", 1)[0].replace("\r\n\t", " ").replace("\n\t", " ")
        return self.fail("no such copy")


class Tls(TlsHub):
    def test_starttls_is_offered_and_received_names_the_session(self):
        hub = self.tls_hub()
        with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=30) as client:
            client.starttls(context=self.context())
            client.ehlo("client.example.net")
            self.assertFalse(client.has_extn("starttls"))
            self.assertTrue(client.has_extn("requiretls"))
            client.sendmail("sender@example.net", [ALICE], message("tls@x", [ALICE], 100_000))
        received = self.received_of("tls@x")
        self.assertIn(" with ESMTPS (TLSv1.3 ", received)

    def test_implicit_tls_speaks_tls_1_2_and_1_3_and_nothing_older(self):
        hub = self.tls_hub({"tls": "implicit"})
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.context()
            context.minimum_version = context.maximum_version = version
            with smtplib.SMTP_SSL("localhost", hub.smtp_port, timeout=30, context=context) as client:
                self.assertEqual(client.noop()[0], 250)
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{hub.smtp_port}", "-tls1_1", "-cipher", "ALL@SECLEVEL=0"]
        old = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
        self.assertNotEqual(old.returncode, 0)
        wait_until(lambda: hub.metric("relay_rejected_total", reason="tls") > 0, 30, "the failed handshake is counted")

    def test_openssl_s_client_sees_the_certificate_and_ends_cleanly(self):
        hub = self.tls_hub()
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{hub.smtp_port}", "-starttls", "smtp", "-CAfile", self.certificate]
        command += ["-verify_return_error", "-verify_hostname", "hub1.example.test", "-quiet", "-crlf"]
        done = subprocess.run(command, input=b"EHLO client.example.net\nQUIT\n", capture_output=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"221 2.0.0", done.stdout)

    def test_plaintext_pipelined_behind_starttls_is_thrown_away(self):
        hub = self.tls_hub()
        with RawClient(hub.smtp_port) as client:
            client.command("EHLO client.example.net")
            client.send(b"STARTTLS\r\nEHLO injected.example\r\nMAIL FROM:<injected@example.net>\r\nRCPT TO:<alice@example.test>\r\n")
            self.assertTrue(client.reply().startswith("220 "))
            with self.context().wrap_socket(client.socket, server_hostname="localhost") as secure:
                secure.settimeout(20)
                secure.sendall(b"MAIL FROM:<a@example.net>\r\n")
                self.assertTrue(secure.recv(100).startswith(b"503 "), "the injected EHLO counts")
                secure.sendall(b"EHLO client.example.net\r\nRCPT TO:<alice@example.test>\r\nQUIT\r\n")
                answers = b""
                while b"221 " not in answers:
                    answers += secure.recv(4096)
                self.assertIn(b"503 5.5.1 send MAIL first", answers)
        self.assertEqual(hub.metric("relay_rejected_total", reason="plaintext_behind_starttls"), 1)

    def test_a_reload_takes_a_new_certificate_and_a_broken_one_keeps_the_old(self):
        hub = self.tls_hub({"tls": "implicit"})

        def fingerprint():
            context = ssl._create_unverified_context()
            with socket.create_connection(("127.0.0.1", hub.smtp_port), timeout=20) as plain:
                with context.wrap_socket(plain) as secure:
                    return hashlib.sha256(secure.getpeercert(binary_form=True)).digest()

        first = fingerprint()
        self.assertEqual(first, fingerprint())
        self.new_certificate()
        hub.reload()
        wait_until(lambda: fingerprint() != first, 30, "the new certificate is shown")
        second = fingerprint()
        self.assertIn("certificate loaded", hub.log())
        self.key.write_text("this is no key\n")
        hub.reload()
        wait_until(lambda: "not reloaded" in hub.log(), 30, "the fault is told")
        self.assertIn(str(self.key), hub.log())
        self.assertEqual(fingerprint(), second)

    def test_check_names_missing_files_and_ports_given_twice(self):
        hub = self.tls_hub({"certificate": "/nonexistent/tls.crt"}, start=False)
        hub.settings["listener"].append({"address": f"127.0.0.1:{hub.smtp_port}", "protocol": "lmtp", "tls": "starttls"})
        self.passwords.write_text("carol:plain\n")
        hub.write()
        checked = hub.check()
        self.assertEqual(checked.returncode, 1)
        self.assertIn("/nonexistent/tls.crt", checked.stderr)
        self.assertIn("`tls` needs `certificate` and `key`", checked.stderr)
        self.assertIn(f"port {hub.smtp_port}", checked.stderr)
        self.assertIn(f"{self.passwords}:1: ", checked.stderr)
        self.assertNotIn("$", checked.stderr)


class Authentication(TlsHub):
    def relaying(self, listener=None):
        smart = LmtpSink(self.workspace, "smart", protocol="smtp").start()
        hub = self.tls_hub(listener, {"trusted_networks": OUTSIDE, "smarthost": smart.deliver_to})
        return hub, smart

    def test_whoever_authenticates_may_relay_and_nobody_else(self):
        hub, smart = self.relaying()
        for mechanism in ("auth_plain", "auth_login"):
            with self.subTest(mechanism), smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=30) as client:
                client.starttls(context=self.context())
                client.ehlo("client.example.net")
                client.mail("sender@example.net")
                self.assertEqual(client.rcpt("someone@elsewhere.example")[0], 550)
                client.rset()
                client.user, client.password = CAROL, "secret"
                client.auth(mechanism.split("_")[1].upper(), getattr(client, mechanism))
                text = message(f"{mechanism}@x", ["someone@elsewhere.example"], 1000)
                client.sendmail("sender@example.net", ["someone@elsewhere.example"], text)
        self.wait_copies(smart, {("someone@elsewhere.example", f"{name}@x") for name in ("auth_plain", "auth_login")})
        self.assertIn('user="carol@example.test"', hub.log().replace("user=carol@example.test", 'user="carol@example.test"'))
        self.assertNotIn("secret", hub.log())

    def test_no_password_is_taken_in_the_clear(self):
        hub, _ = self.relaying()
        with RawClient(hub.smtp_port) as client:
            self.assertNotIn("AUTH", client.command("EHLO client.example.net"))
            self.assertTrue(client.command("AUTH PLAIN AGNhcm9sAHNlY3JldA==").startswith("538 5.7.11"))

    def test_wrong_passwords_are_delayed_counted_and_end_the_session(self):
        hub, _ = self.relaying()
        with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=30) as client:
            client.starttls(context=self.context())
            client.ehlo("client.example.net")
            client.user, client.password = CAROL, "wrong"
            codes = [client.docmd("AUTH", "PLAIN AGNhcm9sQGV4YW1wbGUudGVzdAB3cm9uZw==")[0] for _ in range(3)]
        self.assertEqual(codes, [535, 535, 421])
        self.assertEqual(hub.metric("relay_rejected_total", reason="authentication"), 3)

    def test_a_listener_may_require_authentication(self):
        hub, _ = self.relaying({"require_auth": True})
        with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=30) as client:
            client.starttls(context=self.context())
            client.ehlo("client.example.net")
            code, text = client.mail("sender@example.net")
            self.assertEqual((code, text[:5]), (530, b"5.7.0"))
            client.login(CAROL, "secret")
            client.sendmail("sender@example.net", [ALICE], message("in@x", [ALICE], 1000))
        self.assertIn(" with ESMTPSA ", self.received_of("in@x"))

    def test_swaks_submits_over_starttls_with_a_password(self):
        hub, _ = self.relaying()
        command = ["swaks", "--server", "127.0.0.1", "--port", str(hub.smtp_port), "--tls", "--auth", "PLAIN"]
        command += ["--auth-user", CAROL, "--auth-password", "secret", "--to", ALICE, "--from", "s@example.net", "--ehlo", "c.example.net"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_new_passwords_count_after_a_reload(self):
        hub, _ = self.relaying()

        def may_log_in(user):
            with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=30) as client:
                client.starttls(context=self.context())
                try:
                    return client.login(user, "secret")[0] == 235
                except smtplib.SMTPAuthenticationError:
                    return False

        self.passwords.write_text(PASSWORDS.replace("carol", "dave"))
        hub.reload()
        wait_until(lambda: "reloaded" in hub.log(), 30, "the reload is told")
        self.assertTrue(may_log_in("dave@example.test"))


class Proxies(TlsHub):
    def test_a_trusted_proxy_says_who_the_client_is(self):
        hub = self.tls_hub({"proxy_protocol": True}, {"smarthost": "smtp://127.0.0.1:1"})
        for header in (
            b"PROXY TCP4 198.51.100.7 127.0.0.1 4711 25\r\n",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc6\x33\x64\x07\x7f\0\0\1\x12\x67\0\x19",
        ):
            with self.subTest(header), socket.create_connection(("127.0.0.1", hub.smtp_port), timeout=20) as plain:
                plain.sendall(header)
                client = smtplib.SMTP(timeout=20)
                client.sock, client.file = plain, None
                self.assertEqual(client.getreply()[0], 220)
                client.ehlo("client.example.net")
                self.assertFalse(client.has_extn("xforward"))
                client.mail("sender@example.net")
                self.assertEqual(client.rcpt("someone@elsewhere.example")[0], 550, "the client is not trusted")
                client.rset()
                name = f"proxy{len(header)}@x"
                client.sendmail("sender@example.net", [ALICE], message(name, [ALICE], 1000))
                self.assertIn("([198.51.100.7])", self.received_of(name))

    def test_a_connection_without_the_header_or_from_a_stranger_hears_nothing(self):
        hub = self.tls_hub({"proxy_protocol": True})
        with socket.create_connection(("127.0.0.1", hub.smtp_port), timeout=20) as client:
            client.sendall(b"EHLO client.example.net\r\n")
            self.assertEqual(client.recv(100), b"")
        hub.stop()
        hub.settings["relay"]["trusted_networks"] = OUTSIDE
        hub.start()
        with socket.create_connection(("127.0.0.1", hub.smtp_port), timeout=20) as client:
            client.sendall(b"PROXY TCP4 198.51.100.7 127.0.0.1 4711 25\r\n")
            self.assertEqual(client.recv(100), b"")
        self.assertEqual(hub.metric("relay_rejected_total", reason="proxy"), 1)

    def test_xforward_from_a_trusted_client_stands_in_received(self):
        hub = self.tls_hub()
        with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=30) as client:
            client.ehlo("client.example.net")
            self.assertTrue(client.has_extn("xforward"))
            self.assertEqual(client.docmd("XFORWARD", "NAME=mx.example.net ADDR=198.51.100.9 HELO=mx")[0], 250)
            client.sendmail("sender@example.net", [ALICE], message("forwarded@x", [ALICE], 1000))
        self.assertIn("([127.0.0.1] for [198.51.100.9])", self.received_of("forwarded@x"))


if __name__ == "__main__":
    unittest.main()
