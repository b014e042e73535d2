"""What `doctor` finds: configuration, Redis, ports, each provider and its last check. No finding ever holds a key."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

import redis

from cli.endpoint import reach, shown_endpoint
from cli.key_diagnosis import key_facts
from cli.lock import home_is_locked
from cli.ports import port_problems
from cli.redis_check import read_checks, read_facts, shown
from cli.redis_server import NoRedisServer, find_server
from cli.stack import needs_sandbox, port_needs
from config.configuration import Configuration
from config.provider import ProviderConfig
from config.secret import file_of, is_named
from config.settings import SettingError, Settings
from routing.check import CheckStatus


class Verdict(StrEnum):
    """How a finding counts: only a problem makes `doctor` fail."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at, and what to do where it is not well."""

    area: str
    subject: str
    verdict: Verdict
    detail: str
    remedy: str | None = None


def diagnose(settings: Settings, configuration: Configuration) -> list[Finding]:
    """Look at everything once; takes a few seconds at most."""
    running = home_is_locked(settings.home)
    return [
        _configuration(settings, configuration),
        *_keys(settings, configuration),
        *_redis(settings, running=running),
        *_ports(settings, configuration, running=running),
        *_sandbox(settings, configuration, running=running),
        *_providers(configuration),
        *_own_keys(configuration),
        *_checks(settings, configuration, running=running),
    ]


def _configuration(settings: Settings, configuration: Configuration) -> Finding:
    enabled = sum(provider.enabled for provider in configuration.providers.values())
    usable = sum(provider.is_called for provider in configuration.providers.values())
    detail = (
        f"{settings.config_dir}: {len(configuration.providers)} providers, {enabled} enabled, {usable} usable; "
        f"{len(configuration.aliases)} model names; {len(configuration.tenants)} tenants"
    )
    if usable == 0:
        remedy = "enable a provider in providers.json, and set the variable of its key"
        return Finding("configuration", "files", Verdict.PROBLEM, detail, remedy)
    return Finding("configuration", "files", Verdict.OK, detail)


def _keys(settings: Settings, configuration: Configuration) -> Iterator[Finding]:
    for fact in key_facts(settings, configuration):
        verdict = Verdict.OK if fact.remedy is None else Verdict.NOTE
        yield Finding("keys", fact.subject, verdict, fact.detail, fact.remedy)


def _redis(settings: Settings, *, running: bool) -> Iterator[Finding]:
    if settings.redis_url is None and not running:
        try:
            detail = f"not running; `model-router up` starts {find_server()} with its data in {settings.home / 'redis'}"
            yield Finding("redis", "embedded", Verdict.NOTE, detail)
        except NoRedisServer as error:
            yield Finding("redis", "embedded", Verdict.PROBLEM, "there is no server program", str(error))
        return
    subject = "embedded" if settings.redis_url is None else "REDIS_URL"
    try:
        url = settings.resolve_redis_url()
        facts = read_facts(url)
    except (SettingError, redis.RedisError, ValueError, OSError) as error:
        remedy = "start it, or correct REDIS_URL" if settings.redis_url else "restart `model-router up`"
        yield Finding("redis", subject, Verdict.PROBLEM, f"cannot be used: {error}", remedy)
        return
    detail = (
        f"{shown(url)}, version {facts.version}, appendonly {facts.appendonly or 'not told'}, "
        f"maxmemory-policy {facts.maxmemory_policy or 'not told'}"
    )
    problems = facts.problems()
    yield Finding("redis", subject, Verdict.PROBLEM if problems else Verdict.OK, detail, "; ".join(problems) or None)


def _ports(settings: Settings, configuration: Configuration, *, running: bool) -> Iterator[Finding]:
    for need in port_needs(settings, configuration):
        subject = f"{need.variable} {need.port}"
        if running:
            yield Finding("ports", subject, Verdict.OK, f"{need.purpose}: used by the stack that runs in this home")
        elif problems := port_problems([need]):
            yield Finding("ports", subject, Verdict.PROBLEM, problems[0], f"set {need.variable} to a free port")
        else:
            yield Finding("ports", subject, Verdict.OK, f"{need.purpose}: free")


def _sandbox(settings: Settings, configuration: Configuration, *, running: bool) -> Iterator[Finding]:
    if not configuration.sandbox:
        return
    url = shown_endpoint(settings.sandbox_base_url)
    reason = reach(settings.sandbox_base_url)
    if reason is None:
        yield Finding("sandbox", url, Verdict.OK, "reachable; stands in for every enabled provider")
    elif needs_sandbox(settings, configuration) and not running:
        yield Finding("sandbox", url, Verdict.NOTE, "not running; `model-router up` starts it")
    else:
        remedy = "start `model-router sandbox`, or set the key of a provider"
        yield Finding("sandbox", url, Verdict.PROBLEM, f"not reachable: {reason}", remedy)


def _providers(configuration: Configuration) -> Iterator[Finding]:
    providers = sorted(configuration.providers.values(), key=lambda provider: (not provider.enabled, provider.name))
    with ThreadPoolExecutor(max_workers=16) as pool:
        yield from pool.map(_provider, providers)


def _provider(provider: ProviderConfig) -> Finding:
    """One provider; its endpoint is tried only where calls would go to it."""
    key = _keys_of(provider)
    if not provider.enabled:
        return Finding("providers", provider.name, Verdict.NOTE, f"disabled; {key}")
    if provider.sandboxed:
        detail = f"enabled; {key}; the sandbox stands in"
        return Finding("providers", provider.name, Verdict.OK, detail)
    if provider.takes_own_keys and not provider.usable:
        return Finding("providers", provider.name, Verdict.OK, f"enabled for tenants with keys of their own; {key}")
    if not provider.usable:
        detail = f"enabled, but not usable: {provider.unusable_reason}; {key}"
        remedy = f"set {' or '.join(provider.key_variables) or 'api_key_env in its row'}, or disable the provider"
        return Finding("providers", provider.name, Verdict.NOTE, detail, remedy)
    where = shown_endpoint(provider.endpoint)
    if (reason := reach(provider.endpoint)) is not None:
        remedy = "check the network, the endpoint in providers.json, or a proxy"
        detail = f"enabled; {key}; {where} not reachable: {reason}"
        return Finding("providers", provider.name, Verdict.PROBLEM, detail, remedy)
    return Finding("providers", provider.name, Verdict.OK, f"enabled; {key}; {where} reachable")


def _own_keys(configuration: Configuration) -> Iterator[Finding]:
    """The keys that tenants' files name and that are not there."""
    for tenant in configuration.tenants.values():
        for provider, key in sorted(tenant.own_keys.items()):
            if key.unusable_reason is not None:
                subject, detail = f"{tenant.tenant_id} {provider}", f"not usable for the tenant: {key.unusable_reason}"
                yield Finding("tenants' own keys", subject, Verdict.NOTE, detail, f"set {key.variable}")


def _keys_of(provider: ProviderConfig) -> str:
    """Which of its keys are named, in a variable or a file; never what they are."""
    told = [
        f"{name} {f'in the file {path}' if (path := file_of(name, os.environ)) else _is_set(name)}"
        for name in provider.key_variables
    ]
    return f"key {', '.join(told)}" if told else "needs no key"


def _is_set(variable: str) -> str:
    return "set" if is_named(variable, os.environ) else "not set"


def _checks(settings: Settings, configuration: Configuration, *, running: bool) -> Iterator[Finding]:
    """What the workers' last checks found; nothing where Redis does not answer, which is a finding of its own."""
    if settings.redis_url is None and not running:
        return
    try:
        checks = read_checks(settings.resolve_redis_url(), settings.key_prefix)
    except (SettingError, redis.RedisError, ValueError, OSError):
        return
    for name, check in sorted(checks.items()):
        provider = configuration.providers.get(name)
        if provider is None or not provider.usable:
            continue
        detail = f"{check.status.value}, {max(time.time() - check.at_s, 0):.0f} s ago"
        if check.status is CheckStatus.OK:
            yield Finding("last checks", name, Verdict.OK, detail)
            continue
        remedy = None
        if check.status is CheckStatus.MISCONFIGURED:
            keys = " or ".join(provider.key_variables) or "its row"
            remedy = f"correct {keys}, or the account at the vendor; then restart its worker"
        yield Finding("last checks", name, Verdict.NOTE, f"{detail}: {check.error}", remedy)
