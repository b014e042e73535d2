"""`model-router webhooks`: a receiver on this machine that verifies webhooks and prints them."""

import http.client
import json
import sys
import urllib.error
import urllib.request

import click

from cli.api_call import error_message
from cli.environment import read_configuration, read_settings
from cli.stack import api_url
from cli.welcome import probe_key
from config.settings import Settings

_TIMEOUT_S = 10.0


@click.group(short_help="Receive webhooks on this machine, to look at them.")
def webhooks() -> None:
    r"""Webhooks, while you write what receives them.

    \b
    model-router webhooks listen
    model-router webhooks listen --port 4000 --secret whsec_...
    """


@webhooks.command()
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=4242, show_default=True, help="Listen here; 0: anywhere."
)
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    envvar="MODEL_ROUTER_WEBHOOK_SECRET",
    help="A secret to verify with, `whsec_...`; may be repeated. Left out: the running API is asked for the tenant's.",
)
@click.option(
    "--key",
    envvar="MODEL_ROUTER_KEY",
    help="The API key to ask with; $MODEL_ROUTER_KEY, or in the sandbox a shipped one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON on a terminal, too.")
def listen(port: int, secrets: tuple[str, ...], key: str | None, *, as_json: bool) -> None:
    """Listen on 127.0.0.1, verify what comes as Standard Webhooks says, and print each event until Ctrl-C.

    Give the URL that is printed as `webhook_url`, or create an endpoint with it (and then give its secret). What does
    not verify is printed as such, and answered 401. Coloured text on a terminal; in a pipe a line of JSON for each.
    """
    # Loaded here, so that --help stays quick.
    from cli.webhook_listener import Listener  # noqa: PLC0415
    from cli.webhook_printing import printer  # noqa: PLC0415
    from workers.signature import is_secret  # noqa: PLC0415

    known = secrets or _tenant_secrets(read_settings(), key)
    for secret in known:
        if not is_secret(secret):
            raise click.ClickException("a secret is `whsec_` and base64, as GET /v1/webhooks/secret shows it")
    try:
        listener = Listener(port, known, printer(as_json=as_json or not sys.stdout.isatty()))
    except OSError as error:
        raise click.ClickException(f"cannot listen on port {port}: {error.strerror or error}") from error
    click.echo(f"Listening: use {listener.url} as webhook_url. Ctrl-C ends it.", err=True)
    listener.run()


def _tenant_secrets(settings: Settings, key: str | None) -> tuple[str, ...]:
    """The tenant's secret as the running API shows it, and those before it that are valid yet."""
    url = api_url(settings)
    request = urllib.request.Request(  # noqa: S310 - a URL we built, http
        f"{url}/v1/webhooks/secret", headers={"Authorization": f"Bearer {key or _sandbox_key(settings)}"}
    )
    # The API is on this machine: a proxy of the environment has no part in it.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=_TIMEOUT_S) as response:
            told = json.load(response)
    except urllib.error.HTTPError as error:
        raise click.ClickException(error_message(error.read()) or f"the API answered HTTP {error.code}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        message = f"the API at {url} does not answer: {error}; is it running? Or give --secret"
        raise click.ClickException(message) from error
    return (told["secret"], *(older["secret"] for older in told["previous"]))


def _sandbox_key(settings: Settings) -> str:
    configuration = read_configuration(settings)
    key = probe_key(configuration) if configuration.sandbox else None
    if key is None:
        raise click.ClickException("a secret is needed: give --secret, or --key to ask the running API for it")
    return key
