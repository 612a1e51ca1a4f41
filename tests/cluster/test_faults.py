"""What else goes wrong during a failover. On Dovecot nodes; exactness is the same code for all."""

import time
import unittest

from case import ClusterTest
from harness.processes import wait_until
from lab.dovecot_node import DovecotNode
from lab.pacemaker import WITNESS_ADDRESS, promoted_node


class Faults(ClusterTest):
    node_class = DovecotNode

    def isolate(self, node):
        """Its hubs still reach it, its cluster does not."""
        node.network.cut(node.peer.address, WITNESS_ADDRESS)
        self.say(f"{node.name} is cut off from {node.peer.name} and the witness")
        return time.monotonic()

    def finish(self, site, new):
        site.wait_sent()
        site.wait_filled(new)
        self.assert_exact(site.census(new))

    def test_an_isolated_active_node_is_fenced_before_the_other_one_takes_over(self):
        site = self.start_site(fencing=True)
        old, new = site.active, site.active.peer
        site.send(count=600, rate=50)
        site.wait_delivered(200)
        cut = self.isolate(old)
        delay = site.wait_hubs_follow(new, cut)
        self.assertEqual([name for _, name in site.power.pulled], [old.name])
        self.assertFalse(old.alive())
        self.say(f"fenced, and both hubs deliver to {new.name} {delay:.1f} s after the cut")
        self.finish(site, new)

    def test_without_fencing_the_hubs_still_see_to_it_that_mail_is_stored_once(self):
        site = self.start_site(fencing=False)
        old, new = site.active, site.active.peer
        site.send(count=600, rate=50)
        site.wait_delivered(200)
        cut = self.isolate(old)
        delay = site.wait_hubs_follow(new, cut)
        self.say(f"both hubs deliver to {new.name} {delay:.1f} s after the cut")
        wait_until(lambda: promoted_node(old) != old.name, 120, "the old node gives up without quorum", pause=0.1)
        self.say(f"{old.name} gave up the active role {time.monotonic() - cut:.1f} s after the cut")
        self.finish(site, new)
        # Its mail was never replicated, and the other node has taken over: healed, it must not be merged.
        old.network.mend()
        wait_until(lambda: "dumpster-rejoin" in site.state(), 120, lambda: f"{old.name} is kept out\n{site.state()}", pause=0.5)
        self.assert_exact(site.census(new))

    def test_both_hubs_are_killed_and_started_again_during_the_promotion(self):
        site = self.start_site()
        old, new = site.active, site.active.peer
        site.send(count=600, rate=50)
        site.wait_delivered(200)
        old.kill()
        killed = time.monotonic()
        wait_until(
            lambda: any(hub.active() == new.name for hub in site.hubs), 120, "the promotion has begun", pause=0.01
        )
        for hub in site.hubs:
            hub.kill()
        self.say(f"both hubs killed with kill -9 while {new.name} is promoted")
        for hub in site.hubs:
            hub.start()
        delay = site.wait_hubs_follow(new, killed)
        self.say(f"both hubs deliver to {new.name} {delay:.1f} s after the kill of {old.name}")
        self.finish(site, new)

    def test_both_hubs_are_away_when_the_node_is_promoted(self):
        site = self.start_site(changes=[("mount_dial=good", "mount_dial=good hub_wait=2")])
        old, new = site.active, site.active.peer
        site.send(count=600, rate=50)
        site.wait_delivered(200)
        for hub in site.hubs:
            hub.kill()
        old.kill()
        wait_until(lambda: promoted_node(new) == new.name, 120, lambda: f"promoted\n{site.state()}", pause=0.2)
        self.say(f"{new.name} is promoted without any hub")
        for hub in site.hubs:
            hub.start()
        site.wait_hubs_follow(new, self.begun)
        self.finish(site, new)


if __name__ == "__main__":
    unittest.main()
