"""`model-router webhooks`: a receiver on this machine that verifies webhooks and prints them."""

import sys

import click

from cli.client import ApiError, connect


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
    "--api-key",
    "--key",
    "key",
    envvar=("MODEL_ROUTER_API_KEY", "MODEL_ROUTER_KEY"),
    help="The API key to ask with; $MODEL_ROUTER_API_KEY, or in the sandbox a shipped one.",
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

    known = secrets or _tenant_secrets(key)
    for secret in known:
        if not is_secret(secret):
            raise click.ClickException("a secret is `whsec_` and base64, as GET /v1/webhooks/secret shows it")
    try:
        listener = Listener(port, known, printer(as_json=as_json or not sys.stdout.isatty()))
    except OSError as error:
        raise click.ClickException(f"cannot listen on port {port}: {error.strerror or error}") from error
    click.echo(f"Listening: use {listener.url} as webhook_url. Ctrl-C ends it.", err=True)
    listener.run()


def _tenant_secrets(key: str | None) -> tuple[str, ...]:
    """The tenant's secret as the running API shows it, and those before it that are valid yet."""
    try:
        with connect(None, key) as client:
            told = client.get("/v1/webhooks/secret")
    except ApiError as error:
        raise ApiError(f"{error.message}; or give --secret") from error
    return (told["secret"], *(older["secret"] for older in told["previous"]))
