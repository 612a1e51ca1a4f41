"""Certificates of the tests: each signs itself, so that it is its own authority."""

import subprocess


class Certificate:
    def __init__(self, folder, name, alternative="IP:127.0.0.1", key_type="rsa:2048"):
        """PEM files NAME.crt and NAME.key in the folder; `alternative` as OpenSSL's subjectAltName. `key_type`: rsa:BITS, or ec."""
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self.key = folder / f"{name}.crt", folder / f"{name}.key"
        command = ["openssl", "req", "-x509", "-newkey", key_type, "-nodes", "-days", "2", "-keyout", self.key, "-out", self.path]
        if key_type == "ec":
            command += ["-pkeyopt", "ec_paramgen_curve:P-256"]
        subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName={alternative}"]
        subprocess.run([*command, *subject], check=True, capture_output=True)

    @property
    def fingerprint(self):
        """SHA-256 as OpenSSL prints it."""
        command = ["openssl", "x509", "-in", self.path, "-noout", "-fingerprint", "-sha256"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().partition("=")[2]
