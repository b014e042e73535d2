"""The table of what limits cost, and the goals. Pure."""

from benchmarks.limits.cost import Found
from benchmarks.report import table

GOAL_CPU_US, GOAL_TRIPS = 300.0, 0.0


def report(found: Found) -> str:
    """The table, and the goal lines."""
    limited, unlimited = found.limited, found.unlimited
    rows = [["a request", "no limit", "every limit, and a budget, of tenant and key", "more"]]
    for what, name in (
        ("accepting its job: CPU µs in the API", "submit_us"),
        ("accepting its job: µs in Redis", "redis_submit_us"),
        ("its end: µs in Redis", "redis_finish_us"),
        ("round trips to accept it", "round_trips"),
    ):
        pair = getattr(unlimited, name), getattr(limited, name)
        rows.append([what, *(f"{figure:.1f}" for figure in (*pair, pair[1] - pair[0]))])
    rows.append(["finding its key: CPU µs in the API", "", "", f"{found.authenticate_us:.1f}"])
    rows.append(["telling how limits stand: CPU µs in the API", "", "", f"{found.headers_us:.1f}"])
    return "\n".join([table(rows), *goals(found)])


def goals(found: Found) -> list[str]:
    """Whether each is reached, in a line."""
    cpu, trips = (_verdict(reached=good) for good in (_cheap(found), _direct(found)))
    return [
        f"goal CPU of authentication, limits and budget < {GOAL_CPU_US:.0f} µs: {found.cpu_us:.1f} µs: {cpu}",
        f"goal no further round trip: {found.round_trips:.2f}: {trips}",
    ]


def reached(found: Found) -> bool:
    """Whether all goals are."""
    return _cheap(found) and _direct(found)


def _cheap(found: Found) -> bool:
    return found.cpu_us < GOAL_CPU_US


def _direct(found: Found) -> bool:
    return found.round_trips <= GOAL_TRIPS


def _verdict(*, reached: bool) -> str:
    return "reached" if reached else "NOT reached"
