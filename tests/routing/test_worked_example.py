"""The worked example of docs/routing.md, computed by the planner itself."""

from decimal import Decimal
from random import Random

from config.configuration import Configuration
from config.policy import PolicyConfig, PolicyWeights
from config.provider import Price, ProviderConfig, ProviderModel
from config.settings import PROJECT_ROOT
from config.tenant import Tenant
from routing.catalogue import Catalogue
from routing.health import Health
from routing.permits import Permits
from routing.planner import plan
from routing.request import RoutingRequest
from routing.snapshot import Snapshot

NOW = 1_763_900_000.0
BALANCED = PolicyConfig("balanced", "balanced", PolicyWeights(0.3, 0.4, 0.3), min_uptime=0.9)
# Price of input and output, seconds an answer of 200 tokens takes, good calls, failed calls.
ACCOUNTS = {"a": ("0.10", "0.50", 0.9, 40, 0), "b": ("0.30", "2.50", 0.4, 60, 0), "c": ("0.05", "0.20", 1.5, 30, 10)}


def example():
    """The plan of the example."""
    rows, health = {}, {}
    for name, (paid, made, took_s, good, failed) in ACCOUNTS.items():
        price = Price(Decimal(paid), Decimal(made))
        rows[name] = ProviderConfig(name, "openai", "http://x/v1", models={"m": ProviderModel(price)}, usable=True)
        known = Health()
        for number in range(good + failed):
            known = known.after(number % 4 != 0 if failed else True, took_s * 1000, 200, NOW)
        health[f"{name}/m"] = known
    aliases = {"any": tuple(f"{name}/m" for name in ACCOUNTS)}
    catalogue = Catalogue.build(Configuration(rows, aliases, {}, {}, sandbox=False))
    # b lets 60 requests a minute through, and has none left but one in 2 s.
    permits = {"b/m": Permits.parse(f"0 0 rpm 60 60000 -0.98 {int(NOW * 1000)}")}
    snapshot = Snapshot(health, NOW, permits=permits)
    request = RoutingRequest("any", prompt_tokens=1000, max_tokens=200)
    tenant = Tenant("t", providers=frozenset(ACCOUNTS))
    return plan(request, tenant, BALANCED, catalogue, snapshot, NOW, Random(1))


def rows():
    """The example's table, as the document has it."""
    for candidate in example().candidates:
        shown = candidate.as_object()
        parts = shown["parts"]
        figures = [parts["cost"], parts["latency"], parts["uptime"], shown["score"]]
        cells = [candidate.deployment.id, f"{candidate.cost_microusd:.0f}", f"{candidate.latency_ms:.0f}"]
        cells += [f"{figure:.2f}" for figure in figures]
        yield f"| {' | '.join(cells)} | {shown['tier']} |"


def test_the_documents_table_is_what_the_planner_says():
    """Every row of the table stands in the document, in this order."""
    text = (PROJECT_ROOT / "docs" / "routing.md").read_text()
    assert "\n".join(rows()) in text
