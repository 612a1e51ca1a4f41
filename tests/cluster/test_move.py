"""Planned moves of the active role."""

import unittest

from case import ClusterTest
from harness.processes import wait_until
from lab.cyrus_node import CyrusNode
from lab.dovecot_node import DovecotNode
from lab.planned_move import PlannedMove


class MoveOfDovecot(PlannedMove, ClusterTest):
    node_class = DovecotNode


class MoveOfCyrus(PlannedMove, ClusterTest):
    node_class = CyrusNode

    def delay_replication(self, node):
        waiting = "find /var/lib/cyrus/sync -name 'log*' -size +0 | grep -q ."
        node.run("pkill", "-STOP", "-f", "sync_client -C")
        wait_until(lambda: node.run("sh", "-c", waiting, check=False).returncode == 0, 30, "mail waits for replication")


if __name__ == "__main__":
    unittest.main()
