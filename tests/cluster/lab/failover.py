"""The main job on a real cluster, for any kind of node."""

import time


class Failover:
    """Mixed into a test of one kind of node."""

    def test_a_killed_active_node_is_replaced_and_the_gap_filled_exactly(self):
        site = self.start_site()
        old, new = site.active, site.active.peer
        site.send(count=600, rate=50)
        site.wait_delivered(200)
        old.kill()
        killed = time.monotonic()
        self.say(f"{old.name} killed with kill -9 at {len(site.accepted())} accepted recipients")
        delay = site.wait_hubs_follow(new, killed)
        self.say(f"both hubs deliver to {new.name} {delay:.1f} s after the kill")
        site.wait_sent()
        site.wait_filled(new)
        self.say(f"filled {time.monotonic() - killed:.1f} s after the kill, load included")
        self.assert_exact(site.census(new))
