"""What stands under deploy/ for Prometheus and Grafana asks for metrics that exist, by labels that they have."""

import json
import re

import pytest
import yaml

from config.settings import PROJECT_ROOT
from workers.metrics.metric import METRICS, Kind

DEPLOY = PROJECT_ROOT / "deploy"
BY_NAME = {metric.name: metric for metric in METRICS}
_GROUPING = re.compile(r"\b(?:by|without|on)\s*\(([^)]*)\)")
_SELECTOR = re.compile(r"\b((?:model_router|gen_ai)_\w+)(?:\{([^}]*)\})?")


def rules():
    loaded = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())
    return [rule for group in loaded["groups"] for rule in group["rules"]]


def panels():
    return [
        panel
        for file in sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
        for panel in json.loads(file.read_text())["panels"]
        if panel["type"] != "row"
    ]


def expressions():
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in panels() for target in panel["targets"])


def selected(expression):
    """Each series that is asked for, with its selector."""
    return _SELECTOR.findall(_GROUPING.sub("", expression))


def metric_of(name):
    """The metric a series belongs to: a histogram is asked for by its parts."""
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    metric = BY_NAME.get(base) or BY_NAME.get(name)
    assert metric is not None, name
    assert (metric.name != name) == (metric.kind is Kind.HISTOGRAM), name
    return metric


@pytest.mark.parametrize("expression", list(expressions()))
def test_every_expression_asks_for_what_there_is(expression):
    """Its metrics exist, its labels are theirs, and its brackets close."""
    found = selected(expression)
    assert found
    known = {"le"}
    for name, selector in found:
        metric = metric_of(name)
        known |= set(metric.labels)
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector):
            assert label in metric.labels, (name, label)
    for group in _GROUPING.findall(expression):
        assert {label.strip() for label in group.split(",")} <= known
    for opening, closing in ("()", "{}", "[]"):
        assert expression.count(opening) == expression.count(closing)


def test_counters_are_asked_for_their_rate():
    """The number itself says only how old a counter is."""
    for expression in expressions():
        for name, _ in selected(expression):
            if name.endswith(("_total", "_bucket")):
                assert re.search(rf"(rate|increase)\(\s*{name}", expression), expression


def test_each_legend_shows_labels_that_are_left():
    """A legend that names a label which was summed away would be empty."""
    for panel in panels():
        for target in panel["targets"]:
            shown = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            groups = _GROUPING.findall(target["expr"])
            if groups:
                assert shown <= {label.strip() for group in groups for label in group.split(",")}, panel["title"]


def test_every_alert_says_what_to_do():
    """A summary, a description, a severity, and a name of its own."""
    for rule in rules():
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))


def test_every_metric_is_shown():
    """None is counted that no panel and no alert looks at."""
    asked = {metric_of(name).name for expression in expressions() for name, _ in selected(expression)}
    assert asked == set(BY_NAME)
