"""The small alternative: keepalived moves the address and calls the resource agent."""

import time
import unittest

from case import ClusterTest
from harness.processes import wait_until
from lab.dovecot_node import DovecotNode
from lab.pacemaker import WATCH
from lab.project import examples


class Keepalived(ClusterTest):
    node_class = DovecotNode

    def test_keepalived_moves_a_dovecot_pair_and_the_gap_is_filled_exactly(self):
        site = self.make_site()
        for hub in site.hubs:
            hub.start()
        for node in site.nodes:
            for name, target in (("keepalived.conf", "keepalived/keepalived.conf"), ("dumpster-cluster.conf", "dumpster-cluster.conf")):
                node.install(examples() / "keepalived" / name, f"/etc/{target}")
            node.script = WATCH + "keepalived -n -l >/var/log/keepalived.log 2>&1 &"
            node.boot()
            # The first one to boot becomes the active one.
            wait_until(lambda: len({hub.active() for hub in site.hubs}) == 1 and self.greets(site), 120, "an active node", pause=0.2)
        old = site.node[site.hubs[0].active()]
        new = old.peer
        self.say(f"{old.name} is active")
        site.send(count=600, rate=50)
        site.wait_delivered(200)
        old.kill()
        killed = time.monotonic()
        delay = site.wait_hubs_follow(new, killed)
        self.say(f"both hubs deliver to {new.name} {delay:.1f} s after the kill")
        site.wait_sent()
        site.wait_filled(new)
        self.assert_exact(site.census(new))

    def greets(self, site):
        return any(
            node.alive() and node.run("pgrep", "-x", "lmtp", check=False).returncode == 0 for node in site.nodes
        )


if __name__ == "__main__":
    unittest.main()
