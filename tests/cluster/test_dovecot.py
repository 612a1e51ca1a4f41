"""A Dovecot pair under Pacemaker with an external witness and fencing."""

import unittest

from case import ClusterTest
from lab.dovecot_node import DovecotNode
from lab.failover import Rejoin


class DovecotPair(Rejoin, ClusterTest):
    node_class = DovecotNode


if __name__ == "__main__":
    unittest.main()
