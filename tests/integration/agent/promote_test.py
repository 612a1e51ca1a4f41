"""The agent's program against scripted hubs and real maildirs."""

import pathlib
import tempfile
import unittest

from agent_program import AgentProgram, Maildirs
from scripted_hub import ScriptedHub, ago, rfc3339

ALICE, BOB = "alice@example.test", "bob@example.test"


class PromoteTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="agent-promote-")
        self.addCleanup(directory.cleanup)
        self.base = pathlib.Path(directory.name)
        self.maildirs = Maildirs(self.base / "mail")
        self.maildirs.mailbox(ALICE)

    def hub(self, **settings):
        hub = ScriptedHub(deliver=self.deliver, **settings)
        self.enterContext(hub)
        return hub

    def deliver(self, line, recipient):
        self.maildirs.store(recipient["mailbox"], line["delivery_id"])
        return True

    def agent(self, *hubs, **settings):
        urls = [hub if isinstance(hub, str) else hub.url for hub in hubs]
        return AgentProgram(self.base, urls, {"type": "maildir", "path": self.base / "mail"}, **settings)

    def test_fills_exactly_what_is_missing(self):
        hub = self.hub()
        there = [hub.add(ALICE) for _ in range(5)]
        lost = [hub.add(ALICE) for _ in range(3)] + [hub.add(BOB)]
        for delivery in there:
            self.maildirs.store(ALICE, delivery)
        status, report = self.agent(hub).run("promote")
        self.assertEqual(status, 0, report)
        total = report["total"]
        self.assertEqual((total["listed"], total["present"], total["resubmitted"], total["delivered"]), (9, 5, 4, 4))
        for delivery in there + lost[:3]:
            self.assertEqual(self.maildirs.copies(ALICE, delivery), 1)
        self.assertEqual(self.maildirs.copies(BOB, lost[3]), 1)
        self.assertEqual((hub.active, hub.term), ("node2", 1))
        self.assertEqual(hub.called("POST", "/recovered"), [{"node": "node2", "term": 1}])
        self.assertTrue(report["unfenced"])

    def test_settles_what_is_in_doubt_by_what_is_there(self):
        hub = self.hub()
        arrived, lost = hub.add(ALICE, state="in_doubt", attempt=3), hub.add(ALICE, state="in_doubt", attempt=4)
        old = hub.add(ALICE, state="in_doubt", when=ago(days=2))
        self.maildirs.store(ALICE, arrived)
        status, report = self.agent(hub).run("promote")
        self.assertEqual(status, 0, report)
        self.assertEqual(report["total"]["in_doubt_settled"], 3)
        for delivery in (arrived, lost, old):
            self.assertEqual(self.maildirs.copies(ALICE, delivery), 1)
            self.assertEqual(hub.state_of(delivery), ["delivered"])

    def test_an_unreadable_inventory_resubmits_nothing(self):
        hub = self.hub()
        hub.add(ALICE)
        agent = AgentProgram(self.base, [hub.url], {"type": "maildir", "path": self.base / "elsewhere"})
        status, report = agent.run("promote")
        self.assertEqual(status, 1)
        self.assertIn("mail store", report["error"])
        self.assertEqual(hub.called("POST", "/resubmissions"), [])
        self.assertEqual(hub.called("POST", "/recovered"), [])
        self.assertEqual(hub.called("POST", "/activations"), [])

    def test_a_listing_that_breaks_off_decides_nothing(self):
        hub = self.hub()
        hub.add(ALICE)
        hub.break_listing = True
        status, report = self.agent(hub).run("promote")
        self.assertEqual(status, 1)
        self.assertIn("broke off", report["hubs"][0]["trouble"])
        self.assertEqual(hub.called("POST", "/resubmissions"), [])

    def test_a_hub_out_of_reach_is_remembered_and_filled_later(self):
        hub, late = self.hub(), self.hub(name="hub2")
        late_line = late.add(ALICE)
        late.__exit__()
        agent = self.agent(hub, late)
        status, report = agent.run("--wait", "300ms", "promote")
        self.assertEqual(status, 2, report)
        self.assertEqual([entry["remembered"] for entry in report["hubs"]], [False, True])
        self.assertEqual(self.maildirs.copies(ALICE, late_line), 0)

        revived = self.hub(name="hub2")
        revived.lines, revived.store_id, revived.store_created = late.lines, late.store_id, late.store_created
        configuration = agent.configuration.read_text().replace(late.url, revived.url)
        agent.configuration.write_text(configuration)
        state = self.base / "state" / "state.json"
        state.write_text(state.read_text().replace(late.url.replace("/", "\\/"), revived.url).replace(late.url, revived.url))
        status, report = agent.run("fill")
        self.assertEqual(status, 0, report)
        self.assertEqual((revived.active, revived.term), ("node2", 1))
        self.assertEqual(self.maildirs.copies(ALICE, late_line), 1)
        self.assertNotIn("promote", agent.state())

    def test_a_higher_term_of_another_node_ends_with_5(self):
        hub = self.hub(nodes=("node1", "node2"))
        hub.term = 7
        status, report = self.agent(hub).run("promote", "--term", "5")
        self.assertEqual(status, 5, report)
        self.assertEqual((hub.active, hub.term), ("node1", 7))

    def test_a_dumpster_that_does_not_reach_back_ends_with_3(self):
        hub = self.hub()
        hub.covered_from = ago(minutes=5)
        status, report = self.agent(hub).run("promote")
        self.assertEqual(status, 3, report)
        self.assertFalse(report["hubs"][0]["covered"])

    def test_what_a_mailbox_server_drops_after_its_250_is_reported_as_missing(self):
        hub = self.hub()
        hub.deliver = lambda line, recipient: True
        hub.add(ALICE)
        status, report = self.agent(hub).run("promote")
        self.assertEqual(status, 4, report)
        self.assertEqual(report["total"]["missing"], 1)

    def test_a_dry_run_changes_nothing(self):
        hub = self.hub()
        lost = hub.add(ALICE)
        status, report = self.agent(hub).run("promote", "--dry-run")
        self.assertEqual(status, 0, report)
        self.assertEqual([item["delivery_id"] for item in report["planned"]], [lost])
        self.assertEqual([call for call in hub.calls if call[0] != "GET"], [])
        self.assertFalse((self.base / "state" / "state.json").exists())

    def test_no_fill_activates_only_and_fill_does_the_rest(self):
        hub = self.hub()
        lost = hub.add(ALICE)
        agent = self.agent(hub)
        status, report = agent.run("promote", "--no-fill")
        self.assertEqual((status, hub.active), (0, "node2"), report)
        self.assertEqual(hub.called("POST", "/resubmissions"), [])
        status, report = agent.run("fill")
        self.assertEqual(status, 0, report)
        self.assertEqual(self.maildirs.copies(ALICE, lost), 1)

    def test_a_window_is_compared_again_with_the_own_deliveries(self):
        hub = self.hub()
        agent = self.agent(hub)
        agent.run("promote")
        lost, other = hub.add(ALICE, node="node2"), hub.add(BOB, node="node2")
        self.assertEqual(agent.run("fill")[0], 0)
        self.assertEqual(self.maildirs.copies(ALICE, lost), 0)
        status, report = agent.run("fill", "--from", rfc3339(ago(hours=1)), "--mailbox", ALICE)
        self.assertEqual(status, 0, report)
        self.assertEqual(self.maildirs.copies(ALICE, lost), 1)
        self.assertEqual(self.maildirs.copies(BOB, other), 0)

    def test_a_failing_quiesce_decides_nothing(self):
        hub = self.hub()
        hub.add(ALICE)
        status, report = self.agent(hub, quiesce="exit 3").run("promote")
        self.assertEqual(status, 1, report)
        self.assertEqual(hub.called("POST", "/resubmissions"), [])

    def test_a_wrong_token_is_an_error_and_not_an_absence(self):
        hub = self.hub(token="another")
        status, report = self.agent(hub).run("promote")
        self.assertEqual(status, 1, report)
        self.assertIn("401", report["hubs"][0]["trouble"])

    def test_a_damaged_state_is_an_error(self):
        hub = self.hub()
        agent = self.agent(hub)
        agent.run("promote")
        (self.base / "state" / "state.json").write_text('{"format": 1')
        status, report = agent.run("promote")
        self.assertEqual(status, 1)
        self.assertIn("damaged", report["error"])


if __name__ == "__main__":
    unittest.main()
