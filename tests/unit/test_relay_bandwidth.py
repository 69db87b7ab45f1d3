"""When the relay steps down to the sub stream, and how it tries to step up again."""

from __future__ import annotations

import itertools

import pytest

from streams.relay.bandwidth import LinkEstimate, Step, StreamJudge

SECOND = 1_000_000_000
MAIN, SUB = 2_000_000, 300_000
PACKET_BITS = 10_000


class Watch:
    """A viewer's way that carries `carries` bits/s, looked at once a second, as browsers and the relay do."""

    def __init__(self, carries: float) -> None:
        self.carries = carries
        self.now_ns = 100 * SECOND
        self.link = LinkEstimate(0, self.now_ns)
        self.judge = StreamJudge(self.link)
        self.sent = self.lost = 0.0
        self.on_main = True
        self.estimate = 30_000_000.0
        self.steps: list[tuple[int, Step]] = []
        self.most_sent_on_sub = 0.0

    def pass_seconds(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now_ns += SECOND
            sent = MAIN if self.on_main else max(SUB, self.judge.filler_bits)
            if not self.on_main:
                self.most_sent_on_sub = max(self.most_sent_on_sub, sent)
            if sent > self.carries:
                self.estimate = 0.85 * self.carries
            else:
                self.estimate = max(self.estimate, min(self.estimate * 1.08, 1.5 * sent + 10_000))
            self.link.receiver_says(self.estimate, self.now_ns)
            self.sent += sent / PACKET_BITS
            self.lost += max(0.0, sent - self.carries) / PACKET_BITS
            self.link.receiver_got(round(self.sent), round(self.lost), PACKET_BITS / 8, self.now_ns)
            step = self.judge.look(self.now_ns, MAIN)
            if step is not Step.STAY:
                self.on_main = step is Step.UP
                self.steps.append((self.now_ns // SECOND - 100, step))


def test_a_way_that_carries_the_main_stream_keeps_it() -> None:
    watch = Watch(carries=10_000_000)
    watch.pass_seconds(600)
    assert watch.steps == []


def test_a_narrow_way_is_found_within_three_seconds() -> None:
    watch = Watch(carries=500_000)
    watch.pass_seconds(5)
    assert [step for _, step in watch.steps] == [Step.DOWN]
    assert watch.steps[0][0] <= 3


def test_one_false_alarm_of_the_receiver_changes_nothing() -> None:
    watch = Watch(carries=10_000_000)
    watch.pass_seconds(10)
    watch.estimate = 0.85 * MAIN
    watch.pass_seconds(60)
    assert watch.steps == []


def test_an_estimate_that_is_low_because_little_was_sent_is_no_proof() -> None:
    """A still picture at night, then headlights."""
    watch = Watch(carries=10_000_000)
    watch.estimate = 200_000
    watch.pass_seconds(60)
    assert watch.steps == []


def test_trials_come_later_and_later_and_hardly_use_more_than_the_way_carries() -> None:
    watch = Watch(carries=500_000)
    trials, tried = [], False
    for second in range(1200):
        watch.pass_seconds(1)
        if watch.judge.filler_bits and not tried:
            trials.append(second)
        tried = bool(watch.judge.filler_bits)
    assert [step for _, step in watch.steps] == [Step.DOWN]
    waits = [later - earlier for earlier, later in itertools.pairwise(trials)]
    assert waits == sorted(waits) and waits[0] >= 10 and waits[-1] >= 300
    assert watch.most_sent_on_sub <= 500_000 * 1.09


def test_a_way_that_has_become_wide_again_gets_the_main_stream_again() -> None:
    watch = Watch(carries=500_000)
    watch.pass_seconds(20)
    assert not watch.on_main
    watch.carries = 10_000_000
    watch.pass_seconds(120)
    assert [step for _, step in watch.steps] == [Step.DOWN, Step.UP] and watch.on_main
    assert watch.judge.filler_bits == 0


def test_the_wait_begins_anew_only_after_a_minute_of_the_main_stream() -> None:
    link = LinkEstimate(0, 0)
    judge = StreamJudge(link)
    now_ns, waits = SECOND, []
    for held in (5, 70, 5):
        for estimate in (10 * MAIN, 100_000):
            link.receiver_says(estimate, now_ns)
        while judge.look(now_ns, MAIN) is not Step.DOWN:
            now_ns += SECOND
        down_ns = now_ns
        link.receiver_says(10 * MAIN, now_ns)
        while judge.look(now_ns, MAIN) is not Step.UP:
            now_ns += SECOND
        waits.append((now_ns - down_ns) // SECOND)
        for _ in range(held):
            now_ns += SECOND
            assert judge.look(now_ns, MAIN) is Step.STAY
    assert waits == [10, 20, 10]


@pytest.mark.parametrize("fraction", [0.0, 0.05])
def test_what_a_bad_wireless_link_loses_is_no_reason_to_step_down(fraction: float) -> None:
    link = LinkEstimate(0, 0)
    judge = StreamJudge(link)
    for second in range(120):
        sent = second * MAIN / PACKET_BITS
        link.receiver_got(round(sent), round(sent * fraction), PACKET_BITS / 8, second * SECOND)
        assert judge.look(second * SECOND, MAIN) is Step.STAY


def test_without_estimates_of_the_receiver_losses_alone_decide() -> None:
    link = LinkEstimate(0, 0)
    judge = StreamJudge(link)
    steps = []
    for second in range(1, 8):
        sent = second * MAIN // PACKET_BITS
        link.receiver_got(sent - 1, sent * 3 // 4, PACKET_BITS / 8, second * SECOND)
        steps.append(judge.look(second * SECOND, MAIN))
    assert Step.DOWN in steps and link.bits == MAIN / 4, "what got through"


def test_how_long_a_burst_would_take_is_known_of_narrow_ways_only() -> None:
    link = LinkEstimate(0, 0)
    link.receiver_says(800_000, SECOND)
    assert link.seconds_for(100_000, SECOND) == 0
    link.receiver_says(400_000, 2 * SECOND)
    assert link.seconds_for(100_000, 3 * SECOND) == 2
    assert link.seconds_for(100_000, 90 * SECOND) == 0
