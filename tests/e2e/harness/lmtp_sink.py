"""A mailbox node in the test's own process: LMTP (or SMTP) in, maildirs out, with misbehaviour on demand.

What happens to a message is decided when its data have arrived, by the first rule of `rules` that knows its message id
(`"*"` knows every one); a rule is used up by its first use. Without a rule the message is stored and answered with 250.
"""

import collections
import os
import re
import shutil
import socket
import threading
import time

from . import maildir
from .processes import free_port

MESSAGE_ID = re.compile(rb"^message-id:[ \t]*<([^>\r\n]+)>", re.IGNORECASE | re.MULTILINE)
ADDRESS = re.compile(r"<([^>]*)>")

# What a rule can order.
REFUSE = "refuse"  # 5xx for every recipient
DEFER = "defer"  # 4xx for every recipient
STALL = "stall"  # no reply for as long as the connection lives, nothing stored
DROP_STORED = "drop stored"  # stored, but the connection ends before the reply
DROP_UNSTORED = "drop unstored"  # the connection ends after the data, nothing stored
LATE = "late"  # stored and answered when `answers` is set
SLOW = "slow"  # stored, and the replies come a byte at a time
ONE_MORE = "one more"  # stored, and answered with one reply too many
ONE_LESS = "one less"  # stored, but the last reply is missing and the connection ends
SHUT = "shut"  # 421 instead of the replies, nothing stored, and the connection ends


class LmtpSink:
    def __init__(self, workspace, name, address="127.0.0.1", protocol="lmtp"):
        self.name = name
        self.protocol = protocol
        self.address = address
        self.port = free_port(address)
        self.mail = workspace.base / name / "mail"
        self.mail.mkdir(parents=True)
        self.rules = []  # (message id, order)
        self.transactions = collections.Counter()  # per message id
        self.acknowledged = set()  # (mailbox, message id) answered with 250
        self.refused_recipients = set()
        self.answers = threading.Event()
        self.most_recipients = None  # of a transaction
        self.extensions = ["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]
        self._connections = set()
        self._lock = threading.Lock()
        self._numbers = 0
        self._listener = None
        workspace.own(self)

    @property
    def deliver_to(self):
        return f"{self.protocol}://{self.address}:{self.port}"

    def start(self):
        self._listener = socket.create_server((self.address, self.port), backlog=64)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def kill(self):
        """Gone from one moment to the next; what it has stored stays."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            connections, self._connections = self._connections, set()
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()

    stop = kill

    def copies(self):
        return maildir.copies(self.mail)

    def bodies(self):
        """{message id: bytes as stored} of all mailboxes; of several copies the last."""
        found = {}
        for mailbox in self.mail.iterdir():
            for path in maildir.message_files(mailbox):
                data = path.read_bytes()
                found[MESSAGE_ID.search(data).group(1).decode()] = data
        return found

    def replicate_to(self, other, chosen):
        """Copies the mail for which chosen(mailbox, message id) is true to the other node, as replication does."""
        for mailbox in sorted(path for path in self.mail.iterdir() if path.is_dir()):
            for path in maildir.message_files(mailbox):
                message_id = maildir.header_of(path, "Message-ID").strip("<>")
                if chosen(mailbox.name, message_id):
                    target = other.mail / mailbox.name / "new"
                    other.make_maildir(mailbox.name)
                    shutil.copyfile(path, target / path.name)

    def delete(self, message_id):
        """A reader deletes the message from every mailbox."""
        for mailbox in sorted(path for path in self.mail.iterdir() if path.is_dir()):
            for path in maildir.message_files(mailbox):
                if maildir.header_of(path, "Message-ID").strip("<>") == message_id:
                    path.unlink()

    def make_maildir(self, mailbox):
        for part in ("tmp", "new", "cur"):
            (self.mail / mailbox / part).mkdir(parents=True, exist_ok=True)

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with connection, connection.makefile("rb") as lines:
                self._session(connection, lines)
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _session(self, connection, lines):
        def reply(text):
            connection.sendall(text.encode() + b"\r\n")

        recipients = []
        reply(f"220 {self.name} {self.protocol.upper()}")
        for line in lines:
            command = line.decode("utf-8", errors="replace").strip()
            verb = command.upper()
            if verb.startswith("LHLO" if self.protocol == "lmtp" else "EHLO"):
                for word in self.extensions[:-1]:
                    reply(f"250-{word}")
                reply(f"250 {self.extensions[-1]}")
            elif verb.startswith("MAIL FROM:") or verb == "RSET":
                recipients = []
                reply("250 2.1.0 Ok")
            elif verb.startswith("RCPT TO:"):
                address = ADDRESS.search(command).group(1)
                if address in self.refused_recipients:
                    reply("550 5.1.1 No such mailbox")
                elif self.most_recipients and len(recipients) >= self.most_recipients:
                    reply("452 4.5.3 Too many recipients")
                else:
                    recipients.append(address)
                    reply("250 2.1.5 Ok")
            elif verb == "DATA":
                if not recipients:
                    reply("503 5.5.1 No recipients")
                    continue
                reply("354 Go on")
                if not self._store(connection, reply, recipients, self._data(lines)):
                    return
                recipients = []
            elif verb == "QUIT":
                reply("221 2.0.0 Bye")
                return
            else:
                reply("250 2.0.0 Ok")

    @staticmethod
    def _data(lines):
        data = bytearray()
        for line in lines:
            if line == b".\r\n":
                return bytes(data)
            data += line[1:] if line.startswith(b".") else line
        raise OSError("the connection ended within the data")

    def _store(self, connection, reply, recipients, data):
        """Obeys the first rule for the message. False when the connection is to end."""
        message_id = MESSAGE_ID.search(data).group(1).decode()
        with self._lock:
            self.transactions[message_id] += 1
            rule = next((rule for rule in self.rules if rule[0] in (message_id, "*")), None)
            if rule:
                self.rules.remove(rule)
        order = rule[1] if rule else None
        if order == LATE:
            self.answers.wait(600)
        if order in (None, DROP_STORED, LATE, SLOW, ONE_MORE, ONE_LESS) and self._listener is not None:
            for recipient in recipients:
                self._write(recipient.lower(), data)
        if order in (DROP_STORED, DROP_UNSTORED):
            return False
        if order == STALL:
            threading.Event().wait(600)
            return False
        if order == SHUT:
            reply("421 4.3.2 Going down")
            return False
        words = {REFUSE: "554 5.7.1 Not wanted", DEFER: "451 4.2.0 Not now"}
        word = words.get(order, "250 2.1.5 Stored")
        answered = recipients if self.protocol == "lmtp" else recipients[:1]
        if order == ONE_LESS:
            answered = answered[:-1]
        if order not in words:
            with self._lock:
                self.acknowledged |= {(recipient.lower(), message_id) for recipient in answered}
        for _ in range(len(answered) + (1 if order == ONE_MORE else 0)):
            if order == SLOW:
                for byte in word + "\r\n":
                    connection.sendall(byte.encode())
                    time.sleep(0.005)
            else:
                reply(word)
        return order != ONE_LESS

    def _write(self, mailbox, data):
        with self._lock:
            self._numbers += 1
            number = self._numbers
        self.make_maildir(mailbox)
        name = f"{number}.{os.getpid()}.{self.name}"
        (self.mail / mailbox / "tmp" / name).write_bytes(data)
        os.rename(self.mail / mailbox / "tmp" / name, self.mail / mailbox / "new" / name)
