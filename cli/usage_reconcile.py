"""`model-router usage reconcile`: whether what was counted is what the records of jobs say; and putting it right."""

from typing import TYPE_CHECKING, Any

import click

from cli.environment import read_settings
from cli.ledger import open_ledger
from cli.output import Output, json_option
from cli.progress import Progress

if TYPE_CHECKING:
    from workers.usage.reconciliation import Difference, Report

_DIFFERENT, _NOT_JUDGED = 1, 3


@click.command(short_help="Compare what was counted with the records; --fix it.")
@click.option("--fix", is_flag=True, help="Write what the records say.")
@json_option
def reconcile(*, fix: bool, as_json: bool) -> None:
    """Compare what was counted as used with what the records of jobs say, for each tenant and day.

    Only days of which all records are kept yet (MODEL_ROUTER_RETENTION_S) can be judged. Jobs may go on meanwhile.
    Exits 0 where there is no difference, or none any more, 1 where there is one, 3 where no day could be judged.
    """
    from workers.usage.reconciliation import NotCompared  # noqa: PLC0415

    settings = read_settings()
    with open_ledger(settings) as ledger:
        try:
            with Progress("records looked at") as progress:
                comparison = ledger.reconciliation(progress.at)
                report = comparison.compare()
            for difference in report.differences if fix else ():
                comparison.fix(difference)
        except NotCompared as error:
            raise click.ClickException(str(error)) from error
    Output(as_json=as_json).show(_as_object(report, fixed=fix), lambda: "\n".join(_lines(report, fixed=fix)))
    if report.differences and not fix:
        raise click.exceptions.Exit(_DIFFERENT)
    if not report.judged:
        raise click.exceptions.Exit(_NOT_JUDGED)


def _as_object(report: "Report", *, fixed: bool) -> dict[str, Any]:
    return {
        "records": report.records,
        "days": list(report.judged),
        "compared": [
            {"tenant": tenant, "day": day, "counted": figures.as_object()}
            for (tenant, day), figures in report.compared.items()
        ],
        "differences": [_difference_object(difference) for difference in report.differences],
        "not_judged": [{"day": day, "why": why} for day, why in report.unjudged.items()],
        "fixed": fixed and bool(report.differences),
    }


def _difference_object(difference: "Difference") -> dict[str, Any]:
    return {
        "tenant": difference.tenant,
        "day": difference.day,
        "counted": difference.counted.as_object(),
        "ledger": difference.ledger.as_object(),
        "difference": difference.figures.as_object(),
        "series": [
            {"key": series.key, "deployment": series.deployment, "difference": figures.as_object()}
            for series, figures in difference.series.items()
        ],
        "totals": dict(difference.totals),
    }


def _lines(report: "Report", *, fixed: bool) -> list[str]:
    lines = []
    for difference in report.differences:
        lines.append(f"{difference.day}  {difference.tenant}: {'put right' if fixed else 'differs'}")
        for series, figures in difference.series.items():
            told = ", ".join(f"{name} {amount:+}" for name, amount in figures.named().items() if amount)
            lines.append(f"  {series.name}: the ledger has {told}")
        told = ", ".join(f"{name} {amount:+}" for name, amount in difference.totals.items() if amount)
        if told:
            lines.append(f"  total of the day: the ledger has {told}")
    days = ", ".join(report.judged) or "no day"
    same = len(report.compared) - len(report.differences)
    lines.append(
        f"{report.records:,} records; {days} judged: {same} of {len(report.compared)} accounts without a difference"
    )
    lines += [f"{day} cannot be judged: {why}" for day, why in report.unjudged.items()]
    return lines
