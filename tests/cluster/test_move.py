"""Planned moves of the active role."""

import unittest

from case import ClusterTest
from lab.cyrus_node import CyrusNode
from lab.dovecot_node import DovecotNode
from lab.planned_move import PlannedMove


class MoveOfDovecot(PlannedMove, ClusterTest):
    node_class = DovecotNode


class MoveOfCyrus(PlannedMove, ClusterTest):
    node_class = CyrusNode


if __name__ == "__main__":
    unittest.main()
