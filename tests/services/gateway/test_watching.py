"""What the gateway counts of its requests, and shows to Prometheus."""

import io

from prometheus_client.parser import text_string_to_metric_families

from tests.services.gateway.listening import Gateway

Shown = dict[str, dict[tuple[str, ...], float]]


async def shown(gateway: Gateway) -> Shown:
    async with gateway.http.get("/metrics") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        text = await answer.text()
    found: Shown = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name != "service"}
            found.setdefault(sample.name, {})[tuple(labels[name] for name in sorted(labels))] = (
                sample.value
            )
    return found


async def test_requests_are_counted_by_the_template_of_their_route(gateway: Gateway) -> None:
    before = (await shown(gateway)).get("gristmill_http_requests_total", {})
    for path in ("/api/v1/jobs/status/one", "/api/v1/jobs/status/two/", "/nowhere/at/all"):
        async with gateway.http.get(path) as answer:
            assert answer.status == 404
    after = await shown(gateway)
    counted = {
        labels: value - before.get(labels, 0)
        for labels, value in after["gristmill_http_requests_total"].items()
    }
    assert counted["GET", "/api/v1/jobs/status/{id}", "404"] == 2
    assert counted["GET", "unmatched", "404"] == 1
    assert after["gristmill_http_requests_open"][()] == 1  # the one that asks
    assert after["gristmill_view_lag_positions"][()] >= 0
    assert after["gristmill_disk_free_bytes"][()] > 0


async def test_a_request_that_is_refused_before_any_route_is_counted_too(gateway: Gateway) -> None:
    async with gateway.http.post("/api/v1/projects", data=io.BytesIO(b"x" * (3 << 20))) as answer:
        assert answer.status == 413
    found = (await shown(gateway))["gristmill_http_requests_total"]
    assert any(labels[2] == "413" for labels in found)
