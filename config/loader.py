"""Reads the configuration folder into one Configuration, or says everything that is wrong with it."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError

from config.breaker import BreakerConfig
from config.breaker_schema import breaker_config
from config.configuration import Configuration, ConfigurationError, Problem
from config.fields import flatten
from config.json_file import JsonFileError, read_object
from config.model_schema import aliases_of
from config.own_key import OwnKeys
from config.policy import PolicyConfig
from config.policy_schema import PolicySchema, policy_config
from config.provider import ProviderConfig, ProviderKey
from config.provider_schema import ProviderSchema, provider_config
from config.references import broken_references
from config.retry import RetryConfig
from config.retry_schema import retry_config
from config.secret import SecretFileError, secret_in
from config.settings import Settings
from config.tenant import Tenant
from config.tenant_schema import TenantSchema, tenant_of

PROVIDERS = "providers.json"
MODELS = "models.json"
POLICIES = "policies/routing.json"
# Optional: without them the defaults hold.
BREAKER = "policies/breaker.json"
RETRY = "policies/retry.json"
TENANTS = "tenants"

T = TypeVar("T")


def load(settings: Settings, environ: Mapping[str, str] = os.environ) -> Configuration:
    """The configuration in `settings.config_dir`, with each provider resolved against `environ`.

    Raises ConfigurationError listing every problem of every file: the first pass checks each file by itself, and
    names that point from one file to another are checked once all files stand.
    """
    folder = settings.config_dir
    problems: list[Problem] = []
    if not folder.is_dir():
        raise ConfigurationError.of(
            str(folder), [Problem(str(folder), "", "expected a folder; set MODEL_ROUTER_CONFIG")]
        )
    reader = _Reader(folder, problems)
    providers = reader.rows(PROVIDERS, ProviderSchema(), provider_config)
    policies: Mapping[str, PolicyConfig] = {
        policy.name: policy for policy in reader.rows(POLICIES, PolicySchema(), policy_config).values()
    }
    aliases = reader.whole(MODELS, aliases_of) or {}
    breaker = reader.optional(BREAKER, breaker_config) or BreakerConfig()
    retry = reader.optional(RETRY, retry_config) or RetryConfig()
    tenants = reader.tenants()
    keys = {name: reader.keys(provider, environ) for name, provider in providers.items()}
    tenants = [(file, replace(tenant, own_keys=reader.own_keys(tenant, environ))) for file, tenant in tenants]
    if not problems:
        problems += broken_references(providers, aliases, policies, tenants, settings.key_pepper)
    if problems:
        raise ConfigurationError.of(str(folder), problems)
    brought = {name for _, tenant in tenants for name, key in tenant.own_keys.items() if key.secret is not None}
    # Where tenants may bring keys, what has none waits for theirs: it is not made up.
    own = {
        name
        for name, provider in providers.items()
        if provider.enabled and not provider.keyless and (name in brought or settings.encryption_keys)
    }
    real = {name for name, provider in providers.items() if provider.enabled and (provider.keyless or keys[name])}
    sandbox = not real and not own
    return Configuration(
        providers={
            name: replace(_resolved(provider, settings, keys[name], sandbox=sandbox), takes_own_keys=name in own)
            for name, provider in providers.items()
        },
        aliases=aliases,
        policies=policies,
        tenants={tenant.tenant_id: replace(tenant, own_keys={}) if sandbox else tenant for _, tenant in tenants},
        sandbox=sandbox,
        breaker=breaker,
        retry=retry,
    )


def config_files(folder: Path) -> tuple[Path, ...]:
    """The files `load` reads or would read; OSError where tenants/ cannot be listed."""
    tenants = sorted(path for path in (folder / TENANTS).iterdir() if _is_tenant_file(path))
    return (folder / PROVIDERS, folder / MODELS, folder / POLICIES, folder / BREAKER, folder / RETRY, *tenants)


def _is_tenant_file(path: Path) -> bool:
    return path.suffix == ".json" and not path.name.startswith((".", "_"))


def _resolved(
    provider: ProviderConfig, settings: Settings, keys: tuple[ProviderKey, ...], *, sandbox: bool
) -> ProviderConfig:
    if not provider.enabled:
        return replace(provider, unusable_reason="disabled")
    if sandbox:
        url = urlsplit(provider.endpoint)
        stand_in = f"{settings.sandbox_base_url}/{provider.name}{url.path}" + (f"?{url.query}" if url.query else "")
        return replace(provider, endpoint=stand_in, sandboxed=True, usable=True)
    if provider.keyless or keys:
        return replace(provider, keys=keys, usable=True)
    variables = provider.key_variables
    is_not = "is not" if len(variables) == 1 else "are not"
    missing = f"{', '.join(variables)} {is_not} set" if variables else "its row names no api_key_env"
    return replace(provider, unusable_reason=f"no key: {missing}")


def _load_row(schema: Schema, make: Callable[[str, Mapping[str, Any]], T], name: str, row: Any) -> T:
    return make(name, schema.load(row))


class _Reader:
    """Reads files of one folder and notes what is wrong instead of stopping."""

    def __init__(self, folder: Path, problems: list[Problem]) -> None:
        self._folder = folder
        self._problems = problems

    def rows(self, file: str, schema: Schema, make: Callable[[str, Mapping[str, Any]], T]) -> dict[str, T]:
        """Each row of an object of rows, made into its value."""
        made: dict[str, T] = {}
        for name, row in (self._object(file) or {}).items():
            value = self._guard(file, name, partial(_load_row, schema, make, name, row))
            if value is not None:
                made[name] = value
        return made

    def whole(self, file: str, make: Callable[[Mapping[str, Any]], T]) -> T | None:
        """A file made into one value; None where it is broken."""
        data = self._object(file)
        return None if data is None else self._guard(file, "", lambda: make(data))

    def optional(self, file: str, make: Callable[[Mapping[str, Any]], T]) -> T | None:
        """As `whole`, of a file that need not be there."""
        return self.whole(file, make) if (self._folder / file).exists() else None

    def keys(self, provider: ProviderConfig, environ: Mapping[str, str]) -> tuple[ProviderKey, ...]:
        """The keys of an enabled provider that are there, each once; a file that cannot be read is noted."""
        found: dict[str, ProviderKey] = {}
        for variable in provider.key_variables if provider.enabled else ():
            secret = self._secret(variable, environ)
            if secret is not None:
                found.setdefault(secret, ProviderKey(variable, secret))
        return tuple(found.values())

    def own_keys(self, tenant: Tenant, environ: Mapping[str, str]) -> OwnKeys:
        """The keys that a tenant's file names, with what is in their variables."""
        found = ((name, key, self._secret(key.variable, environ)) for name, key in tenant.own_keys.items())
        return {
            name: key if secret is None else replace(key, secret=secret, unusable_reason=None)
            for name, key, secret in found
        }

    def _secret(self, variable: str, environ: Mapping[str, str]) -> str | None:
        try:
            return secret_in(variable, environ)
        except SecretFileError as error:
            self._problems.append(Problem("environment", "", str(error)))
            return None

    def tenants(self) -> list[tuple[str, Tenant]]:
        """Each sound file of tenants/ with the tenant in it."""
        folder = self._folder / TENANTS
        try:
            files = sorted(f"{TENANTS}/{path.name}" for path in folder.iterdir() if _is_tenant_file(path))
        except OSError as error:
            self._problems.append(Problem(TENANTS, "", f"expected a folder of tenants ({error.strerror})"))
            return []
        if not files:
            self._problems.append(Problem(TENANTS, "", "expected at least one tenant, such as tenants/default.json"))
        schema = TenantSchema()
        read = ((file, self.whole(file, lambda data: tenant_of(schema.load(data)))) for file in files)
        return [(file, tenant) for file, tenant in read if tenant is not None]

    def _object(self, file: str) -> dict[str, Any] | None:
        try:
            return read_object(self._folder / file)
        except JsonFileError as error:
            self._problems.append(Problem(file, "", str(error)))
            return None

    def _guard(self, file: str, prefix: str, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except ValidationError as error:
            self._problems += [Problem(file, path, message) for path, message in flatten(error.messages, prefix)]
            return None
