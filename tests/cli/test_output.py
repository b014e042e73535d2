"""What commands print: for programs in a pipe, for people on a terminal."""

import json
import os
import pty
import subprocess
import sys

import pytest

from cli.output import ago, clock, duration, printable
from tests.cli.conftest import ROOT

SHOWN = """
from cli.output import Output, status_text, table
Output(as_json={as_json}).show(
    {{"id": "[red]a[/red]"}}, lambda: table(("id", "status"), [("[red]a[/red]\\x1b[2J", status_text("failed"))])
)
"""


def terminal_output(code):
    """What a program prints where its output is a terminal."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=slave, env=environment) as process:
        os.close(slave)
        seen = b""
        while True:
            try:
                part = os.read(master, 4096)
            except OSError:
                break
            if not part:
                break
            seen += part
        assert process.wait(timeout=20) == 0
    os.close(master)
    return seen.decode()


def test_a_pipe_gets_json():
    """Whoever is no terminal gets the value itself."""
    shown = subprocess.run(
        [sys.executable, "-c", SHOWN.format(as_json=False)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(shown.stdout) == {"id": "[red]a[/red]"}


def test_a_terminal_gets_a_table_in_colours():
    """People get a table; what stands in a cell is neither markup nor a command to the terminal."""
    shown = terminal_output(SHOWN.format(as_json=False))
    assert "[red]a[/red]?[2J" in shown
    assert "\x1b[1;31mfailed" in shown
    assert "{" not in shown


def test_a_terminal_gets_json_where_it_is_asked_for():
    """`--json` holds on a terminal, too."""
    assert json.loads(terminal_output(SHOWN.format(as_json=True))) == {"id": "[red]a[/red]"}


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.0123, "12 ms"), (3.44, "3.4 s"), (89.0, "89.0 s"), (300, "5 min"), (7200, "2 h"), (172_800, "2 d")],
)
def test_a_duration_is_told_in_its_unit(seconds, told):
    """A figure and the unit that fits."""
    assert duration(seconds) == told


def test_what_is_not_known_is_a_dash():
    """A time that has not come is none."""
    assert (ago(None), clock(None)) == ("-", "-")


def test_line_ends_stay_and_commands_do_not():
    """Only what would steer a terminal is replaced."""
    assert printable("a\nb\x1b[31mé\r") == "a\nb?[31mé?"
