"""What is measured: sizes, kinds of connection, recipients, and what the dumpster has to do."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    size: int
    kept: bool = False
    recipients: int = 1
    dumpster: str = "on"  # on | off | full (every message evicts another)
    sessions: int = 20
    messages: int = 2000
    postfix_messages: int = 400
    transactions: int = 1  # in which a message gets to the node

    def short(self):
        """The same for a run that only proves that it runs."""
        return dataclasses.replace(self, messages=40, postfix_messages=20, sessions=4)


KIB = 1024

CASES = [
    Case("4 KiB, a connection a mail", 4 * KIB, sessions=50),
    Case("4 KiB, kept connections", 4 * KIB, kept=True, sessions=50, messages=5000),
    Case("4 KiB, kept connections", 4 * KIB, kept=True, sessions=100, messages=5000),
    Case("4 KiB, kept connections", 4 * KIB, kept=True, messages=4000),
    Case("4 KiB, kept connections, ten recipients", 4 * KIB, kept=True, recipients=10, sessions=50, messages=1500),
    Case("4 KiB, kept connections, dumpster off", 4 * KIB, kept=True, dumpster="off", sessions=50, messages=5000),
    Case("4 KiB, kept connections, dumpster full", 4 * KIB, kept=True, dumpster="full", sessions=50, messages=5000),
    Case("100 KiB, a connection a mail", 100 * KIB, messages=600, postfix_messages=150),
    Case("100 KiB, kept connections", 100 * KIB, kept=True, messages=600, postfix_messages=150),
    Case("5 MiB, a connection a mail", 5 * KIB * KIB, sessions=4, messages=30, postfix_messages=20),
]
