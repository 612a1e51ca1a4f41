"""Where recipients are: a file that changes under a running hub, and a directory server that comes and goes."""

import os
import unittest

from case import ALICE, BOB, CLUSTER, GROUP, EndToEnd
from harness.lmtp_sink import DEFER
from harness.processes import wait_until
from harness.slapd import Slapd
from harness.smtp_raw import RawClient

NEWCOMER = "newcomer@example.test"


class Directories(EndToEnd):
    def reply_to(self, hub, address):
        with RawClient(hub.smtp_port) as client:
            client.command("EHLO client.example.net")
            client.command("MAIL FROM:<sender@example.net>")
            return client.command(f"RCPT TO:<{address}>")[:9]


class ChangingFile(Directories):
    def settled_hub(self):
        hub = self.clustered_hub(self.sinks("node1"))
        self.recipients = hub.base / "recipients"
        wait_until(lambda: "recipients reloaded" in hub.log(), 15, "a file that is some seconds old is read once more")
        return hub

    def test_a_recipients_file_that_an_editor_replaces_counts_without_a_signal(self):
        hub = self.settled_hub()
        self.assertEqual(self.reply_to(hub, NEWCOMER), "550 5.1.1")
        new = self.recipients.with_suffix(".new")
        new.write_text(self.recipients.read_text() + f"{NEWCOMER} {CLUSTER}/{GROUP}\n")
        os.replace(new, self.recipients)
        wait_until(lambda: self.reply_to(hub, NEWCOMER) == "250 2.1.5", 15, "the newcomer is known")
        self.assertEqual(hub.metric("relay_directory_outdated"), 0)
        self.assertGreater(hub.metric("relay_directory_reloads_total", result="loaded"), 1)

    def test_a_broken_or_half_written_recipients_file_keeps_the_old_one_and_says_so(self):
        hub = self.settled_hub()
        whole = self.recipients.read_text()
        # Half a line without its end, as a writer leaves it who writes block by block.
        self.recipients.write_text(whole[: len(whole) - 9])
        self.assertEqual(self.reply_to(hub, BOB), "250 2.1.5")
        self.recipients.write_text(whole + "no recipient at all\n")
        wait_until(lambda: hub.metric("relay_directory_outdated") == 1, 15, "the fault shows in the metrics")
        self.assertRegex(hub.log(), r"recipients not reloaded.*recipients:3")
        self.assertEqual(self.reply_to(hub, BOB), "250 2.1.5")
        self.recipients.write_text("")
        wait_until(lambda: "is empty" in hub.log(), 15, "an empty file is not taken")
        self.assertEqual(self.reply_to(hub, BOB), "250 2.1.5")
        self.recipients.write_text(whole)
        wait_until(lambda: hub.metric("relay_directory_outdated") == 0, 15, "and the whole one counts again")
        self.assertEqual(hub.metric("relay_directory_reloads_total", result="failed"), 2)

    def test_mail_for_a_dead_next_hop_goes_to_the_one_that_the_file_names_now(self):
        dead, alive = self.sinks("dead", "alive")
        dead.kill()
        domain = "far.example"
        hub = self.clustered_hub(self.sinks("node1"), recipients=[f"@{domain} {dead.deliver_to}"])
        mailboxes = [f"user{number}@{domain}" for number in range(3)]
        mails = self.send(hub, [f"m{number}@x" for number in range(5)], mailboxes)
        wait_until(lambda: 'event="no connection"' in hub.log(), 30, "its next hop is dead")
        file = hub.base / "recipients"
        known = file.read_text()
        # Mail of a domain that is gone from the file for a moment waits.
        reloads = hub.metric("relay_directory_reloads_total", result="loaded")
        file.write_text("".join(line for line in known.splitlines(keepends=True) if domain not in line))
        wait_until(
            lambda: hub.metric("relay_directory_reloads_total", result="loaded") > reloads
            and self.reply_to(hub, mailboxes[0]) == "550 5.1.1", 30, "the domain is unknown"
        )
        file.write_text(known.replace(dead.deliver_to, alive.deliver_to))
        self.wait_copies(alive, mails)
        hub.wait_spool_empty()
        self.assert_each_once(alive.copies(), mails)
        self.assertEqual(hub.metric("relay_deliveries_total", result="bounced"), 0)


class DirectoryServer(Directories):
    def hub_on(self, slapd, nodes, start=True, **settings):
        hub = self.clustered_hub(nodes, start=False)
        tables = hub.tables

        def with_server():
            return {**tables(), "directory": slapd.table(self.workspace, cache_time="1s", negative_cache_time="1s", **settings)}

        hub.tables = with_server
        return hub.start() if start else hub

    def test_recipients_of_a_directory_server_are_known_delivered_and_retained(self):
        (node,) = self.sinks("node1")
        hub = self.hub_on(Slapd(self.workspace).start(), [node])
        self.assertEqual(self.reply_to(hub, "nobody@example.test"), "550 5.1.1")
        self.assertEqual(self.reply_to(hub, "*@example.test"), "550 5.1.1")
        self.assertEqual(self.reply_to(hub, "any@lists.example.test"), "250 2.1.5")
        self.send(hub, ["m1@x"], ["team@example.test", "alice.anderson@example.test"])
        self.wait_copies(node, {(ALICE, "m1@x"), (BOB, "m1@x")})
        hub.wait_spool_empty()
        lines, _ = hub.api().deliveries(CLUSTER, GROUP)
        mailboxes = sorted(recipient["mailbox"] for line in lines for recipient in line["recipients"])
        self.assertEqual(mailboxes, [ALICE, "bob"])

    def test_while_the_server_is_away_mail_is_deferred_and_what_is_spooled_waits(self):
        (node,) = self.sinks("node1")
        slapd = Slapd(self.workspace).start()
        hub = self.hub_on(slapd, [node])
        self.assertEqual(self.reply_to(hub, ALICE), "250 2.1.5")
        node.kill()
        self.send(hub, ["waits@x"])
        wait_until(lambda: hub.metric("relay_spool_messages") == 1, 30, "the mail is spooled")
        slapd.kill()
        wait_until(lambda: self.reply_to(hub, ALICE) == "451 4.3.0", 15, "nobody can be looked up")
        self.assertEqual(self.reply_to(hub, "nobody@example.test"), "451 4.3.0")
        self.assertIn("directory server away", hub.log())
        self.assertGreater(hub.metric("relay_directory_queries_total", result="failed"), 0)
        # Killed and started without its directory: it serves, and the message waits for its route.
        hub.kill()
        hub.start()
        self.assertEqual(self.reply_to(hub, ALICE), "451 4.3.0")
        self.assertEqual(hub.metric("relay_spool_messages"), 1)
        self.assertEqual(hub.metric("relay_deliveries_total", result="bounced"), 0)
        node.start()
        slapd.start()
        # After the crash it is in doubt; there is no agent, so it is delivered at once.
        self.wait_copies(node, {(ALICE, "waits@x")})
        hub.wait_spool_empty()
        self.assertEqual(self.reply_to(hub, "nobody@example.test"), "550 5.1.1")

    def test_the_route_is_looked_up_again_at_each_attempt(self):
        node, before, after = self.sinks("node1", "before", "after")
        slapd = Slapd(self.workspace).start()
        hub = self.hub_on(slapd, [node])
        self.route(slapd, before)
        before.rules = [("*", DEFER)] * 100
        self.send(hub, ["moved@x"], ["any@lists.example.test"])
        wait_until(lambda: hub.metric("relay_deliveries_total", result="deferred") > 0, 15, "it was tried there")
        self.route(slapd, after)
        self.wait_copies(after, {("any@lists.example.test", "moved@x")})
        self.assertEqual(before.copies(), {})

    def test_mail_for_a_dead_next_hop_goes_to_the_one_that_the_server_names_now(self):
        node, dead, alive = self.sinks("node1", "dead", "alive")
        dead.kill()
        slapd = Slapd(self.workspace).start()
        hub = self.hub_on(slapd, [node])
        self.route(slapd, dead)
        mails = self.send(hub, [f"m{number}@x" for number in range(5)], ["any@lists.example.test"])
        wait_until(lambda: 'event="no connection"' in hub.log(), 30, "its next hop is dead")
        self.route(slapd, alive)
        self.wait_copies(alive, mails)
        hub.wait_spool_empty()
        self.assert_each_once(alive.copies(), mails)

    def route(self, slapd, sink):
        slapd.change(
            "dn: cn=lists,ou=mail,dc=example,dc=test\nchangetype: modify\nreplace: dumpsterRoute\n"
            f"dumpsterRoute: {sink.deliver_to}\n"
        )

    def test_check_names_every_fault_of_the_server_s_settings(self):
        slapd = Slapd(self.workspace)
        hub = self.hub_on(
            slapd, self.sinks("node1"), start=False, filter="(mail=%q)", url="http://x", default_storage_group="ccr9/sg1", cache_size=-1
        )
        hub.write()
        checked = hub.check()
        self.assertEqual(checked.returncode, 1)
        for key in ("filter", "url", "default_storage_group", "cache_size"):
            self.assertRegex(checked.stderr, rf"dumpsterd.toml:\d+: .*{key}")
        hub = self.hub_on(slapd, self.sinks("node2"), start=False)
        hub.write()
        checked = hub.check()
        self.assertRegex(checked.stderr, r"ca\.crt: does not exist")


if __name__ == "__main__":
    unittest.main()
