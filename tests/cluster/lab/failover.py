"""The main jobs on a real cluster, for any kind of node. Mixed into a test of one kind of node."""

import json
import time

from harness.processes import wait_until

from .pacemaker import promoted_node


class Failover:
    def fail_over(self, site, old, new):
        """Kills the active node and waits until everything that was accepted is on the other one."""
        old.kill()
        killed = time.monotonic()
        self.say(f"{old.name} killed with kill -9 at {len(site.accepted())} accepted recipients")
        delay = site.wait_hubs_follow(new, killed)
        self.say(f"both hubs deliver to {new.name} {delay:.1f} s after the kill")
        site.wait_sent()
        site.wait_filled(new)
        self.say(f"filled {time.monotonic() - killed:.1f} s after the kill, load included")
        counted = site.census(new)
        self.assert_exact(counted)
        return counted

    def test_a_killed_active_node_is_replaced_and_the_gap_filled_exactly(self):
        site = self.start_site()
        old, new = site.active, site.active.peer
        site.send(count=600, rate=50)
        site.wait_delivered(200)
        self.fail_over(site, old, new)


class Rejoin(Failover):
    def rehearse(self, site, old, new):
        """What the passive node says it would have delivered again, and that it leaves everything as it is."""
        before = self.standing(site, new)
        done = site.agent(new, "--json", "promote", "--dry-run")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        planned = json.loads(done.stdout)["planned"]
        self.assertGreater(len(planned), 100, "the gap was not large")
        self.assertEqual({item["outcome"] for item in planned}, {"deliver"})
        self.assertEqual(self.standing(site, new), before)
        self.say(f"{len(planned)} messages would be delivered again, says {new.name}")
        return len(planned)

    def standing(self, site, node):
        state = json.loads(node.read("/var/lib/dumpster-agent/state.json"))
        return [hub.active() for hub in site.hubs], state["role"], state["highest_term"], promoted_node(node)

    def test_a_large_gap_is_filled_and_the_old_node_comes_back_without_duplicates(self):
        site = self.start_site()
        old, new = site.active, site.active.peer
        site.send(count=600, rate=50)
        site.wait_delivered(100)
        old.network.cut_port(old.replication_port)
        self.say("the replication channel is cut")
        site.wait_delivered(300)
        rehearsed = self.rehearse(site, old, new)
        counted = self.fail_over(site, old, new)
        self.assertGreaterEqual(counted.resubmitted, rehearsed)

        old.network.mend()
        old.boot()
        wait_until(lambda: "dumpster-rejoin" in site.state(), 120, lambda: f"the start is refused\n{site.state()}", pause=0.5)
        self.say(f"{old.name} boots, and must not start with its old store")
        before = old.run("find", "/var", "-xdev", "-name", "*before-rejoin*").stdout
        rehearsed = old.run("dumpster-rejoin", "--dry-run").stdout
        self.assertIn("leave it empty", rehearsed)
        self.assertEqual(old.run("find", "/var", "-xdev", "-name", "*before-rejoin*").stdout, before)
        self.say(old.run("dumpster-rejoin").stdout.strip().replace("\n", "\n           "))
        site.wait_started()
        new.run("dumpster-seed")
        expected = new.copies()
        wait_until(lambda: old.copies() == expected, 120, lambda: f"{old.name} is seeded: {len(old.copies())}", pause=0.5)
        self.assert_exact(site.census(new))
        self.assert_exact(site.census(old))
        compared = old.run("dumpster-rejoin", "--compare", check=False)
        self.assertEqual(compared.returncode, 0, compared.stdout + compared.stderr)

        site.send(count=40, rate=50, prefix="afterwards")
        site.wait_sent()
        wait_until(lambda: set(old.copies()) == set(site.accepted()), 120, lambda: f"{old.name} follows again", pause=0.5)
        self.assert_exact(site.census(old))
