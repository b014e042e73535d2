"""What `up` prints once the stack answers: where everything is, and a line to paste."""

import json
import shlex
from pathlib import Path

from cli.flower_password import USER, FlowerAccess
from cli.probe import MODEL, request_body
from cli.probe_key import probe_key
from cli.stack import api_url, flower_url
from config.configuration import Configuration
from config.demo_keys import DEMO_KEYS
from config.settings import Settings


def probe_model(configuration: Configuration) -> str:
    """The model the first completion asks for: the usual one where this configuration has it."""
    return MODEL if MODEL in configuration.aliases else next(iter(configuration.aliases), MODEL)


def mode_line(configuration: Configuration) -> str:
    """Which providers will answer."""
    usable = sorted(provider.name for provider in configuration.providers.values() if provider.usable)
    if not configuration.sandbox:
        own = sorted(row.name for row in configuration.providers.values() if row.is_called and not row.usable)
        waiting = f"; for tenants with keys of their own: {', '.join(own)}" if own else ""
        return f"Providers: {', '.join(usable) or 'none with a shared key'}{waiting}"
    variables = sorted({name for row in configuration.providers.values() if row.enabled for name in row.key_variables})
    return f"Sandbox: answers are made up, because none of these is set: {', '.join(variables)}"


def addresses(settings: Settings, configuration: Configuration, logs: Path, access: FlowerAccess) -> str:
    """Where things are, and a curl line. A password that was made just now is shown, this once."""
    return "\n".join(
        (
            f"API     {api_url(settings)}",
            f"Flower  {flower_url(settings)}{_flower_access(access)}",
            f"Logs    {logs}",
            "",
            "Try it:",
            f"  {curl_line(settings, configuration)}",
        )
    )


def _flower_access(access: FlowerAccess) -> str:
    if access.file is None:
        return ""
    if access.made:
        return f"  user {USER}, password {access.basic_auth.partition(':')[2]} (kept in {access.file})"
    return f"  user {USER}, password in {access.file}"


def curl_line(settings: Settings, configuration: Configuration) -> str:
    """A request to paste. A key is shown only where it is a demonstration's; a real one stays in $MODEL_ROUTER_KEY."""
    key = probe_key(configuration, settings)
    shown = key if key and (configuration.sandbox or key in DEMO_KEYS) else "$MODEL_ROUTER_KEY"
    body = json.dumps(request_body(probe_model(configuration), "Hello!"))
    return (
        f"curl {api_url(settings)}/v1/chat/completions -H {_quoted(f'Authorization: Bearer {shown}')} "
        f"-H {_quoted('Content-Type: application/json')} -d {shlex.quote(body)}"
    )


def _quoted(header: str) -> str:
    # Double quotes, so that the shell puts $MODEL_ROUTER_KEY in.
    return f'"{header}"'
