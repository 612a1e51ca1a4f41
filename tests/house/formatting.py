"""All C++ is formatted by clang-format 14 with the project's .clang-format."""

import pathlib
import shutil
import subprocess
import sys

import house

PROGRAMS = ("clang-format-14", "clang-format")


def program():
    for name in PROGRAMS:
        path = shutil.which(name)
        if path and "version 14." in subprocess.run([path, "--version"], capture_output=True, text=True).stdout:
            return path
    sys.exit("clang-format 14 is not installed")


def style():
    return pathlib.Path(__file__).resolve().parents[2] / ".clang-format"


def check(files):
    """All C++ is formatted."""
    command = [program(), f"--style=file:{style()}"]
    faults = []
    for path, text in files.items():
        formatted = subprocess.run(
            [*command, f"--assume-filename={path}"], input=text, capture_output=True, text=True, check=True
        ).stdout
        if formatted != text:
            pairs = zip(text.split("\n"), formatted.split("\n"))
            line = next((number for number, (is_, should) in enumerate(pairs, 1) if is_ != should), 1)
            faults.append(f"{path}:{line}: run clang-format-14 -i {path}")
    return faults


EXAMPLES = (
    ("formatted", {"a.cpp": "int f(int x) {\n  return x;\n}\n"}, 0),
    ("not formatted", {"a.cpp": "int  f( int x ){ return x; }\n"}, 1),
)

if __name__ == "__main__":
    house.run(check, house.is_cpp, EXAMPLES)
