"""A hub in memory that speaks the recovery API to the agent under test. Resubmitted mail goes where `deliver` says."""

import datetime
import http.server
import json
import threading
import uuid


def rfc3339(when):
    return when.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def ago(**how_long):
    return now() - datetime.timedelta(**how_long)


class ScriptedHub:
    """Start with `with`; `calls` has every request as (method, path, body)."""

    def __init__(self, name="hub1", nodes=("node1", "node2"), deliver=None, token="secret"):
        self.name, self.nodes, self.token = name, list(nodes), token
        self.active, self.term = nodes[0], 0
        self.deliver = deliver or (lambda line, recipient: True)
        self.store_id, self.store_created, self.sequence = str(uuid.uuid4()), ago(days=30), 10
        self.covered_from = self.store_created
        self.lines, self.resubmissions, self.calls = [], {}, []
        self.break_listing = False
        self.lock = threading.Lock()

    def add(self, mailbox, state="delivered", when=None, node=None, term=None, attempt=1, delivery_id=None):
        line = {
            "delivery_id": delivery_id or str(uuid.uuid4()),
            "message_id": f"{len(self.lines)}@example.test",
            "size": 100,
            "delivered_at": rfc3339(when or ago(minutes=1)),
            "node": node or self.nodes[0],
            "term": self.term if term is None else term,
            "attempt": attempt,
            "state": state,
            "recipients": [{"address": mailbox, "mailbox": mailbox}],
        }
        self.lines.append(line)
        return line["delivery_id"]

    def state_of(self, delivery_id):
        return [line["state"] for line in self.lines if line["delivery_id"] == delivery_id]

    def called(self, method, end):
        return [body for seen, path, body in self.calls if seen == method and path.split("?")[0].endswith(end)]

    # --- the answers

    def answer(self, method, path, query, body):
        parts = path.strip("/").split("/")
        if parts == ["v1", "hub"]:
            return 200, {
                "hub": self.name, "version": "0", "now": rfc3339(now()), "store_id": self.store_id,
                "store_created": rfc3339(self.store_created), "sequence": self.sequence, "clusters": ["ccr1"],
            }
        if parts[:2] == ["v1", "resubmissions"]:
            return 200, self.resubmissions[parts[2]]
        if parts[:3] != ["v1", "clusters", "ccr1"]:
            return 404, {"title": "Not Found", "status": 404}
        rest = parts[3:]
        if not rest:
            doubt = sum(1 for line in self.lines if line["state"] == "in_doubt")
            return 200, {
                "cluster": "ccr1", "nodes": self.nodes, "active": self.active, "term": self.term, "kind": "lossy",
                "held": False, "agent_seen": None, "storage_groups": [{"name": "sg1", "in_doubt": doubt}],
            }
        if rest == ["activations"]:
            return self.activate(body)
        if rest == ["recovered"]:
            return 200, {}
        if rest == ["storage-groups", "sg1", "deliveries"]:
            return 200, self.listing(query)
        if rest == ["storage-groups", "sg1", "resubmissions"]:
            return self.resubmit(body)
        return 404, {"title": "Not Found", "status": 404}

    def activate(self, body):
        same = body["term"] == self.term and body["node"] == self.active
        if body["term"] <= self.term and not same:
            return 409, {"title": "Conflict", "status": 409, "active": self.active, "term": self.term}
        self.active, self.term = body["node"], body["term"]
        return 200, {"active": self.active, "term": self.term, "now": rfc3339(now())}

    def listing(self, query):
        wanted = [
            line for line in self.lines
            if line["delivered_at"] >= query["from"] and query.get("state") in (None, line["state"])
        ]
        wanted.sort(key=lambda line: line["delivered_at"])
        end = {
            "covered_from": rfc3339(self.covered_from), "complete": rfc3339(self.covered_from) <= query["from"],
            "store_id": self.store_id, "store_created": rfc3339(self.store_created), "now": rfc3339(now()),
            "count": len(wanted),
        }
        return [*wanted] if self.break_listing else [*wanted, end]

    def resubmit(self, body):
        for known in self.resubmissions.values():
            if known["key"] == body["key"]:
                return 202, known
        if (body["node"], body["term"]) != (self.active, self.term):
            return 409, {"title": "Conflict", "status": 409}
        answer = {
            "id": str(uuid.uuid4()), "key": body["key"], "storage_group": "ccr1/sg1", "state": "completed", "matched": 0,
            "resubmitted": 0, "delivered": 0, "failed": 0, "not_found": [], "covered_from": rfc3339(self.covered_from),
            "complete": True, "created_at": rfc3339(now()),
        }
        for item in body["deliveries"]:
            self.settle(item, answer)
        self.resubmissions[answer["id"]] = answer
        return 202, answer

    def settle(self, item, answer):
        for line in self.lines:
            if line["delivery_id"] != item["delivery_id"] or line["attempt"] != item["attempt"]:
                continue
            for recipient in line["recipients"]:
                answer["matched"] += 1
                taken = item["outcome"] == "present" or self.deliver(line, recipient)
                answer["delivered" if taken else "failed"] += 1
                line["state"] = "delivered" if taken else "failed"
                if taken and item["outcome"] == "deliver":
                    line.update(node=self.active, term=self.term, attempt=line["attempt"] + 1, delivered_at=rfc3339(now()))
            return
        answer["not_found"].append(item["delivery_id"])

    # --- the server

    def __enter__(self):
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                path, _, text = self.path.partition("?")
                from urllib.parse import parse_qsl

                with hub.lock:
                    hub.calls.append((self.command, self.path, body))
                    if self.headers["Authorization"] != f"Bearer {hub.token}":
                        status, answer = 401, {"title": "Unauthorized", "status": 401}
                    else:
                        status, answer = hub.answer(self.command, path, dict(parse_qsl(text)), body)
                rows = answer if isinstance(answer, list) else [answer]
                data = "".join(json.dumps(row) + "\n" for row in rows).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = handle_any

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
