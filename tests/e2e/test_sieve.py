import json
import pathlib
import shutil
import unittest

from case import CLUSTER, GROUP, EndToEnd
from harness import dovecot, maildir
from harness.agent import Agent
from harness.lmtp_sink import LmtpSink
from harness.processes import wait_until

PLAIN, DISCARD, FORWARD, VACATION, TEAM1, TEAM2, FULL = (
    f"{name}@example.test" for name in ("plain", "discard", "forward", "vacation", "team1", "team2", "full")
)
SCRIPTS = {
    DISCARD: 'if header :contains "subject" "filtered" { discard; }\n',
    FORWARD: 'if header :contains "subject" "filtered" { redirect "elsewhere@example.net"; }\n',
    VACATION: 'require ["vacation"];\nvacation "I am away.";\n',
    TEAM1: 'require ["fileinto"];\nfileinto "Public.team";\n',
    TEAM2: 'require ["fileinto"];\nfileinto "Public.team";\n',
}
PUBLIC = """\
submission_host = 127.0.0.1:{submission_port}
namespace public {{
  type = public
  prefix = Public.
  location = maildir:{base}/public
  list = yes
  subscriptions = no
}}
plugin {{
  quota = maildir:User quota
}}
"""


@unittest.skipIf(dovecot.sieve_available(), dovecot.sieve_available() or "")
class Filters(EndToEnd):
    """Two Dovecot nodes with the same Sieve scripts, and what they send of their own accord. Nothing is replicated."""

    def setUp(self):
        super().setUp()
        self.outside = LmtpSink(self.workspace, "outside", protocol="smtp").start()
        self.old = self.node("node1", "127.0.0.11")
        self.new = self.node("node2", "127.0.0.12")
        mailboxes = [PLAIN, *SCRIPTS, FULL]
        self.hub = self.clustered_hub([self.old, self.new], mailboxes)

    def node(self, name, address):
        node = dovecot.DovecotNode(name, self.workspace.base, address, [PLAIN, *SCRIPTS, FULL])
        node.scripts = SCRIPTS
        node.plugins = ["quota"]
        node.settings = PUBLIC.format(base=node.base, submission_port=self.outside.port)
        node.prepare()
        for part in ("", "/tmp", "/new", "/cur"):
            folder = node.base / f"public/.team{part}"
            folder.mkdir(parents=True)
            for one in (node.base / "public", folder):
                shutil.chown(one, dovecot.MAIL_USER, dovecot.MAIL_USER)
        self.workspace.own(node).start()
        return node

    def agent_of(self, node):
        inventory = {"type": "dovecot", "path": node.configuration}
        return Agent(self.workspace, CLUSTER, node.name, [self.hub], inventory, {"quiesce": "true"})

    def sent_outside(self):
        """How many mails went to each address, whatever their id."""
        return {
            address: sum(1 for _ in maildir.message_files(self.outside.mail / address))
            for address in ("elsewhere@example.net", "sender@example.net")
        }

    def in_team_folder(self, node):
        return sum(1 for _ in maildir.message_files(node.base / "public" / ".team"))

    def replicate_team_folder(self):
        for path in maildir.message_files(self.old.base / "public" / ".team"):
            copied = pathlib.Path(shutil.copy(path, self.new.base / "public" / ".team" / "new"))
            shutil.chown(copied, dovecot.MAIL_USER, dovecot.MAIL_USER)

    def promote(self, node, status, *options):
        promoted = self.agent_of(node).run("promote", "--json", *options)
        self.assertEqual(promoted.returncode, status, promoted.stdout + promoted.stderr)
        return json.loads(promoted.stdout)

    def test_filters_see_lost_mail_a_second_time_and_the_report_names_what_they_took(self):
        self.send(self.hub, ["plain@x"], [PLAIN])
        for mailbox in (DISCARD, FORWARD):
            self.send(self.hub, [f"filtered.{mailbox}"], [mailbox])
        self.send(self.hub, ["vacation@x"], [VACATION])
        self.send(self.hub, ["team@x"], [TEAM1, TEAM2])
        self.wait_delivered(self.hub, 6)
        wait_until(lambda: self.sent_outside() == {"elsewhere@example.net": 1, "sender@example.net": 1}, 30, self.sent_outside)
        self.old.kill()
        # The shared folder had been replicated; the agent looks into the users' own folders only.
        self.replicate_team_folder()
        self.assertEqual(self.in_team_folder(self.new), 2)
        path = self.workspace.base / "report"
        report = self.promote(self.new, 4, "--report", path)
        total = report["total"]
        self.assertEqual((total["delivered"], total["missing"], total["failed"]), (6, 4, 0), report)
        self.assertIn("a filter discards or forwards it", " ".join(report["notes"]))
        items = [json.loads(line) for line in path.read_text().splitlines()]
        taken = {address for item in items if item["outcome"] == "missing" for address in item["recipients"]}
        self.assertEqual(taken, {DISCARD, FORWARD, TEAM1, TEAM2}, items)
        copies = self.new.copies()
        self.assertEqual((copies[PLAIN, "plain@x"], copies[VACATION, "vacation@x"]), (1, 1))
        self.assertNotIn((DISCARD, f"filtered.{DISCARD}"), copies)
        # What leaves the mailbox has left it twice: a copy too many rather than one too few.
        self.assertEqual(self.in_team_folder(self.new), 4)
        wait_until(lambda: self.sent_outside() == {"elsewhere@example.net": 2, "sender@example.net": 2}, 30, self.sent_outside)
        again = self.agent_of(self.new).run("fill", "--json")
        self.assertEqual(again.returncode, 0, again.stdout)

    def test_what_the_active_node_s_agent_has_called_absent_is_not_filtered_again(self):
        agent = self.agent_of(self.old).watch(self.workspace)
        for mailbox in (DISCARD, FORWARD):
            self.send(self.hub, [f"filtered.{mailbox}"], [mailbox])
            self.send(self.hub, [f"kept.{mailbox}"], [mailbox])
        self.wait_delivered(self.hub, 4)

        def absent():
            return {line["message_id"] for line in self.hub.api().deliveries(CLUSTER, GROUP, state="absent")[0]}

        expected = {f"filtered.{mailbox}" for mailbox in (DISCARD, FORWARD)}
        wait_until(lambda: absent() == expected, 60, lambda: agent.log()[-2000:])
        self.old.kill()
        self.promote(self.new, 0)
        copies = self.new.copies()
        self.assert_each_once(copies, {(mailbox, f"kept.{mailbox}") for mailbox in (DISCARD, FORWARD)})
        self.assertEqual(self.sent_outside()["elsewhere@example.net"], 1)

    def test_a_mailbox_over_its_quota_on_the_new_node_is_reported_and_filled_when_there_is_room(self):
        self.send(self.hub, ["plain@x"], [PLAIN])
        self.send(self.hub, ["full@x"], [FULL])
        self.wait_delivered(self.hub, 2)
        self.old.kill()
        self.new.user_fields[FULL] = "userdb_quota_rule=*:bytes=500"
        self.new.prepare()
        report = self.promote(self.new, 4)
        self.assertEqual((report["total"]["delivered"], report["total"]["failed"]), (1, 1), report)
        (failed,) = self.hub.api().deliveries(CLUSTER, GROUP, state="failed")[0]
        self.assertEqual(failed["message_id"], "full@x")
        self.assertEqual(self.new.copies(), {(PLAIN, "plain@x"): 1})
        self.new.user_fields[FULL] = "userdb_quota_rule=*:bytes=1000000"
        self.new.prepare()
        filled = self.agent_of(self.new).run("fill", "--from", "2026-01-01T00:00:00Z")
        self.assertEqual(filled.returncode, 0, filled.stdout + filled.stderr)
        self.hub.wait_spool_empty()
        self.assert_each_once(self.new.copies(), {(PLAIN, "plain@x"), (FULL, "full@x")})
        self.assertEqual(self.hub.api().deliveries(CLUSTER, GROUP, state="failed")[0], [])


if __name__ == "__main__":
    unittest.main()
