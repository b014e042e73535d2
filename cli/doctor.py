"""`model-router doctor`: what is configured, reachable and missing. Never prints a key."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby

import click

from cli.diagnosis import Finding, Verdict, diagnose
from config.configuration import ConfigurationError
from config.loader import load
from config.settings import SettingError, Settings


@click.command(short_help="Say what is configured, reachable and missing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def doctor(as_json: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Say what is configured, reachable and missing, provider by provider.

    Exits 1 when something needed is missing, and says what to do. Keys are never printed.
    """
    findings = _findings()
    well = all(finding.verdict is not Verdict.PROBLEM for finding in findings)
    if as_json:
        click.echo(json.dumps({"ok": well, "findings": [asdict(finding) for finding in findings]}, indent=2))
    else:
        click.echo(_as_text(findings))
    sys.exit(0 if well else 1)


def _findings() -> list[Finding]:
    try:
        settings = Settings.from_environment()
    except SettingError as error:
        return [Finding("settings", "environment", Verdict.PROBLEM, str(error), "correct the variable")]
    try:
        configuration = load(settings)
    except ConfigurationError as error:
        return [Finding("configuration", "files", Verdict.PROBLEM, str(error), "correct the file")]
    return diagnose(settings, configuration)


def _as_text(findings: Sequence[Finding]) -> str:
    width = max(len(finding.subject) for finding in findings)
    lines = []
    for area, group in groupby(findings, key=lambda finding: finding.area):
        lines.append(area)
        for finding in group:
            lines.append(f"  {finding.verdict:<8} {finding.subject:<{width}}  {finding.detail}")
            if finding.remedy:
                lines.append(f"  {'':<8} {'':<{width}}  -> {finding.remedy}")
    problems = sum(finding.verdict is Verdict.PROBLEM for finding in findings)
    lines.append(
        f"\n{problems} problem{'s' if problems != 1 else ''}." if problems else "\nAll that is needed is there."
    )
    return "\n".join(lines)
