"""Two nodes under Pacemaker with an external witness, from the example configurations of deploy/cluster."""

import re

from harness.processes import Process, wait_until

from .machine import Network, command
from .project import examples

WITNESS_ADDRESS = "192.0.2.31"

# What systemd does on a real machine.
BOOT = """\
mkdir -p /run/crm /run/resource-agents /run/corosync /run/corosync-qdevice
chown hacluster:haclient /run/crm; chmod 750 /run/crm
mkdir -p /var/lib/pacemaker/{cib,pengine,blackbox,cores} /var/log/{corosync,crmsh,pacemaker/bundles} /var/lib/corosync
chown -R hacluster:haclient /var/lib/pacemaker /var/log/pacemaker
corosync -f &
for ((i = 0; i < 300; i++)); do corosync-cmapctl -g runtime.services.quorum.service_id >/dev/null 2>&1 && break; sleep 0.2; done
corosync-qdevice -f &
pacemakerd -f &
"""
# As dumpster-agent.service does.
WATCH = """\
while :; do dumpster-agent --config /etc/dumpster-agent/dumpster-agent.toml watch >>/var/log/watch.log 2>&1; sleep 2; done &
"""

EMPTY_CIB = """\
<cib admin_epoch="0" epoch="1" num_updates="0" validate-with="pacemaker-3.8"><configuration>
<crm_config/><nodes/><resources/><constraints/></configuration><status/></cib>
"""
# Faster than on real machines, where a booting node has to wait for the others.
FOR_TESTS = ("no-quorum-policy=stop", "no-quorum-policy=stop dc-deadtime=3s")
FENCING = "primitive power stonith:fence_plug params pcmk_host_list='node1 node2' pcmk_host_check=static-list\n"


class Witness:
    """corosync-qnetd on a machine of its own."""

    def __init__(self, workspace):
        self.network = Network(workspace, "witness", WITNESS_ADDRESS)
        base = workspace.base / "witness"
        base.mkdir()
        qnetd = ["corosync-qnetd", "-f", "-s", "off", "-l", WITNESS_ADDRESS, "-p", "5403"]
        qnetd += ["-S", f"lock_file={base}/pid", "-S", f"local_socket_file={base}/socket"]
        self.process = workspace.own(Process(self.network.inside(*qnetd), base / "witness.log"))


def install(machine, key):
    """corosync on a machine that does not run yet."""
    machine.install("127.0.0.1 localhost\n" + (examples() / "pacemaker/hosts").read_text(), "/etc/hosts")
    machine.install(key, "/etc/corosync/authkey", 0o400)
    machine.install(examples() / "pacemaker/corosync.conf", "/etc/corosync/corosync.conf")
    machine.install("", "/etc/corosync/uidgid.d/.keep")


def make_key(path):
    command("corosync-keygen", "-l", "-k", path)
    return path


def configuration(kind, fencing=True, changes=()):
    """The text of the example pacemaker/KIND.crm with these (old, new) replaced."""
    text = (examples() / f"pacemaker/{kind}.crm").read_text()
    if not fencing:
        changes = [*changes, ("stonith-enabled=true", "stonith-enabled=false")]
    for old, new in [FOR_TESTS, *changes]:
        if old not in text:
            raise AssertionError(f"{old} is not in {kind}.crm")
        text = text.replace(old, new)
    return text + (FENCING if fencing else "")


def seed(machine, nodes, text):
    """Gives the nodes a configuration to start with, made on `machine`, which has booted without Pacemaker."""
    path = machine.base / "configuration.crm"
    path.write_text(text)
    cib = machine.base / "cib.xml"
    cib.write_text(EMPTY_CIB)
    done = machine.run("env", f"CIB_file={cib}", "crm", "-F", "configure", "load", "update", path)
    if "<clone" not in cib.read_text():
        raise AssertionError(done.stdout + done.stderr)
    for node in nodes:
        node.seed = cib.read_text()


def promoted_node(machine):
    """Name of the node whose instance is promoted, as `machine` sees it; nothing when there is none."""
    if not machine.alive():
        return None
    done = machine.run("crm_mon", "-1r", check=False)
    # In words of its own while an action runs there.
    match = re.search(r"Promoted: \[ (\S+) \]|mailbox-node\):\s+Promoted (\S+)", done.stdout)
    return (match.group(1) or match.group(2)) if match else None


def online(machine):
    done = machine.run("crm_mon", "-1r", check=False)
    match = re.search(r"Online: \[ (.*) \]", done.stdout)
    return match.group(1).split() if match else []


def wait_promoted(machine, name, seconds):
    wait_until(
        lambda: promoted_node(machine) == name,
        seconds,
        lambda: f"{name} is promoted\n{machine.run('crm_mon', '-1rf', check=False).stdout}",
        pause=0.2,
    )
