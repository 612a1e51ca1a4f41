"""The project as `cmake --install` puts it onto a machine."""

import functools
import os
import pathlib

from harness.workspace import program_directory

from .machine import command


@functools.cache
def installed():
    """The folder that stands for `/`, with all that the README's `cmake --install` puts there. Made once."""
    build = program_directory().resolve().parent
    root = pathlib.Path(os.environ["DUMPSTER_CLUSTER_BASE"]) / "installed"
    command("env", f"DESTDIR={root}", "cmake", "--install", build, "--prefix", "/usr", timeout=120)
    return root


def examples():
    """The example files of the cluster, where the installation has put them."""
    return installed() / "usr/share/doc/transport-dumpster/cluster"
