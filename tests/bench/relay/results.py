"""Results as a file: what was measured, when, and on which machine."""

import datetime
import os
import platform


def write_results(path, title, heading, lines, command):
    when = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}"
    text = "\n".join(lines).rstrip()
    path.write_text(f"# {title}\n\n{heading}; {when}; {machine}. Written by `{command}`.\n\n{text}\n")
