"""The planned move under load, for any kind of node."""

import time

from harness.processes import wait_until


class PlannedMove:
    def delay_replication(self, node):
        """Makes sure that there is something left to replicate when the move begins, where that can be done."""

    def test_the_active_role_moves_under_load_and_nobody_sees_more_than_a_delay(self):
        site = self.start_site()
        old, new = site.active, site.active.peer
        site.send(count=900, rate=50)
        site.wait_delivered(200)
        rehearsed = new.run("dumpster-move", "--dry-run")
        self.assertIn(f"{old.name} is active, {new.name} takes over", rehearsed.stdout)
        self.delay_replication(old)
        begun = time.monotonic()
        moved = new.run("dumpster-move", check=False)
        self.assertEqual(moved.returncode, 0, moved.stdout + moved.stderr)
        self.say(f"{moved.stdout.strip().splitlines()[-1]} ({time.monotonic() - begun:.1f} s)")
        self.assertEqual(site.active.name, new.name)
        site.wait_sent()
        for load in site.loads:
            self.assertEqual(load.refusals, [], "a client saw more than a delay")
        site.wait_filled(new)
        counted = site.census(new)
        self.assert_exact(counted)
        self.assertEqual(sum(hub.metric("relay_deliveries_total", result="bounced") for hub in site.hubs), 0)
        self.say(f"the longest a client waited for a reply: {max(load.longest for load in site.loads):.2f} s")
        self.assertIn("kind=lossless", site.hubs[0].log())

        # The other way round, with the old node as it is: it was demoted with everything replicated.
        site.send(count=200, rate=50, prefix="back")
        moved = new.run("dumpster-move", check=False)
        self.assertEqual(moved.returncode, 0, moved.stdout + moved.stderr)
        self.say(moved.stdout.strip().splitlines()[-1])
        site.wait_sent()
        site.wait_filled(old)
        self.assert_exact(site.census(old))
        wait_until(lambda: set(new.copies()) >= site.accepted(), 120, f"{new.name} follows", pause=0.5)
        self.assert_exact(site.census(new))
