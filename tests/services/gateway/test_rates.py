"""How many requests a client may make, by its window, in bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.rates import Windows, _client


@given(st.lists(st.integers(min_value=0, max_value=5), max_size=100))
def test_no_window_lets_more_through_than_its_limit(pauses: list[int]) -> None:
    windows, at, begun, let = Windows(7, 10.0), 0, -10, 0
    for pause in pauses:
        at += pause
        if at - begun >= 10:
            begun, let = at, 0
        hit = windows.hit("one", at)
        let += hit.allowed
        assert let <= 7
        assert hit.remaining == 7 - let
        assert 0 <= hit.left <= 10


def test_clients_do_not_share_a_window_and_a_new_one_begins_empty() -> None:
    windows = Windows(2, 10.0)
    assert [windows.hit("a", 0.0).allowed for _ in range(3)] == [True, True, False]
    assert windows.hit("b", 9.0).allowed
    assert not windows.hit("a", 9.9).allowed
    assert windows.hit("a", 10.0).allowed
    assert windows.hit("b", 10.0).remaining == 0


def test_many_clients_take_no_more_memory_than_some() -> None:
    windows = Windows(1, 60.0, most=100)
    for n in range(10_000):
        assert windows.hit(str(n), 0.001 * n).allowed
    assert len(windows) == 100
    assert not windows.hit("9999", 10.0).allowed


def test_an_ipv6_client_is_its_network() -> None:
    assert _client("2001:db8::1") == _client("2001:db8::ffff:1") == "2001:db8::/64"
    assert _client("2001:db8:0:1::1") != _client("2001:db8::1")
    assert _client("::ffff:192.0.2.7") == _client("192.0.2.7") == "192.0.2.7"
    assert _client("testclient") == "testclient"
