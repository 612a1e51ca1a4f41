"""Runs the agent's program with a configuration of its own."""

import json
import os
import pathlib
import subprocess

PROGRAM = os.environ.get("DUMPSTER_AGENT", "dumpster-agent")


class AgentProgram:
    def __init__(self, base, hubs, inventory, **settings):
        self.base = pathlib.Path(base)
        token = self.base / "token"
        token.write_text("secret\n")
        token.chmod(0o600)
        lines = [
            'cluster = "ccr1"', 'node = "node2"', f'state_dir = "{self.base}/state"', f'token_file = "{token}"',
            f"hubs = {json.dumps(list(hubs))}",
            *(f'{key} = "{value}"' for key, value in {"settle": "100ms", **settings}.items()),
            "[inventory]", *(f'{key} = "{value}"' for key, value in inventory.items()),
        ]
        self.configuration = self.base / "agent.toml"
        self.configuration.write_text("\n".join(lines) + "\n")

    def command(self, *arguments):
        return [PROGRAM, "--config", str(self.configuration), *arguments]

    def run(self, *arguments):
        """Exit status and report of one command."""
        done = subprocess.run(self.command("--json", *arguments), capture_output=True, text=True, timeout=60, check=False)
        report = json.loads(done.stdout) if done.stdout else {"error": done.stderr}
        return done.returncode, report

    def state(self):
        return json.loads((self.base / "state" / "state.json").read_text())


class Maildirs:
    """Maildirs under one path, and a way to deliver into them as a mailbox server would."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.count = 0

    def mailbox(self, name):
        for part in ("new", "cur", "tmp"):
            (self.path / name / part).mkdir(parents=True, exist_ok=True)
        return self.path / name

    def store(self, name, delivery_id):
        self.count += 1
        text = f"X-Dumpster-Id: hub1/{delivery_id}\r\nSubject: test\r\n\r\nbody\r\n"
        (self.mailbox(name) / "new" / f"{self.count}.host").write_text(text)

    def copies(self, name, delivery_id):
        return sum(delivery_id in path.read_text() for path in (self.path / name).glob("*/*") if path.is_file())
