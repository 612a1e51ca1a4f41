"""A Cyrus pair with rolling replication under Pacemaker with an external witness and fencing."""

import unittest

from case import ClusterTest
from lab.cyrus_node import CyrusNode
from lab.failover import Rejoin


class CyrusPair(Rejoin, ClusterTest):
    node_class = CyrusNode


if __name__ == "__main__":
    unittest.main()
