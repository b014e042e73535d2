"""What commands print: tables, colours and bars on a terminal, plain JSON in a pipe or where it is asked for."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

# The colour of a status, of a job and of a batch.
_STYLES = {
    "completed": "green",
    "failed": "bold red",
    "lost": "bold red",
    "expired": "yellow",
    "cancelled": "dim",
    "cancelling": "dim",
    "in_progress": "cyan",
    "finalizing": "cyan",
    "validating": "cyan",
}

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on a terminal, too.")


class Output:
    """Where a command prints; `as_json` is what `json_option` was given."""

    def __init__(self, *, as_json: bool = False) -> None:
        # Whether JSON is wanted: for a program, or for somebody who said so.
        self.plain = as_json or not sys.stdout.isatty()

    def show(self, value: Any, drawn: "Callable[[], RenderableType]") -> None:
        """Print `value` as JSON, or on a terminal what `drawn` makes of it; a str is printed line by line as it is."""
        if self.plain:
            click.echo(json.dumps(value, indent=2))
            return
        picture = drawn()
        if isinstance(picture, str):
            click.echo(printable(picture))
            return
        # Loaded when something is drawn, so that --help and pipes stay quick.
        from rich.console import Console  # noqa: PLC0415

        Console(highlight=False).print(picture)

    def note(self, text: str) -> None:
        """A line beside the output, on stderr."""
        click.echo(printable(text), err=True)

    @contextmanager
    def bar(self, what: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """A progress bar with rate and time left, on stderr where that is a terminal.

        Yields what is told how many of `total` are done.
        """
        if not sys.stderr.isatty():
            yield lambda _: None
            return
        from rich import progress  # noqa: PLC0415
        from rich.console import Console  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        class RateColumn(progress.ProgressColumn):
            """How many are done in a second, of late."""

            def render(self, task: progress.Task) -> Text:
                rate = task.finished_speed or task.speed
                return Text("" if rate is None else f"{rate:,.0f}/s", style="progress.data.speed")

        columns = (
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TaskProgressColumn(),
            RateColumn(),
            progress.TimeRemainingColumn(),
        )
        with progress.Progress(*columns, console=Console(stderr=True), transient=True) as shown:
            task = shown.add_task(what, total=total)
            yield lambda done: shown.update(task, completed=done)


def table(titles: Sequence[str], rows: "Iterable[Sequence[str | Text]]") -> "Table":
    """A table without lines. Cells are text as it is, never markup; one may be a Text with a style of its own.

    The first column is whole on the narrowest terminal: it is what is copied.
    """
    from rich.table import Column, Table  # noqa: PLC0415

    cells = [[styled(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    widest = max((row[0].cell_len for row in cells), default=0)
    first = Column(titles[0], no_wrap=True, min_width=widest)
    drawn = Table(first, *titles[1:], box=None, pad_edge=False, header_style="bold")
    for row in cells:
        drawn.add_row(*row)
    return drawn


def styled(text: str, style: str = "") -> "Text":
    """A text with one style. What comes from a provider cannot steer the terminal."""
    from rich.text import Text  # noqa: PLC0415

    return Text(printable(text), style=style)


def status_text(status: str) -> "Text":
    """A status in its colour."""
    return styled(status, _STYLES.get(status, ""))


def printable(text: str) -> str:
    """`text` with a question mark for each character that is a command to a terminal."""
    return "".join(character if character.isprintable() or character == "\n" else "?" for character in text)


def ago(moment_s: float | None) -> str:
    """How long ago Unix second `moment_s` was, in one unit; a dash for None."""
    return "-" if moment_s is None else f"{duration(max(time.time() - moment_s, 0))} ago"


def clock(moment_s: float | None) -> str:
    """A Unix second as local date and time with ms; a dash for None."""
    if moment_s is None:
        return "-"
    return datetime.fromtimestamp(moment_s).astimezone().isoformat(sep=" ", timespec="milliseconds")


def duration(seconds: float) -> str:
    """Seconds in the unit that fits: 12 ms, 3.4 s, 5 min, 2 h, 3 d."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 90:
        return f"{seconds:.1f} s"
    for unit, length in (("d", 86_400), ("h", 3600)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 60:.0f} min"
