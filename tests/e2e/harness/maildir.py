"""Reading maildirs as a test does: which messages are there, and how often."""

import collections
import pathlib

HEADER_LIMIT = 64 * 1024


def message_files(mailbox):
    """The message files of one maildir, subfolders included."""
    for folder in [pathlib.Path(mailbox), *sorted(pathlib.Path(mailbox).glob(".*/"))]:
        for part in ("new", "cur"):
            directory = folder / part
            if directory.is_dir():
                yield from (path for path in directory.iterdir() if path.is_file())


def header_of(path, name):
    """The first value of a header field, or None. The field is taken to stand on one line."""
    wanted = name.lower().encode() + b":"
    with open(path, "rb") as file:
        head = file.read(HEADER_LIMIT)
    for line in head.split(b"\n"):
        line = line.rstrip(b"\r")
        if not line:
            return None
        if line.lower().startswith(wanted):
            return line[len(wanted) :].strip().decode(errors="replace")
    return None


def copies(root):
    """Counter of (mailbox, message id without brackets) over all maildirs below `root`."""
    found = collections.Counter()
    for mailbox in sorted(pathlib.Path(root).iterdir()):
        if not mailbox.is_dir():
            continue
        for path in message_files(mailbox):
            try:
                message_id = header_of(path, "Message-ID")
            except FileNotFoundError:  # moved from new to cur meanwhile: the next look finds it
                continue
            if message_id:
                found[mailbox.name, message_id.strip("<>")] += 1
    return found
