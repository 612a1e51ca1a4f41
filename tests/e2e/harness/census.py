"""Who has what: the accepted mail against the copies in the mailboxes."""

import dataclasses


@dataclasses.dataclass
class Census:
    """Mail is counted per mailbox: (mailbox, message id)."""

    accepted: set  # answered with 250 by the hub
    lost: set  # of these: acknowledged by the old active node, and not on the new one before the refill
    resubmitted: int  # as the hub counted
    missing: set  # accepted and not in the mailbox
    duplicated: dict  # more than one copy: number of copies

    @property
    def exact(self):
        return not self.missing and not self.duplicated

    def table(self):
        rows = (
            ("accepted by the hub", len(self.accepted)),
            ("lost with the old node", len(self.lost)),
            ("resubmitted", self.resubmitted),
            ("missing", len(self.missing)),
            ("duplicated", len(self.duplicated)),
        )
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"  {name:<{width}}  {number:>6}" for name, number in rows)

    def details(self, limit=10):
        return (
            f"missing: {sorted(self.missing)[:limit]}\nduplicated: {sorted(self.duplicated.items())[:limit]}\n{self.table()}"
        )


def census(accepted, copies, lost=(), resubmitted=0):
    """`copies` counts (mailbox, message id) as found in the end."""
    accepted = set(accepted)
    return Census(
        accepted=accepted,
        lost=set(lost),
        resubmitted=int(resubmitted),
        missing={mail for mail in accepted if not copies.get(mail)},
        duplicated={mail: number for mail, number in copies.items() if number > 1},
    )


def acknowledged_by(api, cluster, group, node):
    """(mailbox, message id) that the hub holds as delivered by `node`."""
    lines, _ = api.deliveries(cluster, group)
    found = set()
    for line in lines:
        if line["node"] == node and line["state"] in ("delivered", "absent"):
            found |= {(recipient["mailbox"], line["message_id"]) for recipient in line["recipients"]}
    return found
