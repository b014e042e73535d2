"""A command as people see it: with a terminal for its output."""

import os
import pty
import re


def on_a_terminal(command, *arguments, columns="240"):
    """What `command` prints where its output is a terminal, by lines, and how it ended."""
    leader, follower = pty.openpty()
    try:
        done = command(*arguments, stdout=follower, environment={"COLUMNS": columns, "TERM": "xterm"})
        return re.sub(r"\x1b\[[0-9;]*m", "", os.read(leader, 1 << 16).decode()).splitlines(), done
    finally:
        os.close(leader)
        os.close(follower)
