from __future__ import annotations

import pytest

from control_center.sign_in_limit import SignInLimit, address_key


def test_tries_beyond_the_burst_wait_and_time_gives_them_back() -> None:
    now = [0.0]
    limit = SignInLimit(burst=3, seconds_each=10, clock=lambda: now[0])
    for _ in range(3):
        assert limit.wait_seconds("a") == 0
        limit.count("a")
    assert limit.wait_seconds("a") == 10
    assert limit.wait_seconds("b") == 0
    now[0] = 10.0
    assert limit.wait_seconds("a") == 0
    limit.count("a")
    assert limit.wait_seconds("a") == 10
    now[0] = 1000.0
    for _ in range(3):
        assert limit.wait_seconds("a") == 0
        limit.count("a")
    assert limit.wait_seconds("a") > 0


def test_a_right_password_clears_the_count() -> None:
    limit = SignInLimit(burst=1, seconds_each=10, clock=lambda: 0.0)
    limit.count("a")
    limit.forget("a")
    assert limit.wait_seconds("a") == 0


def test_the_number_of_keys_is_bounded() -> None:
    limit = SignInLimit(burst=1, seconds_each=10, max_keys=2, clock=lambda: 0.0)
    for key in ("a", "b", "c"):
        limit.count(key)
    assert limit.wait_seconds("a") == 0
    assert limit.wait_seconds("b") > 0 and limit.wait_seconds("c") > 0


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("unknown", "unknown", True),
    ],
)
def test_all_addresses_that_one_machine_may_have_count_together(one: str, other: str, is_same: bool) -> None:
    assert (address_key(one) == address_key(other)) is is_same
