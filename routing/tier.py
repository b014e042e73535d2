"""Which group of a plan a candidate is tried in: one number, the lower the earlier. Pure."""

from collections.abc import Mapping

from config.tenant import Tenant
from routing.catalogue import Deployment
from routing.preferences import Preferences

# A tier counts, in this order: the caller's preferred bounds, the caller's fallback models, those outside the caller's
# own order, the policy's bounds, the tenant's preference.
_SHORT_STEP, _MODEL_STEP, _UNLISTED_STEP, _BOUNDS_STEP = 1_000_000_000, 1_000_000, 100_000, 10_000


def tier_of(
    deployment: Deployment,
    wishes: Preferences,
    tenant_places: Mapping[str, int],
    *,
    model_place: int,
    falls_short: bool,
    within_bounds: bool,
) -> int:
    """The candidate's tier: what the caller asks for goes before what policy and tenant prefer.

    `model_place` is its model's in the caller's list, `falls_short` whether it misses a bound the caller prefers,
    `within_bounds` whether it keeps the policy's.
    """
    tier = 0 if wishes.sort_across_models else model_place * _MODEL_STEP
    if falls_short:
        tier += _SHORT_STEP
    if wishes.order:
        place = wishes.place(deployment)
        if place is not None:
            return tier + place
        tier += _UNLISTED_STEP
    if wishes.sort is not None:
        return tier
    tier += tenant_places.get(deployment.provider, len(tenant_places))
    return tier if within_bounds else tier + _BOUNDS_STEP


def as_if_within_bounds(tier: int) -> int:
    """The tier it would be if the candidate kept the policy's bounds."""
    return tier - _BOUNDS_STEP if tier % _UNLISTED_STEP >= _BOUNDS_STEP else tier


def tenant_places(tenant: Tenant) -> dict[str, int]:
    """Each provider the tenant puts before others -> its place; the rest share the place behind them."""
    if tenant.primary_provider is None and not tenant.fallback_order:
        return {}
    first = () if tenant.primary_provider is None else (tenant.primary_provider,)
    return {name: place for place, name in enumerate(dict.fromkeys((*first, *tenant.fallback_order)))}


def place_of_model(tier: int) -> int:
    """Where the model of a candidate with this tier stands in the caller's list, from 0."""
    return tier % _SHORT_STEP // _MODEL_STEP
