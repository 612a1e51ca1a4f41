"""Hubs on machines of their own, with TLS before the recovery API as on any real network."""

import subprocess

from harness import http_calls
from harness.hub import Hub
from harness.processes import Process

from .machine import Network


class Authority:
    """Makes certificates for addresses."""

    def __init__(self, base):
        self.base = base
        base.mkdir()
        self.certificate, self.key = base / "ca.crt", base / "ca.key"
        request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=authority.example.test"]
        self._openssl(*request, "-keyout", self.key, "-out", self.certificate)

    def issue(self, name, address):
        certificate, key = self.base / f"{name}.crt", self.base / f"{name}.key"
        request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
        extensions = ["-addext", f"subjectAltName=IP:{address}", "-addext", "basicConstraints=critical,CA:FALSE"]
        signed = ["-CA", self.certificate, "-CAkey", self.key, "-keyout", key, "-out", certificate]
        self._openssl(*request, *extensions, *signed)
        return certificate, key

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class ClusterHub(Hub):
    """A hub with the configuration of the product's defaults, on its own network card."""

    def __init__(self, workspace, authority, name, address, cluster, recipients, settings=None):
        super().__init__(workspace, [cluster], recipients, f"{name}.example.test", settings)
        self.network = Network(workspace, name, address)
        self.address = address
        self.smtp_port = 25
        self.recovery_address = f"{address}:8025"
        self.metrics_address = f"{address}:9425"
        self.certificate, self.key = authority.issue(name, address)

    @property
    def url(self):
        return f"https://{self.recovery_address}"

    def tables(self):
        tables = super().tables()
        tables["listener"] = [{"address": f"{self.address}:25", "protocol": "smtp"}]
        tables["relay"] = {"trusted_networks": ["192.0.2.0/24"]}
        tables["recovery"] |= {"certificate": self.certificate, "key": self.key}
        return tables

    def start(self, ready=True):
        self.write()
        command = self.network.inside(self.bin / "dumpsterd", "--config", self.configuration)
        self.process = Process(command, self.base / "hub.log", self.environment)
        if ready:
            self.wait_ready()
        return self

    def delivered(self, node=None):
        return self.metric("relay_deliveries_total", result="delivered")

    def active(self):
        """The node that the hub takes for the active one; nothing when the hub is down."""
        try:
            samples = self.samples()
        except OSError:
            return None
        for (name, labels), value in samples.items():
            if name == "cluster_active" and value:
                return dict(labels)["node"]
        return None

    def listed(self, cluster, group):
        """The lines of the dumpster, from the operator's socket."""
        return http_calls_over_socket(self.admin_socket, f"/v1/clusters/{cluster}/storage-groups/{group}/deliveries")


def http_calls_over_socket(socket_path, path):
    done = subprocess.run(
        ["curl", "-sS", "--fail", "--unix-socket", str(socket_path), f"http://hub{path}"],
        capture_output=True, text=True, timeout=60,
    )
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    lines = [http_calls.json.loads(line) for line in done.stdout.splitlines()]
    return lines[:-1]
