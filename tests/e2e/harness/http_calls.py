"""Calls to the hub over HTTP: the recovery API, health and metrics."""

import http.client
import json
import re
import urllib.parse

SAMPLE = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:\\.|[^"\\])*)"')


def get(address, path, timeout=10):
    """(status, text) of a plain GET; raises OSError when nobody answers."""
    status, text, _ = call(address, "GET", path, timeout=timeout)
    return status, text


def call(address, method, path, headers=None, body=None, timeout=10):
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        text = response.read().decode("utf-8", errors="replace")
        return response.status, text, dict(response.getheaders())
    except http.client.HTTPException as error:
        raise OSError(f"no HTTP answer from {address}: {error!r}") from error
    finally:
        connection.close()


def samples(text):
    """Prometheus text as {(name, frozenset of label pairs): value}."""
    found = {}
    for line in text.splitlines():
        match = SAMPLE.match(line)
        if match:
            found[match.group(1), frozenset(LABEL.findall(match.group(2) or ""))] = float(match.group(3))
    return found


def total(found, name, **labels):
    """Sum of the samples of a metric that carry these labels; 0 when there are none."""
    wanted = set(labels.items())
    return sum(value for (its_name, its_labels), value in found.items() if its_name == name and wanted <= its_labels)


class RecoveryApi:
    """The recovery API with one credential, and the node in whose name it is called."""

    def __init__(self, address, token, node=None):
        self.address = address
        self.token = token
        self.node = node

    def call(self, method, path, body=None):
        """(status, decoded answer): an object for JSON, a list of objects for NDJSON, text otherwise."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if self.node:
            headers["Dumpster-Node"] = self.node
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        status, text, answered = call(self.address, method, path, headers, body)
        kind = answered.get("Content-Type", answered.get("content-type", ""))
        if "ndjson" in kind:
            return status, [json.loads(line) for line in text.splitlines() if line]
        if "json" in kind and text:
            return status, json.loads(text)
        return status, text

    def hub(self):
        return self.call("GET", "/v1/hub")[1]

    def cluster(self, cluster):
        return self.call("GET", f"/v1/clusters/{cluster}")[1]

    def activate(self, cluster, node, term, kind="lossy"):
        return self.call("POST", f"/v1/clusters/{cluster}/activations", {"node": node, "term": term, "kind": kind})

    def deliveries(self, cluster, group, **window):
        """(lines, last line) of a listing."""
        query = urllib.parse.urlencode({name.rstrip("_"): value for name, value in window.items()})
        path = f"/v1/clusters/{cluster}/storage-groups/{group}/deliveries" + (f"?{query}" if query else "")
        status, answer = self.call("GET", path)
        if status != 200:
            raise AssertionError(f"listing answered {status}: {answer}")
        return answer[:-1], answer[-1]

    def resubmit(self, cluster, group, **request):
        body = {name.rstrip("_"): value for name, value in request.items()}
        return self.call("POST", f"/v1/clusters/{cluster}/storage-groups/{group}/resubmissions", body)
