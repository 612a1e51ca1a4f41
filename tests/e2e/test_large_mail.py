import hashlib
import pathlib
import smtplib
import threading
import unittest

from case import ALICE, EndToEnd
from harness.processes import wait_until

MIB = 1024 * 1024
LARGE = 30 * MIB
TOGETHER = 6
# Six such mails are 180 MiB. What the hub may take beyond its idle size leaves no room to hold them, nor half of them.
ROOM = 128 * MIB


def large_message(number):
    line = hashlib.sha256(str(number).encode()).hexdigest().encode() + b".\r\n"
    return f"Message-ID: <large{number}@x>\r\nSubject: large\r\n\r\n".encode() + line * (LARGE // len(line))


def peak_bytes(process):
    for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no peak of memory")


class LargeMail(EndToEnd):
    def test_mails_of_30_mib_pass_byte_for_byte_in_bounded_memory(self):
        (node,) = self.sinks("node1")
        hub = self.clustered_hub([node])
        before = hub.process.resident_bytes()
        originals = {number: large_message(number) for number in range(TOGETHER)}
        failures = []

        def send(number):
            try:
                with smtplib.SMTP("127.0.0.1", hub.smtp_port, timeout=120) as client:
                    client.sendmail("sender@example.net", [ALICE], originals[number])
            except Exception as error:  # told by the test's own thread
                failures.append(repr(error))

        threads = [threading.Thread(target=send, args=(number,)) for number in originals]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        wait_until(lambda: len(node.copies()) == TOGETHER, 120, "all are delivered", pause=0.2)
        stored = node.bodies()
        for number, original in originals.items():
            self.assertTrue(stored[f"large{number}@x"].endswith(original), f"mail {number} was changed")
        rise = peak_bytes(hub.process.id) - before
        self.assertLess(rise, ROOM, f"{rise // MIB} MiB more than when idle")


if __name__ == "__main__":
    unittest.main()
