"""What the dashboard, the alert rules and the scrape configuration name is there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from services.cli.tree import ports_from
from shared.telemetry.metrics import METRICS

FOLDER = Path(__file__).parents[3] / "deploy" / "observability"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "gristmill.json").read_text())
ALERTS: dict[str, Any] = yaml.safe_load((FOLDER / "alerts.yml").read_text())
PARTS = ("_bucket", "_sum", "_count")
OF_THE_PROCESS = {"process_resident_memory_bytes", "process_cpu_seconds_total"}
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def shown() -> set[str]:
    """Every name under which a service shows something."""
    names = set()
    for metric in METRICS:
        names |= {metric.name + part for part in PARTS} if metric.buckets else {metric.name}
    return names


def named(expression: str) -> Iterator[tuple[str, set[str]]]:
    """The metrics of an expression, each with the labels that it is narrowed by."""
    for name, narrowed in re.findall(r"\b(gristmill_\w+|process_\w+)(?:\{([^}]*)\})?", expression):
        yield name, set(re.findall(r"(\w+)\s*[=!]~?", narrowed))


def test_every_metric_of_the_dashboard_is_shown_by_a_service_and_every_one_has_a_panel() -> None:
    found = set()
    for panel in PANELS:
        assert panel["targets"], panel["title"]
        for target in panel["targets"]:
            found |= {name for name, _ in named(target["expr"])}
    assert found <= shown() | OF_THE_PROCESS
    seen = {re.sub(r"_(bucket|sum|count)$", "", name) for name in found}
    assert {metric.name for metric in METRICS} <= seen


def test_every_label_that_is_grouped_or_narrowed_by_belongs_to_the_metric() -> None:
    labels = {metric.name: {*metric.labels, "service", "le"} for metric in METRICS}
    rules = [rule["expr"] for group in ALERTS["groups"] for rule in group["rules"]]
    for expression in rules + [t["expr"] for panel in PANELS for t in panel["targets"]]:
        grouped = {
            label.strip()
            for each in re.findall(r"\bby \(([^)]*)\)", expression)
            for label in each.split(",")
        }
        for name, narrowed in named(expression):
            base = re.sub(r"_bucket$", "", name)
            if base in labels:
                assert narrowed <= labels[base], expression
                assert grouped <= labels[base], expression


def test_the_dashboard_asks_the_source_that_is_chosen_and_no_panel_lies_on_another() -> None:
    [variable] = DASHBOARD["templating"]["list"]
    assert (variable["name"], variable["type"]) == ("datasource", "datasource")
    cells: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        mine = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not mine & cells, panel["title"]
        assert max(x for x, _ in mine) < 24
        cells |= mine
    for panel in PANELS:
        for source in (panel, *panel["targets"]):
            assert source["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)


def test_every_alert_names_metrics_that_are_shown_and_says_what_is_wrong() -> None:
    rules = [rule for group in ALERTS["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 5
    for rule in rules:
        names = {name for name, _ in named(rule["expr"])}
        assert names <= shown()
        assert names or rule["expr"].startswith("up{")
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"]["summary"]


def test_the_ports_that_are_scraped_are_those_of_up() -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    [job] = config["scrape_configs"]
    [static] = job["static_configs"]
    assert static["targets"] == [f"127.0.0.1:{port}" for port in ports_from(9100).values()]
    assert config["rule_files"] == ["alerts.yml"]
