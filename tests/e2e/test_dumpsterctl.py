import email
import json
import pathlib
import unittest

from case import ALICE, BOB, CLUSTER, GROUP, EndToEnd

WHERE = f"{CLUSTER}/{GROUP}"


class DumpsterOfAGroup(EndToEnd):
    """dumpsterctl dumpster, as an operator uses it."""

    def setUp(self):
        super().setUp()
        (self.node,) = self.sinks("node1")
        self.hub = self.clustered_hub([self.node])
        self.ids = [f"m{number}@x" for number in range(6)]
        for message_id in self.ids:
            self.wait_copies(self.node, self.send(self.hub, [message_id], [BOB] if message_id == "m4@x" else [ALICE]))
        self.hub.wait_spool_empty()
        self.lines, _ = self.hub.api().deliveries(CLUSTER, GROUP)

    def ctl(self, *arguments, status=0):
        done = self.hub.control(*arguments)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout if status == 0 else done.stderr

    def remaining(self):
        return [line["message_id"] for line in self.hub.api().deliveries(CLUSTER, GROUP)[0]]

    def test_show_says_how_far_back_it_reaches_and_what_size_it_would_take(self):
        text = self.ctl("dumpster", "show", WHERE, "--cover", "12h")
        self.assertRegex(text, r"messages +6\n")
        self.assertRegex(text, r"to cover +12h 0m\n")
        self.assertRegex(text, r"it would take +\S+ KiB \(estimated from the last \d+s\)")
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        shown = json.loads(self.ctl("--json", "dumpster", "show", WHERE, "--cover", "12h"))
        self.assertEqual(shown["needed_bytes"], 12 * sum(line["size"] for line in self.lines))
        self.assertEqual(self.hub.metric("dumpster_needed_bytes"), 7 * 24 * sum(line["size"] for line in self.lines))
        self.assertIn("CLUSTER/GROUP", self.ctl("dumpster", "show", CLUSTER, status=1))
        self.assertIn("no time", self.ctl("dumpster", "show", WHERE, "--cover", "soon", status=1))
        self.ctl("dumpster", "show", f"{CLUSTER}/none", status=1)

    def test_list_shows_deliveries_and_what_is_covered(self):
        text = self.ctl("dumpster", "list", WHERE)
        for line in self.lines:
            self.assertIn(line["delivery_id"], text)
        self.assertRegex(text, r"covered from \d{4}-")
        self.assertIn("no deliveries", self.ctl("dumpster", "list", WHERE, "--until", "2h"))
        self.assertIn("no deliveries", self.ctl("dumpster", "list", WHERE, "--state", "failed"))
        self.assertIn("state", self.ctl("dumpster", "list", WHERE, "--state", "lost", status=1))
        self.assertIn("neither", self.ctl("dumpster", "list", WHERE, "--from", "yesterday", status=1))

    def test_purge_is_a_dry_run_until_it_is_told_to_do_it(self):
        one = self.lines[2]["delivery_id"]
        self.assertIn("1 deliveries", self.ctl("dumpster", "purge", WHERE, "--delivery", one))
        self.assertEqual(self.remaining(), self.ids)
        self.assertIn("are gone", self.ctl("dumpster", "purge", WHERE, "--delivery", one, "--yes"))
        self.assertEqual(self.remaining(), self.ids[:2] + self.ids[3:])
        self.ctl("dumpster", "purge", WHERE, "--delivery", one, "--yes", status=1)
        created = self.hub.api().hub()["store_created"]
        self.assertTrue(self.hub.api().deliveries(CLUSTER, GROUP, from_=created)[1]["complete"])
        until = self.lines[4]["delivered_at"]
        purged = json.loads(self.ctl("--json", "dumpster", "purge", WHERE, "--until", until, "--yes"))
        self.assertEqual((purged["messages"], purged["kept"], purged["dry_run"]), (3, 0, False))
        self.assertEqual(self.remaining(), self.ids[4:])
        last = self.hub.api().deliveries(CLUSTER, GROUP, from_=created)[1]
        self.assertFalse(last["complete"])
        self.assertGreater(last["covered_from"], self.lines[3]["delivered_at"])
        self.assertLess(last["covered_from"], until)
        self.assertIn("what is to go", self.ctl("dumpster", "purge", WHERE, "--yes", status=1))
        self.ctl("dumpster", "purge", WHERE, "--all", "--yes")
        self.assertEqual(self.remaining(), [])
        self.assertEqual(self.hub.metric("dumpster_removed_total", reason="operator"), 6)

    def test_export_writes_the_messages_as_they_were_accepted_and_overwrites_nothing(self):
        folder = pathlib.Path(self.workspace.base) / "exported"
        self.ctl("dumpster", "export", WHERE, folder, "--recipient", BOB)
        (only,) = folder.iterdir()
        self.assertEqual(only.stem, self.lines[4]["delivery_id"])
        only.write_text("kept")
        self.assertIn("5 saved", self.ctl("dumpster", "export", WHERE, folder))
        self.assertEqual(only.read_text(), "kept")
        for line in self.lines:
            file = folder / f"{line['delivery_id']}.eml"
            if file == only:
                continue
            self.assertEqual(file.stat().st_size, line["size"])
            self.assertEqual(email.message_from_bytes(file.read_bytes())["Message-ID"], f"<{line['message_id']}>")
            # The node got the same bytes behind the id field.
            self.assertTrue(self.node.bodies()[line["message_id"]].endswith(file.read_bytes()))

    def test_the_operator_alone_may_purge(self):
        status, _ = self.hub.api().call("DELETE", f"/v1/clusters/{CLUSTER}/storage-groups/{GROUP}/deliveries")
        self.assertIn(status, (404, 405))
        self.assertEqual(self.remaining(), self.ids)


if __name__ == "__main__":
    unittest.main()
