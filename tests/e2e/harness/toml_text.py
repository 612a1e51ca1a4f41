"""Writes TOML from dictionaries: enough for configurations."""

import json


def _value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return json.dumps(str(value), ensure_ascii=False)


def _is_tables(value):
    return isinstance(value, list) and value and all(isinstance(item, dict) for item in value)


def toml_text(table, path=()):
    lines, tables = [], []
    for key, value in table.items():
        if isinstance(value, dict) or _is_tables(value):
            tables.append((key, value))
        else:
            lines.append(f"{key} = {_value(value)}\n")
    for key, value in tables:
        name = ".".join((*path, key))
        for item in value if isinstance(value, list) else [value]:
            heading = f"[[{name}]]" if isinstance(value, list) else f"[{name}]"
            lines.append(f"\n{heading}\n{toml_text(item, (*path, key))}")
    return "".join(lines)
