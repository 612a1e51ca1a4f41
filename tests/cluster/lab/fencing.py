"""A power switch out of band: the fence agent on a node asks for it, the tests pull the plug."""

import threading
import time

AGENT = """\
#!/usr/bin/python3
import os, sys, time
options = dict(line.strip().split("=", 1) for line in sys.stdin if "=" in line)
action, node = options.get("action", "reboot"), options.get("plug") or options.get("port")
if action == "metadata":
    print('''<?xml version="1.0"?>
<resource-agent name="fence_plug" shortdesc="the power switch of the tests"><longdesc>pulls the plug</longdesc>
<vendor-url>https://example.test/</vendor-url><parameters>
<parameter name="action" required="0"><content type="string" default="reboot"/><shortdesc lang="en">action</shortdesc></parameter>
<parameter name="plug" required="0"><content type="string"/><shortdesc lang="en">node</shortdesc></parameter>
</parameters><actions><action name="off"/><action name="on"/><action name="reboot"/><action name="status"/>
<action name="monitor"/><action name="list"/><action name="metadata"/></actions></resource-agent>''')
if action not in ("off", "reboot"):
    sys.exit(0)
wanted = "{folder}/" + node
open(wanted + ".wanted", "w").close()
for _ in range(200):
    if os.path.exists(wanted + ".done"):
        os.unlink(wanted + ".done")
        sys.exit(0)
    time.sleep(0.05)
sys.exit(1)
"""


class PowerSwitch:
    """Kills machines on request of `fence_plug`; `pulled` has (time, name)."""

    def __init__(self, workspace, machines):
        self.folder = workspace.base / "power"
        self.folder.mkdir()
        self.machines = {machine.name: machine for machine in machines}
        self.pulled = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        workspace.callback(self.stop)

    def install(self, machine):
        machine.install(AGENT.replace("{folder}", str(self.folder)), "/usr/sbin/fence_plug", 0o755)

    def stop(self):
        self._stop.set()
        self._thread.join()

    def _serve(self):
        while not self._stop.is_set():
            for wanted in self.folder.glob("*.wanted"):
                self.machines[wanted.stem].kill()
                self.pulled.append((time.time(), wanted.stem))
                wanted.rename(wanted.with_suffix(".done"))
            time.sleep(0.05)
