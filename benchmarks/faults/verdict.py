"""What a run has come to, and whether that is what was promised. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# Calls to providers that answered nothing, or what was answered already, may be this part of all lines.
MOST_WASTED = 0.01


@dataclass(frozen=True, slots=True)
class Result:
    """What was found when everything had ended."""

    lines: int
    status: str
    request_counts: Mapping[str, int]
    # `custom_id` of each line of the output.
    answered: Sequence[str]
    # Calls that reached providers; jobs beside the batch.
    calls: int
    jobs: Sequence[str]
    refused: Sequence[str]
    # Deliveries by what they tell of: jobs, and the batch.
    webhooks: Mapping[str, int]
    batch_id: str
    # Jobs and lines that still stand in the schedule.
    left: int

    @property
    def wasted(self) -> int:
        """Calls beyond one for each line and job."""
        return self.calls - self.lines - len(self.jobs)


def problems(result: Result) -> list[str]:
    """What was not met, in words; empty: all of it was."""
    found = [
        *_lines(result),
        *(f"a job was refused: {words}" for words in result.refused[:5]),
        *_missing("webhooks", [*result.jobs, result.batch_id], result.webhooks),
    ]
    if result.wasted >= MOST_WASTED * result.lines:
        found.append(f"{result.wasted} calls were wasted, {result.wasted / result.lines:.2%} of the lines")
    if result.left:
        found.append(f"{result.left} jobs are left in the schedule")
    return found


def _lines(result: Result) -> Iterable[str]:
    whole = {"total": result.lines, "completed": result.lines, "failed": 0}
    if result.status != "completed" or dict(result.request_counts) != whole:
        yield f"the batch is {result.status} with {dict(result.request_counts)}"
    counts = Counter(result.answered)
    if twice := [name for name, count in counts.items() if count > 1]:
        yield f"{len(twice)} lines were answered more than once, such as {twice[0]}"
    yield from _missing("lines", [f"line-{number}" for number in range(result.lines)], counts)


def _missing(what: str, wanted: Sequence[str], found: Mapping[str, int]) -> Iterable[str]:
    if missing := [name for name in wanted if not found.get(name)]:
        yield f"{len(missing)} {what} are missing, such as {missing[0]}"
