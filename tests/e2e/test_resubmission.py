import json
import time

from case import ALICE, BOB, CLUSTER, GROUP, EndToEnd
from harness.lmtp_sink import DEFER, REFUSE
from harness.processes import wait_until

WHERE = f"{CLUSTER}/{GROUP}"
ALL = {"from_": "2020-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z"}


class Resubmission(EndToEnd):
    """What was delivered to node1, delivered again to node2."""

    def prepare(self, count, mailboxes=(ALICE,), **recovery):
        self.old, self.new = self.sinks("node1", "node2")
        self.hub = self.clustered_hub([self.old, self.new], settings={"recovery": {"in_doubt_wait": "90s", **recovery}})
        self.mails = self.send(self.hub, [f"m{number}@x" for number in range(count)], mailboxes, size=500)
        self.wait_copies(self.old, self.mails)
        self.hub.wait_spool_empty()
        self.agent_api = self.hub.api(self.hub.token_of(CLUSTER, "node2"), "node2")
        self.assertEqual(self.agent_api.activate(CLUSTER, "node2", 1)[0], 200)

    def ask(self, key="key", **more):
        status, answer = self.hub.api().resubmit(CLUSTER, GROUP, key=key, **ALL, **more)
        self.assertEqual(status, 202, answer)
        return answer

    def state(self, answer):
        return self.hub.api().call("GET", f"/v1/resubmissions/{answer['id']}")[1]

    def wait_state(self, answer, state, seconds=60):
        wait_until(
            lambda: self.state(answer)["state"] == state, seconds, lambda: f"{state}: {self.state(answer)}", pause=0.1
        )
        return self.state(answer)

    def test_a_hub_killed_in_the_middle_goes_on_and_repeats_nothing(self):
        self.prepare(400, resubmit_rate=100)
        answer = self.ask()
        self.assertEqual(answer["matched"], 400)
        wait_until(lambda: len(self.new.copies()) > 130, 60, lambda: "copies", pause=0.02)
        self.hub.kill()
        self.hub.start()
        self.assertEqual(self.ask()["id"], answer["id"])
        # What had left for the node and had no answer is in doubt; the agent settles it, as it sees it there.
        api = self.hub.api()
        doubtful = api.deliveries(CLUSTER, GROUP, state="in_doubt")[0]
        self.assertLess(len(doubtful), 250)
        there = {message_id for _, message_id in self.new.copies()}
        named = [
            {
                "delivery_id": line["delivery_id"],
                "attempt": line["attempt"],
                "outcome": "present" if line["message_id"] in there else "deliver",
            }
            for line in doubtful
        ]
        status, settled = self.agent_api.resubmit(CLUSTER, GROUP, key="settle", node="node2", term=1, deliveries=named, **ALL)
        self.assertEqual((status, settled["not_found"]), (202, []))
        over = self.wait_state(answer, "completed")
        self.assertEqual(over["failed"], 0)
        self.wait_state(settled, "completed")
        self.assert_each_once(self.new.copies(), self.mails)
        lines = api.deliveries(CLUSTER, GROUP)[0]
        self.assertEqual({(line["state"], line["node"], line["term"]) for line in lines}, {("delivered", "node2", 1)})
        self.assertEqual(len(lines), 400)

    def test_the_rate_limit_holds_and_fresh_mail_does_not_wait_for_it(self):
        self.prepare(80, resubmit_rate=20)
        begun = time.monotonic()
        answer = self.ask()
        fresh = self.send(self.hub, ["fresh@x"])
        self.wait_copies(self.new, fresh)
        self.assertEqual(self.state(answer)["state"], "running")
        over = self.wait_state(answer, "completed")
        self.assertGreater(time.monotonic() - begun, 2.5)  # 20 at once, then 20 a second
        self.assertEqual((over["resubmitted"], over["delivered"]), (80, 80))
        self.assert_each_once(self.new.copies(), self.mails | fresh)

    def test_a_node_that_is_away_pauses_it_and_a_reload_changes_the_rate(self):
        self.prepare(60, resubmit_rate=10)
        self.new.kill()
        answer = self.ask()
        paused = self.wait_state(answer, "paused")
        self.assertEqual(paused["paused_because"], "the node cannot be reached")
        self.assertEqual(self.hub.metric("recovery_resubmissions", state="paused"), 1)
        self.assertIn("cannot be reached", self.hub.control("resubmit", "show", answer["id"]).stdout)
        self.hub.settings["recovery"]["resubmit_rate"] = 0
        self.hub.write()
        self.hub.reload()
        self.new.start()
        self.assertEqual(self.wait_state(answer, "completed")["delivered"], 60)
        self.assert_each_once(self.new.copies(), self.mails)

    def test_what_is_cancelled_stays_and_can_be_asked_for_again(self):
        self.prepare(50, resubmit_rate=5)
        answer = self.ask()
        wait_until(lambda: self.state(answer)["delivered"] >= 5, 30, lambda: str(self.state(answer)), pause=0.05)
        done = self.hub.control("--json", "resubmit", "cancel", answer["id"])
        cancelled = json.loads(done.stdout)
        self.assertEqual((done.returncode, cancelled["state"]), (0, "cancelled"))
        self.assertEqual(cancelled["delivered"] + cancelled["cancelled"], 50)
        wait_until(
            lambda: {line["state"] for line in self.hub.api().deliveries(CLUSTER, GROUP)[0]} <= {"delivered", "in_doubt"},
            30,
            lambda: "given back",
        )
        there = {message_id for _, message_id in self.new.copies()}
        lines = self.hub.api().deliveries(CLUSTER, GROUP)[0]
        missing = [{"delivery_id": line["delivery_id"]} for line in lines if line["message_id"] not in there]
        self.hub.settings["recovery"]["resubmit_rate"] = 0
        self.hub.write()
        self.hub.reload()
        rest = self.ask("rest", deliveries=missing)
        self.wait_state(rest, "completed")
        self.assert_each_once(self.new.copies(), self.mails)

    def test_an_activation_ends_it_and_the_next_term_fills_the_gap(self):
        self.prepare(40, resubmit_rate=5)
        first = self.ask()
        wait_until(lambda: len(self.new.copies()) >= 5, 30, lambda: "copies", pause=0.05)
        status, _ = self.hub.api(self.hub.token_of(CLUSTER, "node1"), "node1").activate(CLUSTER, "node1", 2)
        self.assertEqual(status, 200)
        self.assertEqual(self.state(first)["state"], "cancelled")
        before = len(self.new.copies())
        lines = self.hub.api().deliveries(CLUSTER, GROUP)[0]
        self.assertNotIn("resubmitting", {line["state"] for line in lines})
        moved = [{"delivery_id": line["delivery_id"]} for line in lines if line["node"] == "node2"]
        second = self.ask("second", deliveries=moved)
        self.wait_state(second, "completed")
        self.assertEqual(len(self.new.copies()), before)


class ResubmissionByOperator(EndToEnd):
    """dumpsterctl resubmit: a mailbox restored from an old backup."""

    def setUp(self):
        super().setUp()
        (self.node,) = self.sinks("node1")
        self.hub = self.clustered_hub([self.node])
        self.alice = self.send(self.hub, [f"a{number}@x" for number in range(4)], [ALICE])
        self.both = self.send(self.hub, ["both@x"], [ALICE, BOB])
        self.bob = self.send(self.hub, ["b@x"], [BOB])
        self.wait_copies(self.node, self.alice | self.both | self.bob)
        self.hub.wait_spool_empty()

    def ctl(self, *arguments, status=0):
        done = self.hub.control(*arguments)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout if status in (0, 4) else done.stderr

    def copies(self, message_id, mailbox=ALICE):
        return self.node.copies().get((mailbox, message_id), 0)

    def test_a_mailbox_is_filled_again_and_nobody_else_gets_a_copy(self):
        preview = self.ctl("resubmit", "add", WHERE, "--from", "2h", "--recipient", ALICE.upper(), "--dry-run")
        self.assertRegex(preview, r"^5 deliveries, .* 5 recipients would be resubmitted")
        self.assertEqual(self.hub.api().call("GET", "/v1/resubmissions")[1], [])
        text = self.ctl("resubmit", "add", WHERE, "--from", "2h", "--recipient", ALICE, "--wait")
        self.assertRegex(text, r"state +completed\n")
        self.assertRegex(text, r"delivered +5\n")
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        for _, message_id in self.alice | {(ALICE, "both@x")}:
            self.assertEqual(self.copies(message_id), 2)
        self.assertEqual((self.copies("both@x", BOB), self.copies("b@x", BOB)), (1, 1))

    def test_one_message_or_one_delivery_by_name_and_the_same_key_once(self):
        self.ctl("resubmit", "add", WHERE, "--message-id", "<a1@x>", "--wait")
        lines = self.hub.api().deliveries(CLUSTER, GROUP)[0]
        by_id = {line["message_id"]: line["delivery_id"] for line in lines}
        named = ("resubmit", "add", WHERE, "--delivery", by_id["a2@x"], "--delivery", by_id["b@x"], "--key", "mine")
        first = json.loads(self.ctl("--json", *named, "--wait"))
        again = json.loads(self.ctl("--json", *named))
        self.assertEqual((first["delivered"], again["id"]), (2, first["id"]))
        self.assertEqual((self.copies("a1@x"), self.copies("a2@x"), self.copies("b@x", BOB)), (2, 2, 2))
        self.assertEqual(self.copies("a0@x"), 1)
        listed = self.ctl("resubmit", "list")
        self.assertIn(first["id"], listed)
        self.assertIn("say what", self.ctl("resubmit", "add", WHERE, status=1))
        self.assertIn("UUID", self.ctl("resubmit", "add", WHERE, "--delivery", "nonsense", status=1))
        self.ctl("resubmit", "show", "nonsense", status=1)
        self.ctl("resubmit", "cancel", first["id"])

    def test_what_the_node_refuses_is_failed_listed_and_may_be_tried_again(self):
        self.node.rules = [("a0@x", REFUSE), ("a1@x", DEFER)]
        text = self.ctl("resubmit", "add", WHERE, "--all", "--wait", status=4)
        self.assertRegex(text, r"failed +1\n")
        self.assertRegex(text, r"delivered +6\n")
        (failed,) = self.hub.api().deliveries(CLUSTER, GROUP, state="failed")[0]
        self.assertEqual(failed["message_id"], "a0@x")
        self.ctl("resubmit", "add", WHERE, "--delivery", failed["delivery_id"], "--wait")
        self.assertEqual((self.copies("a0@x"), self.copies("a1@x")), (2, 2))
        self.assertEqual(self.hub.api().deliveries(CLUSTER, GROUP, state="failed")[0], [])
