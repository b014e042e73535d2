"""The scenarios as they are put into practice: behaviours the sandbox takes, a folder the product loads."""

import dataclasses
import json

import pytest

from benchmarks.request import KEY, MODEL
from benchmarks.routing.folder import KEY_VARIABLE, write_providers, write_scenario_configuration
from benchmarks.routing.scenarios import SCENARIOS
from config.loader import load
from config.settings import Settings
from sandbox.behaviour import Fault, parse


@pytest.fixture(params=SCENARIOS.values(), ids=SCENARIOS)
def scenario(request):
    return request.param


def test_every_condition_is_a_behaviour_of_the_sandbox(scenario):
    """Its latency, limits and failures arrive there as they are meant."""
    for condition in (*scenario.start.values(), *(step.condition for step in scenario.steps)):
        behaviour = parse(json.loads(json.dumps(condition.behaviour())))
        assert behaviour.latency_ms == condition.latency_ms
        assert (behaviour.fault is Fault.STATUS, behaviour.status) == (bool(condition.fails_with), condition.fails_with)
        limits = behaviour.limits
        assert (limits and limits.requests_per_minute) == condition.requests_per_minute
        assert (limits and limits.concurrency) == condition.concurrency


def test_every_timeline_fits_into_its_scenario(scenario):
    """Steps are in order and of known providers; trouble ends where the favourite is as it was, or with the run."""
    moments = [step.at_s for step in scenario.steps]
    assert moments == sorted(moments)
    assert {step.provider for step in scenario.steps} <= set(scenario.start)
    begin, end = scenario.trouble
    assert 0 <= begin < end <= scenario.seconds
    if scenario.moves:
        assert scenario.at(begin)[scenario.favourite] != scenario.at(end)[scenario.favourite]
        # Two probe intervals, and a window to see the return in.
        assert scenario.seconds - end >= 22


def test_the_product_loads_a_scenarios_folder_and_sees_an_edited_price(scenario, tmp_path):
    """Three usable providers behind one alias, routed by the scenario's policy, at the prices that were written."""
    write_scenario_configuration(tmp_path, "router", 4321, scenario.start, scenario.policy)
    settings = dataclasses.replace(Settings(), config_dir=tmp_path)
    configuration = load(settings, {KEY_VARIABLE: "any"})
    assert configuration.aliases[MODEL] == tuple(f"{name}/bench-model" for name in scenario.start)
    for name in scenario.start:
        provider = configuration.providers[name]
        assert provider.usable
        assert not provider.sandboxed
        assert provider.endpoint == f"http://127.0.0.1:4321/router-{name}/v1"
    (tenant,) = configuration.tenants.values()
    assert (tenant.api_keys, tenant.routing_policy) == ((KEY,), scenario.policy)
    begin, _ = scenario.trouble
    write_providers(tmp_path, "router", 4321, scenario.at(begin))
    price = load(settings, {KEY_VARIABLE: "any"}).providers[scenario.favourite].models["bench-model"].price
    assert (float(price.input), float(price.output)) == dataclasses.astuple(scenario.at(begin)["swift"].price)
