import pathlib
import re
import unittest

from case import ALICE, CLUSTER, GROUP, EndToEnd
from harness.hub import file_digests, run
from harness.processes import Process, answers, wait_until
from harness.smtp_raw import RawClient

FAULTS = (
    ("[hub]", "[hub]\nnickname = \"hub\""),
    ('retry_min = "250ms"', 'retry_min = 250'),
    ("[dumpster]", '[dumpster]\nmax_size = "a lot"'),
)


class Configuration(EndToEnd):
    def start_and_wait(self, hub):
        process = self.workspace.own(
            Process([hub.bin / "dumpsterd", "--config", hub.configuration], hub.base / "start.log")
        )
        return process.wait(20), process.output()

    def faulty(self, hub):
        """Puts the faults into the file; returns their lines."""
        text = hub.configuration.read_text()
        for place, fault in FAULTS:
            self.assertEqual(text.count(place), 1, place)
            text = text.replace(place, fault)
        hub.configuration.write_text(text)
        return [number for number, line in enumerate(text.split("\n"), 1) if re.match(r"nickname|retry_min|max_size", line)]

    def test_all_faults_are_told_at_once_with_their_lines_and_nothing_is_opened(self):
        hub = self.clustered_hub(self.sinks("node1"), start=False)
        hub.write()
        lines = self.faulty(hub)
        self.assertEqual(len(lines), 3)
        for start in (self.start_and_wait, lambda hub: (lambda done: (done.returncode, done.stdout + done.stderr))(hub.check())):
            status, output = start(hub)
            self.assertEqual(status, 1, output)
            for line in lines:
                self.assertRegex(output, rf"{re.escape(hub.configuration.name)}:{line}\b")
            self.assertFalse(answers("127.0.0.1", hub.smtp_port))
            self.assertFalse(hub.data.exists())

    def test_check_accepts_a_good_file_and_opens_nothing(self):
        hub = self.clustered_hub(self.sinks("node1"), start=False)
        hub.write()
        checked = hub.check()
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertFalse(hub.data.exists())

    def test_a_tokens_file_that_others_can_read_is_refused(self):
        hub = self.clustered_hub(self.sinks("node1"), start=False)
        hub.write()
        (hub.base / "tokens").chmod(0o644)
        status, output = self.start_and_wait(hub)
        self.assertEqual(status, 1, output)
        self.assertRegex(output, r"tokens")


class Reload(EndToEnd):
    def recipient_is(self, hub, address, code):
        with RawClient(hub.smtp_port) as client:
            client.command("EHLO client.example.net")
            client.command("MAIL FROM:<sender@example.net>")
            return client.command(f"RCPT TO:<{address}>").startswith(code)

    def test_sighup_reads_the_recipients_again_and_keeps_the_old_ones_when_the_file_is_faulty(self):
        hub = self.clustered_hub(self.sinks("node1"))
        newcomer = "newcomer@example.test"
        self.assertTrue(self.recipient_is(hub, newcomer, "550"))
        with open(hub.base / "recipients", "a") as recipients:
            recipients.write(f"{newcomer} {CLUSTER}/{GROUP}\n")
        hub.reload()
        wait_until(lambda: self.recipient_is(hub, newcomer, "250"), 30, "the newcomer is known")
        (hub.base / "recipients").write_text("this line is no recipient at all\n")
        hub.reload()
        wait_until(lambda: "not reloaded" in hub.log(), 30, "the fault is told")
        self.assertTrue(self.recipient_is(hub, newcomer, "250"))

    def test_sighup_takes_new_limits_at_once_and_names_what_waits_for_a_restart(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node], limits={"max_size": "1GiB"})
        for number in range(6):
            self.wait_copies(node, self.send(hub, [f"m{number}@x"], size=20000))
        hub.wait_spool_empty()
        created = hub.api().hub()["store_created"]
        hub.clusters[0].limits = {"max_size": "60KiB"}
        hub.settings = {"relay": {"retry_max": "7s"}}
        hub.write()
        hub.reload()
        wait_until(lambda: hub.metric("dumpster_removed_total", reason="size") > 0, 30, "the new limit counts")
        self.assertEqual(hub.metric("dumpster_max_bytes"), 60 * 1024)
        wait_until(lambda: "relay.retry_min or relay.retry_max" in hub.log(), 30, "the rest is named")
        self.assertFalse(hub.api().deliveries(CLUSTER, GROUP, from_=created)[1]["complete"])
        hub.clusters[0].limits = {"max_size": "0"}
        hub.write()
        hub.reload()
        wait_until(lambda: not hub.api().deliveries(CLUSTER, GROUP)[0], 30, "retention is off")
        hub.clusters[0].limits = {}
        hub.write()
        before = hub.api().hub()["now"]
        hub.reload()
        wait_until(lambda: hub.metric("dumpster_max_bytes") > 0, 30, "and on again")
        self.wait_copies(node, self.send(hub, ["again@x"]))
        hub.wait_spool_empty()
        lines, last = hub.api().deliveries(CLUSTER, GROUP)
        self.assertEqual([line["message_id"] for line in lines], ["again@x"])
        self.assertGreater(last["covered_from"], before)
        self.assertLess(last["covered_from"], lines[0]["delivered_at"])

    def test_sighup_does_not_drop_a_group_and_a_group_that_was_away_covers_from_its_return(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node])
        hub.clusters[0].groups.append("sg2")
        hub.recipients.append(f"carol@example.test {CLUSTER}/sg2")
        hub.stop()
        hub.start()
        self.wait_copies(node, self.send(hub, ["kept@x"], ["carol@example.test"]))
        hub.wait_spool_empty()
        hub.clusters[0].groups.remove("sg2")
        carol = hub.recipients.pop()
        hub.write()
        hub.reload()
        wait_until(lambda: "would be dropped" in hub.log(), 30, "the reload is refused")
        self.assertRegex(hub.log(), r"storage_group=sg2 .*retained=1|retained=1 .*storage_group=sg2")
        self.assertEqual(hub.api().deliveries(CLUSTER, "sg2")[1]["count"], 1)
        hub.stop()
        hub.start()
        self.assertRegex(hub.log(), r"storage group not configured.*retained=1")
        away = hub.api().hub()["now"]
        hub.stop()
        hub.clusters[0].groups.append("sg2")
        hub.recipients.append(carol)
        hub.start()
        lines, last = hub.api().deliveries(CLUSTER, "sg2")
        self.assertEqual([line["message_id"] for line in lines], ["kept@x"])
        self.assertGreater(last["covered_from"], away)


class Verification(EndToEnd):
    def verify(self, hub):
        return run([hub.bin / "dumpsterd", "--config", hub.configuration, "--verify"])

    def test_a_store_is_verified_while_its_hub_is_down_and_damage_is_named(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node])
        self.wait_copies(node, self.send(hub, [f"m{number}@x" for number in range(10)]))
        hub.wait_spool_empty()
        busy = self.verify(hub)
        self.assertEqual(busy.returncode, 1, busy.stdout)
        self.assertIn("open", busy.stderr)
        self.assertEqual(hub.stop(), 0)
        sound = self.verify(hub)
        self.assertEqual(sound.returncode, 0, sound.stderr)
        self.assertIn("10 deliveries retained", sound.stdout)
        for path in pathlib.Path(hub.data).rglob("*.blob"):
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 0x10
            path.write_bytes(data)
        faulty = self.verify(hub)
        self.assertEqual(faulty.returncode, 1, faulty.stdout)
        self.assertTrue(faulty.stderr)


class DamagedStore(EndToEnd):
    def used_store(self, recipients=20):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node])
        node.kill()
        self.send(hub, [f"m{number}@x" for number in range(recipients)])
        hub.kill()
        return hub

    def largest(self, hub, pattern):
        files = [path for path in pathlib.Path(hub.data).rglob(pattern) if path.is_file()]
        self.assertTrue(files, f"no {pattern} in {hub.data}")
        return max(files, key=lambda path: path.stat().st_size)

    def flip(self, path):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0x10
        path.write_bytes(data)

    def assert_refused_untouched(self, hub):
        before = file_digests(hub.data)
        process = self.workspace.own(Process([hub.bin / "dumpsterd", "--config", hub.configuration], hub.base / "damaged.log"))
        status = process.wait(30)
        self.assertNotIn(status, (0, None))
        self.assertGreater(status, 0, f"ended by a signal\n{process.output()}")
        self.assertRegex(process.output(), r"(?i)store|damage|corrupt")
        after = file_digests(hub.data)
        # RocksDB's own log of events is no data.
        changed = {path for path in before if before[path] != after.get(path) and not pathlib.Path(path).name.startswith("LOG")}
        self.assertEqual(changed, set())

    def test_a_flipped_bit_in_the_middle_of_the_log_is_refused_and_destroys_nothing(self):
        hub = self.used_store()
        self.flip(self.largest(hub, "*.log"))
        self.assert_refused_untouched(hub)

    def test_a_damaged_manifest_is_refused_and_destroys_nothing(self):
        hub = self.used_store()
        manifest = self.largest(hub, "MANIFEST-*")
        self.flip(manifest)
        self.assert_refused_untouched(hub)

    def test_something_else_in_its_place_is_refused_and_destroys_nothing(self):
        hub = self.used_store()
        self.largest(hub, "CURRENT").write_text("this is not a store\n")
        self.assert_refused_untouched(hub)

    def test_the_undamaged_store_opens_and_delivers(self):
        hub = self.used_store(3)
        node = self.sinks("node3")[0]
        hub.clusters[0].nodes[0] = type("Moved", (), {"name": "node1", "deliver_to": node.deliver_to})
        hub.start()
        self.wait_copies(node, {(ALICE, f"m{number}@x") for number in range(3)})


if __name__ == "__main__":
    unittest.main()
