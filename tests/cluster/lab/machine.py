"""Machines made of namespaces: a network of their own, processes of their own, a disk of their own that outlives them."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from harness.processes import Process, wait_until

SWITCH_ADDRESS = "192.0.2.254"
# A machine's own view of the system: what it changes stays on its disk, the project is installed, all else is the host's.
OWN_PARTS = ("etc", "usr", "var")

BOOT = """\
set -e
hostname {name}
mount --make-rprivate /
for part in {parts}; do
  lower=/$part
  [ ! -d {installed}/$part ] || lower={installed}/$part:/$part
  mount -t overlay disk -o lowerdir=$lower,upperdir={disk}/$part,workdir={disk}/.work/$part /$part
done
mount -t tmpfs -o size=64m,mode=755 run /run
mount -t tmpfs -o size=256m,mode=1777 shm /dev/shm
mkdir -p /run/lock
touch {booted}
ulimit -l unlimited 2>/dev/null || true
{script}
while :; do sleep 3600 & wait $!; done
"""


def command(*arguments, check=True, timeout=60):
    # Not through pipes, which a daemon that it starts might hold open.
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        done = subprocess.run(
            [str(argument) for argument in arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=errors, timeout=timeout
        )
        for file, name in ((output, "stdout"), (errors, "stderr")):
            file.seek(0)
            setattr(done, name, file.read())
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, arguments))}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def start_switch():
    """The network that all machines are on; the tests themselves are on it, too."""
    command("ip", "link", "set", "lo", "up")
    command("ip", "link", "add", "switch", "type", "bridge")
    command("ip", "addr", "add", f"{SWITCH_ADDRESS}/24", "dev", "switch")
    command("ip", "link", "set", "switch", "up")


def stop_switch():
    command("ip", "link", "del", "switch")


class Network:
    """The network card of one machine: a network namespace with one address."""

    def __init__(self, workspace, name, address):
        self.name, self.address = name, address
        command("ip", "netns", "add", name)
        workspace.callback(command, "ip", "netns", "del", name, check=False)
        command("ip", "-n", name, "link", "set", "lo", "up")
        command("ip", "link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
        # The card itself goes with the namespace some time later.
        workspace.callback(command, "ip", "link", "del", f"to-{name}", check=False)
        command("ip", "link", "set", f"to-{name}", "master", "switch", "up")
        command("ip", "-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
        command("ip", "-n", name, "link", "set", "eth0", "up")

    def inside(self, *arguments):
        return ["ip", "netns", "exec", self.name, *arguments]

    def unplug(self):
        command("ip", "link", "set", f"to-{self.name}", "down")

    def plug_in(self):
        command("ip", "link", "set", f"to-{self.name}", "up")

    def cut(self, *addresses):
        """Nothing goes to or comes from these any more."""
        for address in addresses:
            command(*self.inside("iptables", "-I", "OUTPUT", "-d", address, "-j", "DROP"))
            command(*self.inside("iptables", "-I", "INPUT", "-s", address, "-j", "DROP"))

    def cut_port(self, port):
        """Nothing is sent to this TCP port of anybody any more."""
        command(*self.inside("iptables", "-I", "OUTPUT", "-p", "tcp", "--dport", port, "-j", "DROP"))

    def mend(self):
        command(*self.inside("iptables", "-F"))


class Machine:
    """`installed` is a folder with software that it has beside the host's; `script` is what it starts when it boots.
    Programs of a dead machine are all dead; its disk remains."""

    def __init__(self, workspace, name, address, installed, script=""):
        self.name, self.address, self.installed, self.script = name, address, installed, script
        self.base = workspace.base / name
        self.disk = self.base / "disk"
        for part in OWN_PARTS:
            (self.disk / part).mkdir(parents=True)
            (self.disk / ".work" / part).mkdir(parents=True)
        self.network = Network(workspace, name, address)
        self.process = None
        workspace.own(self)

    def install(self, source, target, mode=0o644):
        """Puts a file, or a text, onto the disk of a machine that does not run."""
        path = self.disk / target.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, pathlib.Path):
            shutil.copyfile(source, path)
        else:
            path.write_text(source)
        path.chmod(mode)
        return path

    def boot(self):
        booted = self.base / "booted"
        booted.unlink(missing_ok=True)
        text = BOOT.format(
            name=self.name, parts=" ".join(OWN_PARTS), disk=self.disk, installed=self.installed, script=self.script,
            booted=booted,
        )
        boot = self.base / "boot.sh"
        boot.write_text(text)
        self.process = Process(
            self.network.inside("unshare", "-m", "-u", "-i", "-p", "-f", "--mount-proc", "--kill-child", "bash", boot),
            self.base / "boot.log",
        )
        wait_until(lambda: booted.exists() and self._first_process(), 90, lambda: f"{self.name} boots\n{self.process.output()}")

    def _first_process(self):
        try:
            children = pathlib.Path(f"/proc/{self.process.id}/task/{self.process.id}/children").read_text().split()
        except OSError:
            return None
        for child in children:
            if os.readlink(f"/proc/{child}/ns/uts") != os.readlink("/proc/self/ns/uts"):
                return int(child)
        return None

    def alive(self):
        return bool(self.process and self.process.alive() and self._first_process())

    def command_line(self, *arguments):
        return ["nsenter", "-t", str(self._first_process()), "-m", "-u", "-i", "-n", "-p", "--", *map(str, arguments)]

    def run(self, *arguments, check=True, timeout=120):
        """A command on the machine."""
        return command(*self.command_line(*arguments), check=check, timeout=timeout)

    def kill(self):
        """kill -9 of everything on the machine at once."""
        if self.process is None:
            return
        first = self._first_process()
        if first:
            os.kill(first, signal.SIGKILL)
        self.process.kill()

    def read(self, path):
        """A file of the disk, also of a machine that is dead."""
        file = self.disk / path.lstrip("/")
        return file.read_text(errors="replace") if file.exists() else ""
