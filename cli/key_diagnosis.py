"""What `doctor` says of callers' keys: which of the files' work, and what opens the admin API. No key is in it."""

from collections.abc import Iterator
from typing import NamedTuple

from cli.probe_key import probe_key
from config.configuration import Configuration
from config.demo_keys import DEMO_KEYS, demo_keys_work
from config.settings import Settings


class Fact(NamedTuple):
    """One thing that is so. `remedy` is what to do where it is not well."""

    subject: str
    detail: str
    remedy: str | None = None


def key_facts(settings: Settings, configuration: Configuration) -> Iterator[Fact]:
    """What is known of keys without asking Redis, which has those made at run time."""
    tenants = [tenant for tenant in configuration.tenants.values() if tenant.active]
    make = "make keys with `model-router keys create --tenant TENANT`"
    if any(not DEMO_KEYS.isdisjoint(tenant.api_keys) for tenant in tenants):
        if configuration.sandbox:
            yield Fact("demo keys", "work: the sandbox answers")
        elif demo_keys_work(configuration, settings):
            detail = "work beside real providers, and everybody knows them: MODEL_ROUTER_ALLOW_DEMO_KEY is set"
            yield Fact("demo keys", detail, f"unset it, and {make}")
        else:
            yield Fact("demo keys", "are refused beside real providers", make)
    hashed = sum(len(tenant.api_key_hashes) for tenant in tenants)
    if probe_key(configuration, settings) is None and not hashed:
        yield Fact("files", "no active tenant's file has a key that works", make)
    pepper = "hashed with the pepper" if settings.key_pepper else "hashed; no pepper is set"
    yield Fact("made at run time", f"kept in Redis, {pepper}")
    detail = "open to the admin key" if settings.admin_key else "off: MODEL_ROUTER_ADMIN_KEY is not set"
    yield Fact("admin API", detail)
