import os
import pathlib
import re
import shutil
import subprocess
import unittest

from case import EndToEnd
from harness.certificates import Certificate
from harness.hub import run

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
# Settings that name files of the site, and the site's own choices.
NEEDS_FILES = ("quiesce",)


def with_defaults(text):
    """The example with every default that it mentions in a comment switched on."""
    lines = []
    for line in text.split("\n"):
        match = re.match(r"(\s*)# ((\w+) = .*)$", line)
        lines.append(match.group(1) + match.group(2) if match and match.group(3) not in NEEDS_FILES else line)
    return "\n".join(lines)


def with_directory_server(text):
    """The example with the other form of `[directory]`, which it shows as a comment, in place of the file."""
    before, rest = text.split("[directory]\n", 1)
    shown = re.findall(r"^#   (\w+ = .*)$", rest, re.MULTILINE)
    following = rest[rest.index("[[cluster]]") :]
    return before + "[directory]\n" + "\n".join(shown) + "\n\n" + following


class Examples(EndToEnd):
    def check(self, text):
        base = self.workspace.base
        shutil.copyfile(DEPLOY / "recipients.example", base / "recipients")
        shutil.copyfile(DEPLOY / "tokens.example", base / "tokens")
        (base / "tokens").chmod(0o600)
        (base / "ldap.password").write_text("secret\n")
        (base / "ldap.password").chmod(0o600)
        (base / "passwords").write_text("# USER:HASH\n")
        (base / "passwords").chmod(0o600)
        certificate = Certificate(base, "tls")
        shutil.copyfile(certificate.path, base / "agents.crt")
        path = base / "dumpsterd.toml"
        path.write_text(text.replace("/etc/dumpsterd/", f"{base}/").replace("/var/lib/dumpsterd", f"{base}/data"))
        checked = run([self.workspace.bin / "dumpsterd", "--config", path, "--check"])
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_the_example_of_the_hub_is_accepted(self):
        self.check((DEPLOY / "dumpsterd.toml").read_text())

    def test_the_defaults_that_the_example_of_the_hub_mentions_are_accepted(self):
        text = (DEPLOY / "dumpsterd.toml").read_text()
        self.assertIn("\nretry_max =", with_defaults(text))
        self.check(with_defaults(text))

    def test_the_directory_server_that_the_example_of_the_hub_shows_is_accepted(self):
        text = with_directory_server((DEPLOY / "dumpsterd.toml").read_text())
        self.assertIn('type = "ldap"', text)
        self.assertNotIn('type = "file"', text)
        self.check(text)

    def test_the_example_of_the_agent_is_accepted(self):
        node, passive = self.sinks("node1", "node2")
        hub = self.clustered_hub([node, passive])
        agent = self.agent([hub], passive)
        agent.write()
        text = (DEPLOY / "dumpster-agent.toml").read_text()
        for example, real in (
            ("http://127.0.0.1:8025", hub.url),
            ("/etc/dumpster-agent/token", agent.base / "token"),
            ("/var/lib/dumpster-agent", agent.base / "state"),
            ("/var/mail", passive.mail),
        ):
            self.assertIn(f'"{example}"', text)
            text = text.replace(f'"{example}"', f'"{real}"')
        for variant in (text, with_defaults(text)):
            agent.configuration.write_text(variant)
            shown = run([agent.bin / "dumpster-agent", "--config", agent.configuration, "status"])
            self.assertEqual(shown.returncode, 0, shown.stdout + shown.stderr)


class Installation(EndToEnd):
    def install(self):
        """As the documents say, into a folder that stands for `/`."""
        build = self.workspace.bin.resolve().parent
        if not (build / "cmake_install.cmake").exists():
            self.skipTest("the programs do not come from a build directory")
        root = self.workspace.base / "root"
        installed = run(["env", f"DESTDIR={root}", "cmake", "--install", build, "--prefix", "/usr"])
        self.assertEqual(installed.returncode, 0, installed.stderr)
        return root

    def test_installing_puts_programs_units_and_examples_in_their_places(self):
        root = self.install()
        for path in ("sbin/dumpsterd", "sbin/dumpster-agent", "bin/dumpsterctl"):
            self.assertEqual(run([root / "usr" / path, "--help"]).returncode, 0, path)
        units = root / "usr/lib/systemd/system"
        installed_units = ["dumpsterd.service", "dumpster-agent.service"]
        for unit in installed_units:
            self.assertTrue((units / unit).exists(), unit)
        self.assertTrue(list((root / "usr/share/doc").rglob("dumpsterd.toml")))
        if shutil.which("systemd-analyze"):
            verified = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", f"--root={root}", *installed_units],
                capture_output=True,
                text=True,
            )
            faults = [line for line in verified.stderr.splitlines() if "dumpster" in line and "Unknown" in line]
            self.assertEqual(faults, [])

    def test_installing_puts_what_a_cluster_needs_where_its_documents_say(self):
        root = self.install()
        library = root / "usr/lib/transport-dumpster"
        agent = root / "usr/lib/ocf/resource.d/dumpster/mailbox-node"
        examples = root / "usr/share/doc/transport-dumpster/cluster"
        places = {"mailbox-node": agent, "bin/": root / "usr/sbin/", "lib/": library}
        for source in sorted(path for path in (DEPLOY / "cluster").rglob("*") if path.is_file()):
            name = str(source.relative_to(DEPLOY / "cluster"))
            part = next((part for part in places if name.startswith(part)), None)
            target = places[part] / name.removeprefix(part) if part else examples / name
            with self.subTest(name):
                self.assertEqual(target.read_bytes(), source.read_bytes())
                self.assertEqual(os.access(target, os.X_OK), os.access(source, os.X_OK))
        # What examples and programs name by its whole path.
        named = set()
        for path in [agent, *library.iterdir(), *(path for path in examples.rglob("*") if path.is_file())]:
            named |= set(re.findall(r"/usr/lib/(?:transport-dumpster|ocf/resource.d)/[\w/-]+[\w-]", path.read_text()))
        self.assertIn("/usr/lib/transport-dumpster/keepalived-notify", named)
        for path in named:
            self.assertTrue((root / path[1:]).exists(), path)

    def test_the_installed_resource_agent_describes_itself_as_the_cluster_manager_demands(self):
        root = self.install()
        environment = ["env", f"DUMPSTER_CLUSTER_LIBRARY={root}/usr/lib/transport-dumpster"]
        described = run([*environment, root / "usr/lib/ocf/resource.d/dumpster/mailbox-node", "meta-data"])
        self.assertEqual(described.returncode, 0, described.stderr)
        definition = pathlib.Path("/usr/share/resource-agents/ra-api-1.dtd")
        if not shutil.which("xmllint") or not definition.exists():
            self.skipTest("xmllint or resource-agents is not installed")
        text = self.workspace.base / "meta-data.xml"
        text.write_text(described.stdout)
        checked = run(["xmllint", "--noout", "--nonet", "--dtdvalid", definition, text])
        self.assertEqual(checked.returncode, 0, checked.stderr)
        # Each parameter of the agent is described, and the other way round.
        described_parameters = set(re.findall(r'<parameter name="(\w+)"', described.stdout))
        sources = "".join(path.read_text() for path in (DEPLOY / "cluster/lib").glob("*.sh"))
        self.assertEqual(described_parameters, set(re.findall(r"\bOCF_RESKEY_([a-z_]+)", sources)))


if __name__ == "__main__":
    unittest.main()
