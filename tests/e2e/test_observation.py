import json
import os
import pathlib
import shutil
import subprocess
import unittest

from case import CLUSTER, GROUP, EndToEnd
from harness import http_calls
from harness.processes import wait_until
from harness.smtp_raw import RawClient

# The contract: name, type, labels.
METRICS = (
    ("dumpster_messages", "gauge", {"cluster", "storage_group"}),
    ("dumpster_bytes", "gauge", {"cluster", "storage_group"}),
    ("dumpster_covered_from_timestamp_seconds", "gauge", {"cluster", "storage_group"}),
    ("dumpster_max_bytes", "gauge", {"cluster", "storage_group"}),
    ("dumpster_retained_total", "counter", {"cluster", "storage_group"}),
    ("dumpster_removed_total", "counter", {"cluster", "storage_group", "reason"}),
    ("dumpster_in_doubt", "gauge", {"cluster", "storage_group"}),
    ("cluster_active", "gauge", {"cluster", "node"}),
    ("cluster_term", "gauge", {"cluster"}),
    ("cluster_agent_seen_timestamp_seconds", "gauge", {"cluster", "node"}),
    ("recovery_resubmissions", "gauge", {"state"}),
    ("recovery_messages_total", "counter", {"result"}),
    ("recovery_queries_total", "counter", {"code"}),
    ("relay_connections", "gauge", {"protocol"}),
    ("relay_received_messages_total", "counter", set()),
    ("relay_received_bytes_total", "counter", set()),
    ("relay_rejected_total", "counter", {"reason"}),
    ("relay_slowed_messages_total", "counter", set()),
    ("relay_spool_messages", "gauge", set()),
    ("relay_spool_bytes", "gauge", set()),
    ("relay_spool_oldest_seconds", "gauge", set()),
    ("relay_deliveries_total", "counter", {"route", "result"}),
    ("relay_delivery_duration_seconds", "histogram", set()),
    ("relay_commit_duration_seconds", "histogram", set()),
    ("relay_commit_batch_messages", "histogram", set()),
    ("relay_load_shedding", "gauge", set()),
)


class Metrics(EndToEnd):
    def busy_hub(self):
        """A hub that has something to say in every metric."""
        node, passive = self.sinks("node1", "node2")
        hub = self.clustered_hub([node, passive], limits={"max_size": "64KiB"})
        self.agent([hub], node).get_in_touch()
        mails = self.send(hub, [f"m{number}@x" for number in range(8)], size=20000)
        self.wait_copies(node, mails)
        with RawClient(hub.smtp_port) as client:
            client.command("EHLO client.example.net")
            client.command("MAIL FROM:<sender@example.net>")
            client.command("RCPT TO:<nobody@example.test>")
        window = {"from": "2020-01-01T00:00:00.000000Z", "until": hub.api().hub()["now"]}
        status, _ = hub.api().resubmit(CLUSTER, GROUP, key="again", **window)
        self.assertEqual(status, 202)
        wait_until(lambda: hub.metric("recovery_messages_total", result="delivered"), 30, "resubmitted")
        wait_until(lambda: hub.metric("cluster_agent_seen_timestamp_seconds", node="node1"), 20, "agent in touch")
        wait_until(lambda: hub.metric("dumpster_removed_total", reason="size"), 20, "eviction")
        return hub

    def test_sessions_and_deliveries_have_threads_of_their_own(self):
        hub = self.clustered_hub(self.sinks("node1", "node2"))
        tasks = pathlib.Path(f"/proc/{hub.process.id}/task").glob("*/comm")
        names = [comm.read_text().strip() for comm in tasks]
        cores = len(os.sched_getaffinity(0))
        self.assertEqual(names.count("session"), cores)
        self.assertEqual(names.count("delivery"), max(1, cores // 2))
        self.assertEqual(names.count("committer"), 1)

    def test_the_metrics_of_the_contract_are_there_with_their_types_and_labels(self):
        hub = self.busy_hub()
        status, text = http_calls.get(hub.metrics_address, "/metrics")
        self.assertEqual(status, 200)
        types = dict(line.split()[2:4] for line in text.splitlines() if line.startswith("# TYPE "))
        samples = http_calls.samples(text)
        for name, kind, labels in METRICS:
            with self.subTest(name):
                self.assertEqual(types.get(name), kind)
                its_name = f"{name}_count" if kind == "histogram" else name
                found = [{label for label, _ in key[1]} for key in samples if key[0] == its_name]
                self.assertTrue(found, "no sample")
                for its_labels in found:
                    self.assertLessEqual(labels, its_labels)
        self.assertNotIn("@", text, "an address in a label")
        self.assertEqual(hub.metric("cluster_active", cluster=CLUSTER, node="node1"), 1)
        self.assertEqual(hub.metric("cluster_active", cluster=CLUSTER, node="node2"), 0)
        self.assertEqual(hub.metric("relay_received_messages_total"), 8)
        self.assertGreater(hub.metric("relay_received_bytes_total"), 8 * 20000)
        promtool = shutil.which("promtool")
        if promtool:
            checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_health_and_readiness(self):
        hub = self.clustered_hub(self.sinks("node1"))
        for path in ("/healthz", "/readyz"):
            self.assertEqual(http_calls.get(hub.metrics_address, path)[0], 200, path)
        self.assertEqual(http_calls.get(hub.metrics_address, "/elsewhere")[0], 404)


class Control(EndToEnd):
    def test_status_says_which_node_is_active_and_what_waits(self):
        node, passive = self.sinks("node1", "node2")
        hub = self.clustered_hub([node, passive])
        node.kill()
        self.send(hub, ["waiting@x"])
        shown = hub.control("status")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("node1", shown.stdout)
        self.assertIn(CLUSTER, shown.stdout)
        machine = hub.control("--json", "status")
        self.assertEqual(machine.returncode, 0, machine.stderr)
        json.loads(machine.stdout)

    def test_the_operator_sees_the_cluster_and_its_resubmissions(self):
        node, passive = self.sinks("node1", "node2")
        hub = self.clustered_hub([node, passive])
        mails = self.send(hub, ["again@x"])
        self.wait_copies(node, mails)
        hub.wait_spool_empty()
        hub.api().activate(CLUSTER, "node2", 1)
        window = {"from": "2020-01-01T00:00:00.000000Z", "until": hub.api().hub()["now"]}
        _, accepted = hub.api().resubmit(CLUSTER, GROUP, key="again", **window)
        self.wait_copies(passive, mails)
        for arguments, expected in (
            (("cluster", "show", CLUSTER), "node2"),
            (("resubmit", "list"), accepted["id"]),
            (("resubmit", "show", accepted["id"]), accepted["id"]),
        ):
            shown = hub.control(*arguments)
            self.assertEqual(shown.returncode, 0, shown.stderr)
            self.assertIn(expected, shown.stdout)

    def test_without_a_hub_it_says_so(self):
        hub = self.clustered_hub(self.sinks("node1"), start=False)
        hub.write()
        shown = hub.control("status")
        self.assertNotEqual(shown.returncode, 0)
        self.assertIn("admin.sock", shown.stderr)


if __name__ == "__main__":
    unittest.main()
