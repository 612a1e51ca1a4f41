"""The demonstration that deploy/demo runs once everything is built."""

import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "e2e"))

from harness import dovecot, processes  # noqa: E402
from harness.failover import CLUSTER, GROUP, DovecotFailover  # noqa: E402
from harness.workspace import Workspace  # noqa: E402

MAILS, MAILBOXES, CONNECTIONS, RATE = 600, 12, 6, 100
ATTEMPTS = 3  # replication may have been quick enough once to lose nothing

STARTED = time.monotonic()


def say(text):
    for line in text.splitlines():
        print(f"{time.monotonic() - STARTED:6.1f} s  {line}", flush=True)


def look_around(failover, workspace):
    """Writes the script that stops what is left running, and tells what there is to see."""
    hub, node = failover.hub, failover.new
    running = [hub.process, node.process]
    stop = workspace.base / "stop"
    ids = " ".join(str(process.id) for process in running)
    stop.write_text(f"#!/bin/sh\nkill {ids}\nsleep 2\nrm -rf {workspace.base}\n")
    stop.chmod(0o755)
    print(
        f"""
Everything is left running below {workspace.base}:

  {hub.bin}/dumpsterctl --socket {hub.admin_socket} status
  {hub.bin}/dumpsterctl --socket {hub.admin_socket} cluster show {CLUSTER}
  {hub.bin}/dumpsterctl --socket {hub.admin_socket} resubmit list
  curl -s http://{hub.metrics_address}/metrics
  curl -s -H 'Authorization: Bearer {hub.api().token}' http://{hub.recovery_address}/v1/clusters/{CLUSTER}/storage-groups/{GROUP}/deliveries
  swaks --server 127.0.0.1:{hub.smtp_port} --from me@example.net --to {failover.mailboxes[0]}
  doveadm -c {node.configuration} fetch -u {failover.mailboxes[0]} hdr.x-dumpster-id mailbox INBOX all
  {hub.bin}/dumpster-agent --config {failover.agents[node.name].configuration} status

Stop it with

  {stop}
"""
    )


def attempt(keep):
    """One failover. The census, or nothing when replication had been so quick that nothing was lost."""
    with Workspace(keep=keep) as workspace:
        failover = DovecotFailover(workspace, MAILS, MAILBOXES, CONNECTIONS, RATE, say=say)
        failover.start()
        failover.crash()
        if not failover.lost:
            return None
        counted = failover.refill()
        print(f"\n{counted.table()}\n")
        if not counted.exact:
            print(counted.details())
        elif keep:
            workspace.pop_all()
            look_around(failover, workspace)
        return counted


def main():
    reason = dovecot.available()
    if reason:
        sys.exit(reason)
    keep = "--keep" in sys.argv[1:]
    if keep:
        processes.DIE_WITH_PARENT.clear()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for number in range(ATTEMPTS):
        counted = attempt(keep)
        if counted is not None:
            sys.exit(0 if counted.exact else 1)
        say("nothing was lost this time, so nothing is shown; once more")
    print("replication kept up every time, nothing was lost", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
