"""Files stay small and end clean: length, blanks at line ends, the last newline."""

import house

LONGEST = 400
CODE = (".cpp", ".hpp", ".py", ".sh", ".cmake", "CMakeLists.txt", ".toml", ".service")


def wanted(path):
    return path.split("/")[0] in house.OUR_FOLDERS and (path.endswith(CODE) or "." not in path.split("/")[-1])


def check(files):
    """Files stay small and end clean."""
    faults = []
    for path, text in files.items():
        lines = text.split("\n")
        if len(lines) - 1 > LONGEST:
            faults.append(f"{path}: {len(lines) - 1} lines, {LONGEST} are allowed")
        faults += [f"{path}:{number}: blanks at the end" for number, line in enumerate(lines, 1) if line != line.rstrip()]
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            faults.append(f"{path}: does not end with one newline")
    return faults


EXAMPLES = (
    ("400 lines", {"a.cpp": "x\n" * LONGEST}, 0),
    ("401 lines", {"a.cpp": "x\n" * (LONGEST + 1)}, 1),
    ("a blank at a line's end", {"a.cpp": "x \ny\n"}, 1),
    ("no newline at the end", {"a.cpp": "x"}, 1),
    ("two newlines at the end", {"a.cpp": "x\n\n"}, 1),
    ("an empty file", {"a.cpp": ""}, 0),
)

if __name__ == "__main__":
    house.run(check, wanted, EXAMPLES)
