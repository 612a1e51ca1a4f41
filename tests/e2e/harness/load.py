"""Mail over SMTP through several connections, and what of it was accepted."""

import itertools
import random
import smtplib
import threading
import time


def message(message_id, recipients, size=2000):
    """A small real mail. The body depends on the id alone, so that a copy can be compared."""
    letters = random.Random(message_id)
    lines = []
    left = size
    while left > 0:
        line = "".join(letters.choices("abcdefghijklmnopqrstuvwxyz .", k=min(70, left)))
        lines.append("." + line if letters.random() < 0.05 else line)
        left -= 72
    head = (
        f"From: Sender <sender@example.net>\r\nTo: {', '.join(recipients)}\r\nSubject: {message_id}\r\n"
        f"Date: Mon, 05 Jan 2026 12:00:00 +0000\r\nMessage-ID: <{message_id}>\r\n\r\n"
    )
    return (head + "\r\n".join(lines) + "\r\n").encode()


class Load:
    """Sends in the background until `count` mails are accepted. What was answered with 250 stands in `accepted`."""

    def __init__(self, port, mailboxes, count, connections=4, rate=None, prefix="mail", size=2000, address="127.0.0.1"):
        self.address, self.port = address, port
        self.mailboxes = list(mailboxes)
        self.count, self.size, self.prefix = count, size, prefix
        self.pause = connections / rate if rate else 0
        self.accepted = []  # (mailbox, message id), in the order of the replies
        self.uncertain = set()  # message ids whose reply was lost
        self.refusals = []
        self.longest = 0.0  # seconds that one mail took from MAIL to the last reply
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(connections)]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def stop(self):
        self._stop.set()
        self.join()

    kill = stop

    def join(self, seconds=120):
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.1, deadline - time.monotonic()))

    def finished(self):
        return not any(thread.is_alive() for thread in self._threads)

    def _next(self):
        with self._lock:
            number = next(self._numbers)
        if number >= self.count or self._stop.is_set():
            return None
        first = number % len(self.mailboxes)
        recipients = [self.mailboxes[first]]
        if number % 5 == 4:
            recipients.append(self.mailboxes[(first + 1) % len(self.mailboxes)])
        return f"{self.prefix}.{number}@load.example.net", sorted(set(recipients))

    def _work(self):
        client, sent = None, 0
        while True:
            mail = self._next()
            if mail is None:
                break
            while not self._stop.is_set():
                try:
                    if client is None:
                        client = smtplib.SMTP(self.address, self.port, timeout=30)
                    self._send(client, *mail)
                    break
                except (OSError, smtplib.SMTPException) as error:
                    with self._lock:
                        self.refusals.append(repr(error))
                    client = None
                    if not isinstance(error, (smtplib.SMTPResponseException, ConnectionRefusedError)):
                        # The reply was lost. Sent once more under another id, as this one may have been accepted.
                        with self._lock:
                            self.uncertain.add(mail[0])
                        mail = (f"again.{mail[0]}", mail[1])
                    time.sleep(0.05)
            sent += 1
            if sent % 25 == 0 and client is not None:
                client.quit()
                client = None
            time.sleep(self.pause)
        if client is not None:
            try:
                client.quit()
            except (OSError, smtplib.SMTPException):
                pass

    def _send(self, client, message_id, recipients):
        begun = time.monotonic()
        refused = client.sendmail("sender@example.net", recipients, message(message_id, recipients, self.size))
        with self._lock:
            self.longest = max(self.longest, time.monotonic() - begun)
            self.accepted += [(recipient, message_id) for recipient in recipients if recipient not in refused]
            self.refusals += [str(reply) for reply in refused.values()]
