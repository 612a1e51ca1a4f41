"""What the cluster tests have in common: a switch, a workspace, and the logs when a test fails."""

import os
import pathlib
import sys
import time
import unittest

# Behind the cluster tests' own folder: both have a test_cyrus.
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from harness.workspace import Workspace  # noqa: E402

from lab import machine  # noqa: E402
from lab.cluster import Site  # noqa: E402


class ClusterTest(unittest.TestCase):
    node_class = None

    def setUp(self):
        machine.start_switch()
        self.addCleanup(machine.stop_switch)
        self.workspace = Workspace(pathlib.Path(os.environ["DUMPSTER_CLUSTER_BASE"]) / "site")
        self.addCleanup(self.workspace.close)
        self.addCleanup(self._show_logs)
        self.site = None
        self.begun = time.monotonic()

    def _show_logs(self):
        outcome = self._outcome.result
        wanted = os.environ.get("DUMPSTER_CLUSTER_LOGS")
        if self.site and (wanted or any(test is self for test, _ in outcome.failures + outcome.errors)):
            self.site.show_logs()

    def say(self, text):
        print(f"  {time.monotonic() - self.begun:5.1f} s  {text}", flush=True)

    def make_site(self, **options):
        self.site = Site(self.workspace, self.node_class, **options)
        return self.site

    def start_site(self, **options):
        self.make_site(**options).start()
        self.say(f"{self.site.active.name} is active")
        return self.site

    def assert_exact(self, counted):
        self.say(
            f"accepted {len(counted.accepted)}, resubmitted {counted.resubmitted}, "
            f"missing {len(counted.missing)}, duplicated {len(counted.duplicated)}"
        )
        self.assertTrue(counted.exact, counted.details())
