"""A disk whose power can be cut: an ext4 file system in a file. What was not synced is not in the file yet."""

import pathlib
import shutil
import subprocess


class Disk:
    """Needs root and loop devices. Mounted from the start; `unmount` is the workspace's when the test is over."""

    SIZE = 384 << 20

    def __init__(self, workspace, name, image=None):
        self.image = workspace.base / f"{name}.img"
        self.mounted = workspace.base / name
        self.mounted.mkdir()
        if image:
            shutil.copyfile(image, self.image)
        else:
            with self.image.open("wb") as file:
                file.truncate(self.SIZE)
            subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True)
        subprocess.run(["mount", "-o", "loop", self.image, self.mounted], check=True)
        workspace.own(self)

    def after_a_power_cut(self, workspace, name):
        """The disk as a machine would find it that lost its power now; this one goes on."""
        return Disk(workspace, name, self.image)

    def write(self, name, synced):
        with (self.mounted / name).open("wb") as file:
            file.write(b"data")
            file.flush()
            if synced:
                subprocess.run(["sync", "--file-system", self.mounted], check=True)

    def has(self, name):
        path = pathlib.Path(self.mounted / name)
        return path.exists() and path.read_bytes() == b"data"

    def kill(self):
        subprocess.run(["umount", "--lazy", self.mounted], check=False, stderr=subprocess.DEVNULL)


def available():
    """Whether this machine can mount a file system from a file."""
    probe = subprocess.run(["losetup", "--find"], capture_output=True, check=False)
    return probe.returncode == 0 and shutil.which("mkfs.ext4") is not None
