import unittest

from case import CLUSTER, GROUP, EndToEnd
from harness.hub import TOKENS
from harness.processes import wait_until


class Activation(EndToEnd):
    def setUp(self):
        super().setUp()
        self.node1, self.node2 = self.sinks("node1", "node2")
        self.hub = self.clustered_hub([self.node1, self.node2])

    def test_a_higher_term_wins_a_lower_one_is_refused_and_the_same_again_is_fine(self):
        api = self.hub.api()
        self.assertEqual((api.cluster(CLUSTER)["active"], api.cluster(CLUSTER)["term"]), ("node1", 0))
        status, answer = api.activate(CLUSTER, "node2", 5)
        self.assertEqual((status, answer["active"], answer["term"]), (200, "node2", 5))
        status, answer = api.activate(CLUSTER, "node2", 5)
        self.assertEqual((status, answer["active"], answer["term"]), (200, "node2", 5))
        for node, term in (("node1", 5), ("node1", 4), ("node2", 4)):
            status, answer = api.activate(CLUSTER, node, term)
            self.assertEqual(status, 409, (node, term, answer))
            self.assertEqual((answer["active"], answer["term"]), ("node2", 5))
        self.assertEqual(api.activate(CLUSTER, "node9", 6)[0] // 100, 4)
        self.hub.kill()
        self.hub.start()
        found = self.hub.api().cluster(CLUSTER)
        self.assertEqual((found["active"], found["term"]), ("node2", 5))
        self.wait_copies(self.node2, self.send(self.hub, ["new@x"]))
        self.assertEqual(self.node1.copies(), {})

    def test_an_agent_may_activate_its_own_node_only_and_jump_no_further_than_a_thousand(self):
        agent = self.hub.api(self.hub.token_of(CLUSTER, "node2"), "node2")
        self.assertEqual(agent.activate(CLUSTER, "node1", 1)[0], 403)
        self.assertEqual(agent.activate(CLUSTER, "node2", 5000)[0] // 100, 4)
        self.assertEqual(agent.activate(CLUSTER, "node2", 1)[0], 200)

    def test_without_a_credential_nothing_is_told(self):
        for token, expected in (("", 401), ("wrong", 401), (TOKENS["read"], 403)):
            api = self.hub.api(token or " ")
            api.token = token
            self.assertEqual(api.activate(CLUSTER, "node2", 7)[0], expected)
        self.assertEqual(self.hub.api().cluster(CLUSTER)["term"], 0)

    def test_waiting_mail_goes_to_the_node_that_is_active_now(self):
        self.node1.kill()
        mails = self.send(self.hub, ["waiting@x"])
        self.hub.api().activate(CLUSTER, "node2", 1)
        self.wait_copies(self.node2, mails)


class Resubmission(EndToEnd):
    def test_the_same_key_is_the_same_request_across_a_restart_and_fills_once(self):
        node1, node2 = self.sinks("node1", "node2")
        hub = self.clustered_hub([node1, node2])
        mails = self.send(hub, [f"m{number}@x" for number in range(10)])
        self.wait_copies(node1, mails)
        hub.wait_spool_empty()
        node1.kill()
        api = hub.api()
        api.activate(CLUSTER, "node2", 1)
        window = {"key": "refill-1", "from": "2020-01-01T00:00:00.000000Z", "until": api.hub()["now"]}
        status, first = api.resubmit(CLUSTER, GROUP, **window)
        self.assertEqual((status, first["matched"]), (202, 10))
        self.assertEqual(api.resubmit(CLUSTER, GROUP, **window)[1]["id"], first["id"])
        other = {**window, "until": "2021-01-01T00:00:00.000000Z"}
        self.assertEqual(api.resubmit(CLUSTER, GROUP, **other)[0], 409)
        self.wait_copies(node2, mails)
        hub.kill()
        hub.start()
        self.assertEqual(hub.api().resubmit(CLUSTER, GROUP, **window)[1]["id"], first["id"])

        def done():
            return hub.api().call("GET", f"/v1/resubmissions/{first['id']}")[1]["state"] == "completed"

        wait_until(done, 30, "the request is completed")
        self.assertEqual(set(node2.copies()), mails)
        lines, last = hub.api().deliveries(CLUSTER, GROUP)
        self.assertEqual({line["node"] for line in lines}, {"node2"})
        self.assertEqual(last["count"], 10)
        self.assertEqual(node1.bodies()["m1@x"], node2.bodies()["m1@x"])


if __name__ == "__main__":
    unittest.main()
