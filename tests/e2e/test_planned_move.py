import json
import time
import unittest

from case import ALICE, BOB, CLUSTER, EndToEnd
from harness.load import Load
from harness.processes import wait_until


class Hold(EndToEnd):
    """Deliveries to a cluster stop and go on; mail is accepted all the while."""

    def setUp(self):
        super().setUp()
        self.node1, self.node2 = self.sinks("node1", "node2")
        self.hub = self.clustered_hub([self.node1, self.node2])

    def post(self, what, body, status=200):
        answered, answer = self.hub.api().call("POST", f"/v1/clusters/{CLUSTER}/{what}", body)
        self.assertEqual(answered, status, answer)
        return answer

    def spooled(self):
        return self.hub.metric("relay_spool_messages")

    def test_nothing_is_delivered_while_a_cluster_is_held_and_everything_after_its_release(self):
        held = self.post("hold", {"for": "60s"})
        self.assertEqual((held["held"], held["in_flight"]), (True, 0))
        self.assertTrue(self.hub.api().cluster(CLUSTER)["held"])
        mails = self.send(self.hub, [f"m{number}@x" for number in range(5)])
        wait_until(lambda: self.spooled() == 5, 20, "five spooled")
        time.sleep(0.5)  # longer than a look at the queue: what must not happen would have happened
        self.assertEqual(self.node1.copies(), {})
        self.assertEqual(self.post("release", {})["held"], False)
        self.assertFalse(self.hub.api().cluster(CLUSTER)["held"])
        self.wait_copies(self.node1, mails)

    def test_a_hold_ends_by_itself(self):
        self.post("hold", {"for": 2})
        begun = time.monotonic()
        mails = self.send(self.hub, ["m@x"])
        self.wait_copies(self.node1, mails)
        self.assertGreater(time.monotonic() - begun, 1.5)
        self.assertFalse(self.hub.api().cluster(CLUSTER)["held"])

    def test_a_hold_survives_a_crash_of_the_hub_and_an_activation(self):
        until = self.post("hold", {"for": "10m"})["held_until"]
        mails = self.send(self.hub, ["m@x"])
        self.hub.kill()
        self.hub.start()
        cluster = self.hub.api().cluster(CLUSTER)
        self.assertEqual((cluster["held"], cluster["held_until"]), (True, until))
        self.hub.api().activate(CLUSTER, "node2", 1, "lossless")
        self.assertTrue(self.hub.api().cluster(CLUSTER)["held"])
        self.assertEqual(self.spooled(), 1)
        self.post("release", {})
        self.wait_copies(self.node2, mails)
        self.assertEqual(self.node1.copies(), {})

    def test_a_planned_move_under_load_loses_doubles_and_bounces_nothing(self):
        load = self.workspace.own(Load(self.hub.smtp_port, [ALICE, BOB], count=600, connections=4).start())
        wait_until(lambda: len(self.node1.acknowledged) > 150, 60, "150 deliveries", pause=0.005)
        accepted_before = len(load.accepted)
        done = self.hub.control("cluster", "hold", CLUSTER, "--for", "30s", "--wait")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("0 deliveries under way", done.stdout)
        stood_still = dict(self.node1.copies())
        done = self.hub.control("--json", "cluster", "activate", CLUSTER, "node2", "--kind", "lossless")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["active"], "node2")
        self.assertEqual(json.loads(done.stdout)["term"] % 2, 1, "the term is not the second node's")
        wait_until(lambda: len(load.accepted) > accepted_before + 50 or load.finished(), 60, "mail is accepted meanwhile")
        self.assertEqual(self.node1.copies(), stood_still)
        self.assertEqual(self.hub.control("cluster", "release", CLUSTER).returncode, 0)
        load.join()
        self.hub.wait_spool_empty()
        self.assertEqual((load.refusals, load.uncertain), ([], set()))
        both = {**stood_still}
        for mail, copies in self.node2.copies().items():
            both[mail] = both.get(mail, 0) + copies
        self.assert_each_once(both, set(load.accepted))
        self.assertEqual(self.node1.copies(), stood_still)
        self.assertEqual(self.hub.metric("dumpster_in_doubt"), 0)
        self.assertEqual(self.hub.metric("relay_deliveries_total", result="bounced"), 0)

    def test_dumpsterctl_shows_a_hold_and_refuses_what_makes_no_sense(self):
        self.assertIn("not held", self.hub.control("cluster", "release", CLUSTER).stdout)
        self.assertIn("held until", self.hub.control("cluster", "hold", CLUSTER, "--for", "5m").stdout)
        self.assertRegex(self.hub.control("cluster", "show", CLUSTER).stdout, r"held until +\d{4}-\d\d-\d\d")
        for arguments in (["hold", CLUSTER], ["hold", CLUSTER, "--for", "soon"], ["hold", "none", "--for", "5s"],
                          ["activate", CLUSTER, "node9"], ["activate", CLUSTER, "node2", "--term", "0"]):
            done = self.hub.control("cluster", *arguments)
            self.assertEqual(done.returncode, 1, (arguments, done.stdout))
            self.assertTrue(done.stderr.strip(), arguments)


if __name__ == "__main__":
    unittest.main()
