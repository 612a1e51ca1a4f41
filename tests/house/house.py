"""What the checks of the house share: the sources, a little C++ reading, and how a check is run.

A check is a function from the sources, a dict of path (relative to the project) to text, to a list of faults. Each
check brings examples of sources with the number of faults in them: a check that cannot fail is worth nothing.
"""

import argparse
import pathlib
import re
import sys

OUR_FOLDERS = ("metrics", "dumpster", "relay", "recovery", "tests", "deploy")
SKIPPED_FOLDERS = {"build", ".git", ".cache", "__pycache__"}


def sources(root, wanted):
    """All files below `root` for whose relative path `wanted` is true, as {path: text}. What is not text is left out."""
    found = {}
    for path in sorted(pathlib.Path(root).rglob("*")):
        relative = path.relative_to(root)
        if SKIPPED_FOLDERS & set(relative.parts) or path.is_symlink() or not path.is_file():
            continue
        if not wanted(relative.as_posix()):
            continue
        try:
            found[relative.as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


def is_cpp(path):
    return path.endswith((".cpp", ".hpp")) and path.split("/")[0] in OUR_FOLDERS


_CPP_TRIVIA = re.compile(
    r'(?P<raw>R"(?P<delimiter>[^\s()\\]{0,16})\(.*?\)(?P=delimiter)")'
    r'|(?P<string>"(?:\\.|[^"\\\n])*")'
    r"|(?P<character>(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+')"
    r"|(?P<comment>//[^\n]*|/\*.*?\*/)",
    re.DOTALL,
)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments(text, keep_strings=True):
    """`text` with comments, and strings where wanted, replaced by blanks: every line keeps its number."""

    def replacement(match):
        if match.group("comment"):
            return _blank(match.group())
        if keep_strings:
            return match.group()
        return '"' + _blank(match.group()[1:-1]) + '"'

    return _CPP_TRIVIA.sub(replacement, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def _self_test(check, examples):
    failures = []
    for name, files, expected in examples:
        faults = check(files)
        if len(faults) != expected:
            failures.append(f"{name}: {expected} faults expected, found {faults}")
    for failure in failures:
        print(failure)
    print(f"{len(examples)} examples, {len(failures)} judged wrongly")
    return 1 if failures or not examples else 0


def run(check, wanted, examples):
    """The main of a check: looks at the project, or with --self-test at the examples."""
    parser = argparse.ArgumentParser(description=check.__doc__)
    parser.add_argument("root", nargs="?", default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        sys.exit(_self_test(check, examples))
    files = sources(arguments.root, wanted)
    if not files:
        sys.exit(f"no sources below {arguments.root}")
    faults = check(files)
    for fault in faults:
        print(fault)
    print(f"{len(files)} files, {len(faults)} faults")
    sys.exit(1 if faults else 0)
