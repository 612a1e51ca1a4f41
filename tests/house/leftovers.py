"""Nothing unfinished and nothing of one machine stays in the project."""

import re

import house

# Written in parts, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b")
MACHINE = re.compile(r"(?<![\w}/.$\"'-])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me|tm" + r"p/wt|tm" + r"p/team)/\w")
SUFFIXES = (".cpp", ".hpp", ".py", ".sh", ".cmake", ".txt", ".md", ".toml", ".service", ".json", ".example", ".yml")


def wanted(path):
    return path.endswith(SUFFIXES) or "." not in path.split("/")[-1]


def check(files):
    """Nothing unfinished stays."""
    faults = []
    for path, text in files.items():
        for pattern, what in ((UNFINISHED, "unfinished"), (MACHINE, "a path of one machine")):
            for match in pattern.finditer(text):
                faults.append(f"{path}:{house.line_of(text, match.start())}: {what}: {match.group()}")
    return faults


EXAMPLES = (
    ("clean", {"a.cpp": "// The mailbox todolist is fine, /var/lib/dumpsterd too; {base}/ho" + "me/user as well.\n"}, 0),
    ("unfinished", {"a.cpp": "// TO" + "DO: later\n", "b.md": "FIX" + "ME\n"}, 2),
    ("a machine's path", {"a.md": "see /wo" + "rk/notes and `/ro" + "ot/x`\n"}, 2),
)

if __name__ == "__main__":
    house.run(check, wanted, EXAMPLES)
