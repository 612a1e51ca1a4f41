import json
import re
import unittest

from case import ALICE, BOB, CLUSTER, GROUP, EndToEnd
from harness.lmtp_sink import DEFER, LmtpSink
from harness.processes import wait_until

FAR = "user@far.example"


class Queue(EndToEnd):
    """dumpsterctl queue, as an operator uses it: one destination is down, the other one defers."""

    def setUp(self):
        super().setUp()
        (self.node,) = self.sinks("node1")
        self.far = LmtpSink(self.workspace, "far").start()
        self.hub = self.clustered_hub(
            [self.node], recipients=[f"{FAR} {self.far.deliver_to}"], settings={"relay": {"retry_min": "1h", "retry_max": "1h"}}
        )
        self.node.kill()
        self.far.rules += [("*", DEFER)] * 2
        self.to_alice = self.send(self.hub, [f"m{number}@x" for number in range(3)])
        self.to_far = self.send(self.hub, ["far1@x", "far2@x"], [FAR])
        wait_until(lambda: sum(self.far.transactions.values()) == 2, 20, "both were deferred")
        wait_until(lambda: self.listed("--recipient", FAR) == ["deferred", "deferred"], 20, "which is recorded")

    def ctl(self, *arguments, status=0):
        done = self.hub.control(*arguments)
        self.assertEqual(done.returncode, status, (arguments, done.stdout, done.stderr))
        return done.stdout if status in (0, 3) else done.stderr

    def lines(self, *filters):
        *mails, last = [json.loads(line) for line in self.ctl("--json", "queue", "list", *filters).splitlines()]
        self.assertEqual(last["count"], len(mails))
        return mails

    def listed(self, *filters):
        return [recipient["state"] for mail in self.lines(*filters) for recipient in mail["recipients"]]

    def changed(self, action, *filters, status=0):
        return json.loads(self.ctl("--json", "queue", action, *filters, status=status))

    def test_list_shows_what_waits_by_id_recipient_sender_destination_and_age(self):
        self.assertEqual(len(self.lines()), 5)
        self.assertEqual([mail["message_id"] for mail in self.lines("--destination", f"{CLUSTER}/{GROUP}")], ["m0@x", "m1@x", "m2@x"])
        self.assertEqual(len(self.lines("--destination", CLUSTER)), 3)
        self.assertEqual(len(self.lines("--destination", self.far.deliver_to)), 2)
        self.assertEqual(len(self.lines("--recipient", FAR.upper())), 2)
        self.assertEqual(len(self.lines("--sender", "sender@example.net")), 5)
        self.assertEqual(self.lines("--sender", "<>"), [])
        self.assertEqual(self.lines("--older-than", "1h"), [])
        self.assertEqual(len(self.lines("--older-than", "0s")), 5)
        (one,) = self.lines("--message-id", "<far1@x>")
        self.assertEqual(self.lines("--id", one["id"]), [one])
        self.assertEqual((one["recipients"][0]["attempts"], one["recipients"][0]["last_reply"]), (1, "451 4.2.0 Not now"))
        text = self.ctl("queue", "list")
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        self.assertIn(one["id"], text)
        self.assertIn("more", self.ctl("queue", "list", "--limit", "2"))
        shown = self.ctl("queue", "show", one["id"])
        self.assertRegex(shown, r"last reply +451 4.2.0 Not now")
        self.assertLessEqual(max(map(len, shown.splitlines())), 80)
        self.ctl("queue", "show", "0192f5c4-7d1e-7a30-9f6b-3f1c2b7a9d11", status=3)
        self.assertIn("UUID", self.ctl("queue", "show", "nonsense", status=1))

    def test_what_an_operator_holds_waits_over_a_restart_until_it_is_released(self):
        self.assertEqual(self.changed("hold", "--recipient", ALICE)["messages"], 3)
        self.node.start()
        for ended in (self.hub.kill, self.hub.stop):
            ended()
            self.hub.start()
            self.assertEqual(self.listed("--recipient", ALICE), ["held"] * 3)
        one = self.lines("--message-id", "m1@x")[0]["id"]
        self.assertEqual(self.changed("release", "--id", one)["messages"], 1)
        self.wait_copies(self.node, {(ALICE, "m1@x")})
        self.assertEqual(len(self.lines("--held", "--recipient", ALICE)), 2)
        self.assertEqual(set(self.node.copies()), {(ALICE, "m1@x")})
        self.changed("release", "--all")
        self.wait_copies(self.node, self.to_alice)

    def test_retry_ends_the_back_off_and_probes_a_dead_destination(self):
        self.far.rules.clear()
        self.assertEqual(self.changed("retry", "--destination", self.far.deliver_to)["recipients"], 2)
        self.wait_copies(self.far, self.to_far)
        self.node.start()
        self.changed("retry", "--destination", CLUSTER)
        self.wait_copies(self.node, self.to_alice)
        self.hub.wait_spool_empty()
        self.assertEqual(self.changed("retry", "--all", status=3)["messages"], 0)

    def test_delete_is_a_dry_run_until_it_is_told_to_do_it_and_is_counted(self):
        would = self.changed("delete", "--recipient", ALICE)
        self.assertEqual((would["dry_run"], would["messages"]), (True, 3))
        self.assertEqual(len(self.lines()), 5)
        gone = self.changed("delete", "--recipient", ALICE, "--yes")
        self.assertEqual((gone["dry_run"], gone["messages"], gone["recipients"]), (False, 3, 3))
        self.assertEqual([mail["message_id"] for mail in self.lines()], ["far1@x", "far2@x"])
        self.assertEqual(self.hub.metric("relay_deleted_total"), 3)
        self.assertEqual(self.hub.metric("relay_spool_messages"), 2)
        self.assertIn("event=deleted", self.hub.log())
        self.assertIn("are deleted", self.ctl("queue", "delete", "--all", "--yes"))
        self.node.start()
        self.far.rules.clear()
        self.hub.kill()
        self.hub.start()
        self.assertEqual(self.lines(), [])
        self.assertEqual((self.node.copies(), self.far.copies()), ({}, {}))
        self.assertEqual(self.hub.metric("dumpster_in_doubt"), 0)

    def test_an_order_has_to_say_what_it_means_and_belongs_to_the_operator(self):
        for action in ("hold", "release", "retry", "delete"):
            self.assertIn("say what is meant", self.ctl("queue", action, status=1))
        self.assertEqual(len(self.lines()), 5)
        self.assertIn(self.hub.api().call("GET", "/v1/queue")[0], (404, 405))
        self.assertIn(self.hub.api().call("POST", "/v1/queue/delete", {"all": True})[0], (404, 405))


class Trace(EndToEnd):
    """dumpsterctl trace: where is my mail."""

    def setUp(self):
        super().setUp()
        self.node1, self.node2 = self.sinks("node1", "node2")
        self.far = LmtpSink(self.workspace, "far").start()
        self.hub = self.clustered_hub(
            [self.node1, self.node2], recipients=[f"{FAR} {self.far.deliver_to}", f"boss@example.test ={BOB}"]
        )

    def trace(self, what, status=0):
        done = self.hub.control("--json", "trace", what)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()][:-1]

    def events(self, mail):
        return [event["event"] for event in mail["events"]]

    def test_a_trace_tells_the_whole_life_of_a_message_from_any_of_its_names(self):
        self.far.rules += [("m@x", DEFER)]
        self.send(self.hub, ["m@x"], [ALICE, BOB, FAR])
        self.wait_copies(self.far, {(FAR, "m@x")})
        self.hub.wait_spool_empty()
        api = self.hub.api()
        api.activate(CLUSTER, "node2", 1)
        (line,), _ = api.deliveries(CLUSTER, GROUP)
        api.resubmit(CLUSTER, GROUP, key="k", from_="2020-01-01T00:00:00Z", until=api.hub()["now"])
        self.wait_copies(self.node2, {(ALICE, "m@x"), (BOB, "m@x")})
        self.hub.wait_spool_empty()
        (mail,) = self.trace(line["delivery_id"])
        for name in ("<m@x>", "m@x", ALICE, FAR.upper(), mail["id"]):
            self.assertEqual(self.trace(name), [mail], name)
        self.assertEqual((mail["message_id"], mail["sender"]), ("m@x", "sender@example.net"))
        self.assertIn("127.0.0.1", mail["origin"])
        self.assertEqual(sorted(self.events(mail)), ["accepted", "deferred", "delivered", "delivered", "delivered", "resubmitted"])
        to_far = [event for event in mail["events"] if event.get("where") == self.far.deliver_to]
        self.assertEqual([event["event"] for event in to_far], ["deferred", "delivered"])
        self.assertLess(to_far[0]["attempt"], to_far[1]["attempt"])
        self.assertFalse(any(event.get("retained") for event in to_far))
        nodes = [event["where"] for event in mail["events"] if event["event"] == "delivered" and event.get("retained")]
        self.assertEqual(nodes, ["node1", "node2"])
        self.assertEqual({(one["address"], one["state"]) for one in mail["recipients"]}, {(ALICE, "delivered"), (BOB, "delivered"), (FAR, "delivered")})
        self.assertEqual([line["node"] for line in mail["retained"]], ["node2"])
        self.assertEqual(mail["queued"], [])
        text = self.hub.control("trace", "m@x").stdout
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        for word in ("accepted", "resubmitted", "node2", "451 4.2.0 Not now", line["delivery_id"]):
            self.assertIn(word, text)

    def test_it_outlives_the_mail_a_crash_and_a_purge_and_knows_aliases(self):
        self.far.rules += [("gone@x", "refuse")]
        self.send(self.hub, ["gone@x"], [FAR])
        self.send(self.hub, ["kept@x"], ["boss@example.test"])
        self.wait_copies(self.node1, {(BOB, "kept@x")})
        wait_until(lambda: "bounced" in self.events(self.trace("gone@x")[0]), 20, "the bounce is remembered")
        self.hub.kill()
        self.hub.start()
        self.hub.control("dumpster", "purge", f"{CLUSTER}/{GROUP}", "--all", "--yes")
        (gone,) = self.trace("<gone@x>")
        self.assertEqual(self.events(gone), ["accepted", "bounced"])
        self.assertEqual(gone["events"][1]["reply"], "554 5.7.1 Not wanted")
        (kept,) = self.trace("boss@example.test")
        self.assertEqual((kept["message_id"], kept["recipients"][0]["address"]), ("kept@x", BOB))
        self.assertEqual(kept["retained"], [])

    def test_what_waits_is_told_with_its_reason_and_the_unknown_has_a_status_of_its_own(self):
        self.node1.kill()
        self.send(self.hub, ["waits@x"])
        (mail,) = self.trace("waits@x")
        self.assertEqual([(one["address"], one["state"]) for one in mail["queued"]], [(ALICE, "waiting")])
        self.assertEqual(mail["recipients"][0]["state"], "queued")
        self.hub.control("queue", "delete", "--all", "--yes")
        self.assertEqual(self.events(self.trace("waits@x")[0]), ["accepted", "deleted"])
        done = self.hub.control("trace", "nobody@nowhere.example")
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("nothing is known", done.stderr)

    def test_one_log_line_an_event_answers_where_a_mail_is(self):
        self.far.rules += [("m@x", DEFER)]
        self.send(self.hub, ["m@x"], [FAR])
        self.wait_copies(self.far, {(FAR, "m@x")})
        self.hub.wait_spool_empty()
        lines = [line for line in self.hub.log().splitlines() if "message_id=m@x" in line]
        self.assertEqual([line.split("event=")[1].split()[0] for line in lines], ["accepted", "deferred", "delivered"])
        for line in lines[1:]:
            for field in ("id=", f"recipient={FAR}", f"destination={self.far.deliver_to}", "reply="):
                self.assertIn(field, line)


class Lifetime(EndToEnd):
    """Next hops that are not there, and are looked for again when the test says so."""

    def setUp(self):
        super().setUp()
        self.node, self.far = self.sinks("node1", "far")
        self.hub = self.clustered_hub(
            [self.node],
            recipients=[f"{FAR} {self.far.deliver_to}"],
            settings={"relay": {"queue_lifetime": "2s", "retry_min": "10m", "retry_max": "10m"}},
        )
        self.node.kill()
        self.far.kill()

    def control(self, *arguments):
        done = self.hub.control(*arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def outlive(self, message_id):
        """Waits until mail bounces that is younger than all others: what is not kept has bounced by then."""
        self.send(self.hub, [message_id], [FAR])
        self.control("queue", "retry", "--recipient", FAR)
        wait_until(lambda: message_id in self.bounced(), 30, "it has bounced")
        self.assertNotIn("held@x", self.bounced())

    def bounced(self):
        return re.findall(r"event=bounced .*?message_id=(\S+)", self.hub.log())

    def test_what_an_operator_held_is_tried_once_more_before_it_is_too_old(self):
        mails = self.send(self.hub, ["held@x"])
        wait_until(lambda: 'event="no connection"' in self.hub.log(), 30, "the node is dead")
        self.control("queue", "hold", "--recipient", ALICE)
        self.outlive("young@x")
        self.control("queue", "release", "--recipient", ALICE)
        self.outlive("younger@x")
        self.node.start()
        self.control("queue", "retry", "--recipient", ALICE)
        self.wait_copies(self.node, mails)

    def test_the_mail_of_a_held_cluster_is_tried_once_more_when_that_is_released(self):
        mails = self.send(self.hub, ["held@x"])
        wait_until(lambda: 'event="no connection"' in self.hub.log(), 30, "the node is dead")
        self.control("cluster", "hold", CLUSTER, "--for", "10m")
        self.outlive("young@x")
        self.node.start()
        self.control("cluster", "release", CLUSTER)
        self.wait_copies(self.node, mails)


if __name__ == "__main__":
    unittest.main()
