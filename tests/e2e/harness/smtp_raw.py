"""SMTP byte by byte, for what a well-behaved client never sends."""

import socket


class RawClient:
    def __init__(self, port, address="127.0.0.1", timeout=20):
        self.socket = socket.create_connection((address, port), timeout=timeout)
        self.lines = self.socket.makefile("rb")
        self.greeting = self.reply()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.lines.close()
        self.socket.close()

    def reply(self):
        """One whole reply as text; an empty one when the hub has closed the connection."""
        text = b""
        for line in self.lines:
            text += line
            if line[3:4] != b"-":
                break
        return text.decode(errors="replace")

    def send(self, data):
        self.socket.sendall(data)

    def command(self, text):
        self.send(text.encode() + b"\r\n")
        return self.reply()

    def until_data(self, sender, *recipients):
        """EHLO to DATA; the replies to RCPT. Asserts that the rest was answered as it should be."""
        assert self.command("EHLO client.example.net").startswith("250"), "EHLO refused"
        assert self.command(f"MAIL FROM:<{sender}>").startswith("250"), "MAIL refused"
        replies = [self.command(f"RCPT TO:<{recipient}>") for recipient in recipients]
        data = self.command("DATA")
        assert data.startswith("354"), f"DATA answered {data!r} after {replies}"
        return replies
