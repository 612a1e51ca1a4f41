"""A temporary directory and everything that has to be ended before it goes."""

import contextlib
import os
import pathlib
import shutil
import tempfile


def program_directory():
    """Where the programs are: DUMPSTER_BIN_DIR, or the release build."""
    project = pathlib.Path(__file__).resolve().parents[3]
    return pathlib.Path(os.environ.get("DUMPSTER_BIN_DIR") or project / "build" / "release" / "bin")


class Workspace(contextlib.ExitStack):
    """Use as a context: ends what was registered, last first, and removes the directory."""

    def __init__(self, directory=None, keep=False):
        super().__init__()
        self.base = pathlib.Path(directory or tempfile.mkdtemp(prefix="dumpster-"))
        self.base.mkdir(parents=True, exist_ok=True)
        # Mailbox servers enter it under their own users.
        self.base.chmod(0o755)
        self.bin = program_directory()
        if not keep:
            self.callback(shutil.rmtree, self.base, ignore_errors=True)

    def own(self, thing):
        """Registers something with `kill()`; returns it."""
        self.callback(thing.kill)
        return thing
