"""Checks the names that point from one configuration file to another. Each file is sound by itself by then."""

from collections.abc import Iterator, Mapping, Sequence

from config.configuration import Problem
from config.fields import unknown_message
from config.key_hash import key_hash
from config.policy import PolicyConfig
from config.provider import ProviderConfig
from config.tenant import Tenant


def broken_references(
    providers: Mapping[str, ProviderConfig],
    aliases: Mapping[str, tuple[str, ...]],
    policies: Mapping[str, PolicyConfig],
    tenants: Sequence[tuple[str, Tenant]],
    pepper: str | None = None,
) -> list[Problem]:
    """Every reference that leads nowhere, and every key or id that two tenants share; never quotes a key."""
    return [
        *_alias_problems(aliases, providers),
        *(problem for file, tenant in tenants for problem in tenant_problems(file, tenant, providers, policies)),
        *_shared_between(tenants, pepper),
    ]


def _alias_problems(
    aliases: Mapping[str, tuple[str, ...]], providers: Mapping[str, ProviderConfig]
) -> Iterator[Problem]:
    for alias, deployments in aliases.items():
        for index, deployment in enumerate(deployments):
            name, _, model = deployment.partition("/")
            where = f"{alias}[{index}]"
            if not model:
                yield Problem("models.json", where, f"expected provider/model, not {deployment!r}")
            elif name not in providers:
                yield Problem("models.json", where, unknown_message("provider", name, providers))
        yield from _mixed_vectors(alias, deployments, providers)


def _mixed_vectors(
    alias: str, deployments: tuple[str, ...], providers: Mapping[str, ProviderConfig]
) -> Iterator[Problem]:
    """Vectors of different models cannot be compared, so an alias that embeds stands for one model."""
    targets = [target.partition("/") for target in deployments]
    if not any(name in providers and _embeds(providers[name], model) for name, _, model in targets):
        return
    first = _bare_name(targets[0][2])
    for index, (_, _, model) in enumerate(targets):
        if _bare_name(model) != first:
            message = f"expected another deployment of {first}, whose vectors this alias stands for, not {model!r}"
            yield Problem("models.json", f"{alias}[{index}]", message)


def _embeds(provider: ProviderConfig, model: str) -> bool:
    row = provider.models.get(model)
    stated = row.capabilities if row is not None else None
    return stated is not None and "embeddings" in stated and "chat" not in stated


def _bare_name(model: str) -> str:
    """A model's name without the maker before it and the variant behind it, as vendors write them."""
    return model.rpartition("/")[2].partition(":")[0].lower()


def tenant_problems(
    file: str, tenant: Tenant, providers: Mapping[str, ProviderConfig], policies: Mapping[str, PolicyConfig]
) -> Iterator[Problem]:
    """What a tenant names that there is not; `file` is where it stands."""
    for name in sorted(tenant.providers - providers.keys()):
        yield Problem(file, "providers.enabled", f"{name!r}: {unknown_message('provider', name, providers)}")
    for name in sorted(tenant.own_keys.keys() - tenant.providers):
        yield Problem(file, f"providers.keys.{name}", "expected one of providers.enabled as the key")
    for name in sorted(tenant.own_keys):
        if name in providers and providers[name].keyless:
            yield Problem(file, f"providers.keys.{name}", "expected no key, as its api_key_env is null")
    preferred = [("providers.primary", tenant.primary_provider)] if tenant.primary_provider else []
    preferred += [(f"providers.fallback_order[{index}]", name) for index, name in enumerate(tenant.fallback_order)]
    for where, name in preferred:
        if name not in tenant.providers:
            yield Problem(file, where, f"expected one of providers.enabled, not {name!r}")
    if tenant.routing_policy not in policies:
        yield Problem(file, "routing_policy", unknown_message("policy", tenant.routing_policy, policies))


def _shared_between(tenants: Sequence[tuple[str, Tenant]], pepper: str | None) -> Iterator[Problem]:
    file_of_id: dict[str, str] = {}
    file_of_key: dict[str, str] = {}
    for file, tenant in tenants:
        if tenant.tenant_id in file_of_id:
            yield Problem(file, "tenant_id", f"{tenant.tenant_id!r} is also the id in {file_of_id[tenant.tenant_id]}")
        file_of_id.setdefault(tenant.tenant_id, file)
        hashes = [(f"api_keys[{index}]", key_hash(key, pepper)) for index, key in enumerate(tenant.api_keys)]
        hashes += [(f"api_key_hashes[{index}]", kept) for index, kept in enumerate(tenant.api_key_hashes)]
        for where, kept in hashes:
            if kept in file_of_key:
                yield Problem(file, where, f"this key is also in {file_of_key[kept]}")
            file_of_key.setdefault(kept, file)
