"""`model-router up`: the whole stack on one machine, shown to work by one completion."""

import contextlib
import sys
import time

import click

from cli.embedded_redis import RedisLeftOver, prepare, redis_spec
from cli.environment import read_configuration, read_settings
from cli.execution import raise_file_limit
from cli.flower_password import flower_access
from cli.lock import HomeInUse, home_lock
from cli.ports import port_problems
from cli.probe import Probe
from cli.probe_key import probe_key
from cli.redis_check import redis_problem
from cli.redis_server import NoRedisServer
from cli.signals import StopSignals
from cli.stack import api_url, auxiliary_specs, needs_sandbox, port_needs, sandbox_spec, serving_specs
from cli.supervisor import StartFailed, StopRequested, Supervisor
from cli.welcome import addresses, mode_line, probe_model
from config.configuration import Configuration
from config.settings import Settings

_PROBE_S = 120.0


@click.command(short_help="Start everything on this machine.")
@click.option("--no-probe", is_flag=True, help="Do not send the first completion.")
@click.option("--exit-after-probe", is_flag=True, help="Stop everything after the first answer; for CI.")
def up(no_probe: bool, exit_after_probe: bool) -> None:  # noqa: FBT001 - click passes flags so
    r"""Start everything on this machine, send one completion and stay up until Ctrl-C.

    \b
    Redis     embedded, its data under MODEL_ROUTER_HOME, unless REDIS_URL is set
    sandbox   while no enabled provider has its key
    workers   one for each usable provider, one for webhooks, batches and maintenance
    API       on PORT (3000)
    Flower    on FLOWER_PORT (5555), and the scheduler

    Logs are under MODEL_ROUTER_HOME/logs. What dies is started again. Ctrl-C lets running jobs end; a second one
    does not.
    """
    if no_probe and exit_after_probe:
        raise click.UsageError("--no-probe and --exit-after-probe exclude each other")
    settings = read_settings()
    configuration = read_configuration(settings)
    try:
        with home_lock(settings.home) as lock:
            if problems := port_problems(port_needs(settings, configuration)):
                raise click.ClickException("\n".join(problems))
            raise_file_limit()
            answered = _run(settings, configuration, lock, probe=not no_probe, stay=not exit_after_probe)
    except (HomeInUse, NoRedisServer, RedisLeftOver, StartFailed) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{settings.home}: {error}") from error
    if not answered:
        sys.exit(1)


def _run(settings: Settings, configuration: Configuration, lock: int, *, probe: bool, stay: bool) -> bool:
    """Run the stack until it is told to stop; False where the first completion was the point and failed."""
    begun = time.monotonic()
    logs = settings.home / "logs"
    with StopSignals() as signals:
        supervisor = Supervisor(logs, _say, signals, lock)
        try:
            access = flower_access(settings)
            _start(settings, configuration, supervisor)
            answered = not probe or _send_probe(settings, configuration, supervisor)
            _say(f"\n{addresses(settings, configuration, logs, access)}\n\nUp in {time.monotonic() - begun:.1f} s.")
            if not stay:
                return answered
            supervisor.starting = False
            _say("Ctrl-C stops it.")
            supervisor.wait_for(lambda: False)
        except StopRequested:
            pass
        finally:
            _say("\nStopping; Ctrl-C again does not wait for running jobs.")
            supervisor.stop()
            _say("Stopped.")
    return True


def _start(settings: Settings, configuration: Configuration, supervisor: Supervisor) -> None:
    _say(mode_line(configuration))
    if settings.redis_url is None:
        supervisor.start(redis_spec(prepare(settings.home), settings.child_environment()))
    elif (problem := redis_problem(settings.redis_url)) is not None:
        raise StartFailed(f"REDIS_URL: {problem}")
    if needs_sandbox(settings, configuration):
        supervisor.start(sandbox_spec(settings))
    if settings.redis_url is None:
        supervisor.wait_ready(["redis"], timeout_s=600.0)
    serving = serving_specs(settings, configuration)
    for spec in serving:
        supervisor.start(spec)
    supervisor.wait_ready(supervisor.names())
    for spec in auxiliary_specs(settings):
        supervisor.start(spec)


def _send_probe(settings: Settings, configuration: Configuration, supervisor: Supervisor) -> bool:
    key = probe_key(configuration, settings)
    if key is None:
        _say(
            "\nNo tenant's file has a key that works here (demo keys work only in the sandbox). Make one:\n\n"
            "  model-router keys create --tenant default"
        )
        return False
    under_way = Probe(api_url(settings), key, model=probe_model(configuration), timeout_s=_PROBE_S)
    supervisor.wait_for(lambda: under_way.answer is not None)
    answer = under_way.answer
    assert answer is not None
    if answer.error is not None:
        _say(f"\nThe first completion failed: {answer.error}")
        return False
    _say(f"\nThe first completion, through the queue:\n\n  {answer.text}\n\n  {answer.route_line()}")
    return True


def _say(line: str) -> None:
    # A terminal that is gone must not keep the stack from being stopped in order.
    with contextlib.suppress(OSError):
        click.echo(line)
