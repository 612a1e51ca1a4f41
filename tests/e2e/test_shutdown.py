import signal
import unittest

from case import ALICE, EndToEnd
from harness.processes import wait_until
from harness.smtp_raw import RawClient


class Shutdown(EndToEnd):
    def test_sigterm_lets_a_session_in_data_finish_and_leaves_nothing_in_doubt(self):
        node, passive = self.sinks("node1", "node2")
        hub = self.clustered_hub([node, passive])
        self.agent([hub], node).get_in_touch()
        wait_until(lambda: hub.metric("cluster_agent_seen_timestamp_seconds", node="node1"), 20, "the agent is in touch")
        mails = self.send(hub, [f"before{number}@x" for number in range(20)])
        with RawClient(hub.smtp_port) as client:
            client.until_data("sender@example.net", ALICE)
            client.send(b"Message-ID: <during@x>\r\nSubject: during\r\n\r\nfirst half\r\n")
            hub.process.signal(signal.SIGTERM)
            wait_until(lambda: not self.takes_new_sessions(hub), 30, "new sessions are turned away")
            self.assertTrue(hub.process.alive(), "did not wait for the session")
            client.send(b"second half\r\n.\r\n")
            self.assertTrue(client.reply().startswith("250"))
        self.assertEqual(hub.process.wait(30), 0)
        hub.start()
        self.assertEqual(hub.metric("dumpster_in_doubt"), 0)
        mails |= {(ALICE, "during@x")}
        self.wait_copies(node, mails)
        hub.wait_spool_empty()
        self.assert_each_once(node.copies(), mails)

    @staticmethod
    def takes_new_sessions(hub):
        try:
            with RawClient(hub.smtp_port, timeout=2) as client:
                return client.greeting.startswith("220")
        except OSError:
            return False

    def test_an_idle_hub_stops_at_once(self):
        hub = self.clustered_hub(self.sinks("node1"))
        with RawClient(hub.smtp_port) as client:
            client.command("EHLO client.example.net")
            hub.process.signal(signal.SIGTERM)
            self.assertEqual(hub.process.wait(10), 0)


if __name__ == "__main__":
    unittest.main()
