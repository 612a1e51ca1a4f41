"""The resource agent by itself, without Pacemaker: its conformance, and what it does with the hubs' answers."""

import unittest

from case import ClusterTest
from harness import http_calls
from lab.cluster import CLUSTER
from lab.dovecot_node import DovecotNode
from lab.machine import command

AGENT = "/usr/lib/ocf/resource.d/dumpster/mailbox-node"
SUCCESS, GENERIC, INSTALLED, NOT_RUNNING, PROMOTED = 0, 1, 5, 7, 8


class ResourceAgent(ClusterTest):
    node_class = DovecotNode

    def start_node(self, hubs=2):
        site = self.make_site()
        for hub in site.hubs[:hubs]:
            hub.start()
        self.node = site.nodes[1]
        self.node.boot()
        self.node.run("mkdir", "-p", "/run/resource-agents")
        return site

    def act(self, action, node=None, **parameters):
        values = {"driver": "dovecot", "lmtp_address": "127.0.0.1:24", "hub_wait": "1", "fill": "wait", **parameters}
        environment = [f"OCF_RESKEY_{name}={value}" for name, value in values.items()]
        environment += ["OCF_ROOT=/usr/lib/ocf", "OCF_RESOURCE_INSTANCE=mailbox", "HA_RSCTMP=/run/resource-agents"]
        return (node or self.node).run("env", *environment, AGENT, action, check=False)

    def assert_action(self, action, status, **parameters):
        done = self.act(action, **parameters)
        self.assertEqual(done.returncode, status, f"{action} {parameters}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def test_ocf_tester_has_nothing_to_complain_of(self):
        self.start_node()
        parameters = ["driver=dovecot", "lmtp_address=127.0.0.1:24", "fill=background", "mount_dial=lossless", "flush_wait=1"]
        options = [word for parameter in parameters for word in ("-o", parameter)]
        done = self.node.run("ocf-tester", "-n", "mailbox", *options, AGENT, check=False, timeout=240)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("passed all tests", done.stdout)

    def test_lossless_waits_for_every_hub_and_good_goes_on_without_one(self):
        site = self.start_node(hubs=1)
        self.assert_action("start", SUCCESS)
        told = self.assert_action("promote", GENERIC, mount_dial="lossless", report_command="cat >/var/tmp/report")
        self.assertIn("a hub was not reached", told)
        self.assertIn("refused", self.node.read("/var/tmp/report"))
        self.assert_action("monitor", SUCCESS, mount_dial="lossless")
        self.assertEqual(site.hubs[0].active(), "node1", "a refused promotion must not reach a hub")
        self.assert_action("promote", SUCCESS, mount_dial="good")
        self.assert_action("monitor", PROMOTED)
        self.assertEqual(site.hubs[0].active(), "node2")

    def test_a_refusal_for_an_absent_hub_is_over_when_the_hub_is_back(self):
        site = self.start_node(hubs=1)
        self.assert_action("start", SUCCESS)
        self.assert_action("promote", GENERIC, mount_dial="lossless")
        refusal = "/run/resource-agents/mailbox-node-mailbox.refused"
        self.assert_action("monitor", SUCCESS, mount_dial="lossless", CRM_meta_interval=10000)
        self.assertEqual(self.node.run("test", "-e", refusal, check=False).returncode, 0)
        site.hubs[1].start()
        self.assert_action("monitor", SUCCESS, mount_dial="lossless", CRM_meta_interval=10000)
        self.assertNotEqual(self.node.run("test", "-e", refusal, check=False).returncode, 0)
        self.assert_action("promote", SUCCESS, mount_dial="lossless")

    def test_a_dumpster_that_is_lost_stops_good_and_not_best_availability(self):
        site = self.start_node()
        self.assert_action("start", SUCCESS)
        # The agent meets the hub, which then comes back with an empty store.
        self.node.run("dumpster-agent", "--config", "/etc/dumpster-agent/dumpster-agent.toml", "promote", "--no-fill")
        hub = site.hubs[1]
        hub.stop()
        command("rm", "-r", hub.data)
        hub.start()
        told = self.assert_action("promote", GENERIC, mount_dial="good")
        self.assertIn("does not reach back far enough", told)
        report = self.assert_action("promote", SUCCESS, mount_dial="best_availability", report_command="cat >/var/tmp/report")
        self.assertIn("promoted all the same", self.node.read("/var/tmp/report"), report)

    def test_a_higher_term_elsewhere_refuses_the_promotion_for_good(self):
        site = self.start_node()
        self.assert_action("start", SUCCESS)
        for hub in site.hubs:
            done = hub.control("--json", "status")
            self.assertEqual(done.returncode, 0)
            api_activate(hub, "node1", 1000)
        for _ in range(2):
            told = self.assert_action("promote", GENERIC, term_command="echo 5")
            self.assertIn("another node holds a higher term", told)
            self.assert_action("monitor", SUCCESS, term_command="echo 5", CRM_meta_interval=10000)
        self.assertEqual({hub.active() for hub in site.hubs}, {"node1"})
        # Without a term of its own the order of the cluster manager counts.
        self.assert_action("promote", SUCCESS)
        self.assertEqual({hub.active() for hub in site.hubs}, {"node2"})

    def test_a_node_that_died_while_it_was_active_does_not_come_back_merged(self):
        site = self.start_node()
        self.assert_action("start", SUCCESS)
        self.assert_action("promote", SUCCESS)
        self.node.kill()
        self.node.boot()
        self.node.run("mkdir", "-p", "/run/resource-agents")
        # Nobody has taken over: its store is the newest.
        self.assert_action("start", SUCCESS)
        self.assert_action("stop", SUCCESS)
        for hub in site.hubs:
            api_activate(hub, "node1", 1000)
        told = self.assert_action("start", INSTALLED)
        self.assertIn("dumpster-rejoin", told)
        self.assert_action("monitor", NOT_RUNNING)


def api_activate(hub, node, term):
    done = command(
        "curl", "-sS", "--fail", "--unix-socket", hub.admin_socket, "-d", http_calls.json.dumps({"node": node, "term": term, "kind": "lossy"}),
        "-H", "Content-Type: application/json", f"http://hub/v1/clusters/{CLUSTER}/activations",
    )
    return done.stdout


if __name__ == "__main__":
    unittest.main()
