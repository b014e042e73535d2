"""`model-router export`: the ledger's finished jobs as a trace, for `replay` and for anybody's own questions."""

import sys

import click

from cli.environment import read_configuration, read_settings
from cli.moment import Moment
from cli.progress import Progress
from config.settings import SettingError


@click.command(short_help="Print the finished jobs as a trace: figures, no texts.")
@click.option("--since", type=Moment(), help="Only jobs accepted since: 90s, 30m, 2h, 7d ago, or an ISO 8601 time.")
@click.option("--limit", type=click.IntRange(1), help="At most so many jobs, whichever come first.")
@click.option("--tenant", help="Only this tenant's jobs.")
def export(since: float | None, limit: int | None, tenant: str | None) -> None:
    r"""Print every finished job the ledger still has, a line of JSON each, in no order.

    A line says how the job was asked, planned and attempted, in figures and names: no prompt, no answer, no error
    text and no key is in it. docs/routing.md describes its form.

    \b
    model-router export --since 24h > trace.jsonl
    """
    # What only this command needs of workers is loaded when it runs, so that --help stays quick.
    import redis  # noqa: PLC0415

    from workers import redis_client  # noqa: PLC0415
    from workers.ledger.export import Selection, finished_jobs  # noqa: PLC0415

    settings = read_settings()
    providers = frozenset(name.lower() for name in read_configuration(settings).providers)
    try:
        with redis_client.connect(settings.resolve_redis_url()) as client, Progress("records looked at") as progress:
            wanted = Selection(tenant, since, limit)
            for job in finished_jobs(client, settings.key_prefix, wanted, providers, progress.at):
                sys.stdout.write(job.to_line() + "\n")
            sys.stdout.flush()
    except SettingError as error:
        raise click.ClickException(str(error)) from error
    except redis.RedisError as error:
        raise click.ClickException("Redis is not available; what was printed is not all") from error
