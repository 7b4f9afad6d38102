"""What an operator reads of the whole at a glance."""

from services.cli.answers import Overview
from services.cli.jobs import overview_page

WHOLE = {
    "jobs": {
        "pending_jobs": 0,
        "running_jobs": 2,
        "waiting_jobs": 1,
        "completed_jobs": 1234,
        "failed_jobs": 0,
        "cancelled_jobs": 0,
        "total_jobs": 1236,
        "active_workers": 3,
        "workers": {"generate": 2, "curate": 1},
    },
    "rates": {"events_per_second": 12.5, "calls_per_minute": 300, "entries_per_minute": 700},
    "lags": {
        "position": "1.99",
        "views_positions": 3,
        "views_seconds": 0.04,
        "relay_positions": 7,
    },
    "in_flight": [{"service": "generate", "units": 64, "oldest_seconds": 2.0}],
    "disk": {
        "free_bytes": 5_000_000_000,
        "total_bytes": 10_000_000_000,
        "database_bytes": 9_000_000,
    },
}


def page(**changes: object) -> str:
    return "\n".join(map(str, overview_page(Overview.model_validate(WHOLE | changes))))


def test_it_names_what_goes_on_and_leaves_out_what_does_not() -> None:
    told = page()
    assert "2 running, 1 waiting for something outside, 1,234 completed" in told
    assert "failed" not in told
    assert "generate 2, curate 1" in told
    assert "300 model calls, 700 entries accepted, 12.5 events/s" in told
    assert "generate 64 (oldest 2.0 s)" in told
    assert "views 3 events (0.04 s), bus 7 events, of 1.99" in told
    assert "5 GB free of 10 GB, database 9 MB" in told


def test_an_idle_mill_says_so() -> None:
    told = page(in_flight=[], jobs={**WHOLE["jobs"], "workers": {}})  # type: ignore[dict-item]
    assert "nothing" in told
    assert "none was heard within 10 s" in told
