import os
import random
import threading
import time
import unittest

from case import EndToEnd
from harness.agent import Agent
from harness.census import census
from harness.hub import Cluster, Hub
from harness.lmtp_sink import DROP_STORED, DROP_UNSTORED
from harness.processes import wait_until

KILLS = 10
LONGEST = 3.0  # seconds: about what a promote takes here


class AgentKilled(EndToEnd):
    """One hub with a cluster for each moment at which the agent is killed, all of them side by side."""

    def setUp(self):
        super().setUp()
        self.pairs = {f"ccr{number}": self.sinks(f"old{number}", f"new{number}") for number in range(KILLS)}
        recipients = [f"{self.mailbox(cluster)} {cluster}/sg1" for cluster in self.pairs]
        clusters = [Cluster(cluster, nodes) for cluster, nodes in self.pairs.items()]
        self.hub = Hub(self.workspace, clusters, recipients, settings={"recovery": {"in_doubt_wait": "600s"}}).start()
        for cluster, (old, _) in self.pairs.items():
            self.agent_of(cluster, old).get_in_touch()
        wait_until(
            lambda: all(self.hub.metric("cluster_agent_seen_timestamp_seconds", node=old.name) for old, _ in self.pairs.values()),
            30,
            "every active node's agent is in touch",
        )

    @staticmethod
    def mailbox(cluster):
        return f"{cluster}@example.test"

    def agent_of(self, cluster, node):
        inventory = {"type": "maildir", "path": node.mail}
        settings = {"quiesce": "true", "settle": "300ms"}
        return Agent(self.workspace, cluster, node.name, [self.hub], inventory, settings)

    def prepare(self, cluster):
        """Mail of every kind: replicated or not, in doubt and stored or not. Gives what was accepted."""
        old, new = self.pairs[cluster]
        doubtful = [("stored.replicated", DROP_STORED), ("stored.lost", DROP_STORED), ("unstored", DROP_UNSTORED)]
        old.rules += [(f"{name}@{cluster}", rule) for name, rule in doubtful]
        ids = [f"{kind}{number}@{cluster}" for number in range(6) for kind in ("replicated", "lost")]
        ids += [f"{name}@{cluster}" for name, _ in doubtful]
        mails = self.send(self.hub, ids, [self.mailbox(cluster)])
        wait_until(lambda: len(old.acknowledged) == 12 and not old.rules, 60, lambda: f"deliveries of {cluster}")
        old.kill()
        old.replicate_to(new, lambda _, message_id: "replicated" in message_id)
        return mails

    def kill_and_repeat(self, cluster, delays, outcome):
        """Promotes, is killed after each of these delays, and in the end comes through."""
        agent = self.agent_of(cluster, self.pairs[cluster][1])
        for delay in delays:
            promotion = agent.start(self.workspace, "promote")
            time.sleep(delay)
            promotion.kill()
        outcome[cluster] = agent.run("promote", timeout=180)

    def test_a_promote_that_is_killed_at_any_moment_and_repeated_is_exact(self):
        seed = int.from_bytes(os.urandom(4), "big")
        dice = random.Random(seed)
        accepted = {cluster: self.prepare(cluster) for cluster in self.pairs}
        outcome, threads = {}, []
        for number, cluster in enumerate(self.pairs):
            delays = [LONGEST * (number + dice.random()) / KILLS, LONGEST * dice.random()]
            threads.append(threading.Thread(target=self.kill_and_repeat, args=(cluster, delays, outcome)))
            threads[-1].start()
        for thread in threads:
            thread.join()
        self.hub.wait_spool_empty()
        for cluster, (_, new) in self.pairs.items():
            with self.subTest(cluster=cluster, seed=seed):
                done = outcome[cluster]
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assert_exact(census(accepted[cluster], new.copies()))
        self.assertEqual(self.hub.metric("dumpster_in_doubt"), 0)


if __name__ == "__main__":
    unittest.main()
