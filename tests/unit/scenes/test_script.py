"""The script moves as the truth says."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from detectors.scenes.burning import Blaze
from detectors.scenes.film import AWAY_METRES, BODY_RADIUS, Area, Film, Ignition
from detectors.scenes.people import Person, clothed
from detectors.scenes.script import Driver, Halt, Hold, Thing, Walker
from detectors.scenes.things import BLACK_BAG, bag
from detectors.scenes.truth import LEFT_SECONDS, ClipTruth, TruthError, TruthEvent, load_truth
from detectors.scenes.vehicle_shapes import PAINTS, SEDAN
from detectors.scenes.vehicles import car
from tests.unit.scenes.small_stage import small_stage

ZONE = Area("zone", ((-2.0, 8.0), (2.0, 8.0), (2.0, 12.0), (-2.0, 12.0)))


@pytest.fixture(scope="module")
def somebody() -> Person:
    return clothed(np.random.default_rng(1), tall=1.7)


def film(**more: object) -> Film:
    return Film("test", small_stage(), 20.0, fps=4, areas=(ZONE,), **more)  # type: ignore[arg-type]


def test_a_walker_goes_without_jumps_and_is_there_in_time(somebody: Person) -> None:
    walker = Walker(somebody, 2.0, (-6.0, 10.0)).walk((0.0, 10.0), speed=1.5).stand(3.0).walk((0.0, 16.0), speed=1.0)
    assert walker.end == pytest.approx(2.0 + 4.0 + 3.0 + 6.0)
    spots = [walker.stance(t) for t in np.arange(2.0, walker.end, 0.05)]
    steps = [math.dist((a.x, a.y), (b.x, b.y)) for a, b in pairwise(spots) if a and b]
    assert max(steps) <= 1.5 * 0.05 + 1e-6
    assert walker.stance(1.99) is None and walker.stance(walker.end) is None


def test_loitering_starts_when_the_whole_body_is_inside_and_the_dwell_is_over(somebody: Person) -> None:
    walker = Walker(somebody, 0.0, (-6.0, 10.0)).walk((0.0, 10.0), speed=1.0).stand(12.0)
    scene = film(walkers=[walker])
    scene.loitered(walker, "zone", 10.0)
    scene.intruded(walker, "zone")
    inside = 6.0 - 2.0 + BODY_RADIUS
    starts = {event[0]: event[2] for event in scene.events}
    assert starts == {"loitering": pytest.approx(inside + 10.0, abs=0.05), "intrusion": pytest.approx(inside, abs=0.05)}


def test_one_who_never_comes_in_gives_no_truth(somebody: Person) -> None:
    walker = Walker(somebody, 0.0, (-6.0, 5.0)).walk((6.0, 5.0))
    with pytest.raises(ValueError, match="never is inside zone"):
        film(walkers=[walker]).intruded(walker, "zone")


def test_dumping_starts_ten_seconds_after_the_owner_is_away(somebody: Person) -> None:
    owner = Walker(somebody, 0.0, (-4.0, 10.0), "owner").carrying("right").walk((0.0, 10.0), speed=2.0).bend()
    down, spot = owner.lowest, owner.reach(0.5)
    owner.carrying("").walk((-6.0, 10.0), speed=1.0)
    thing = Thing(
        "bag", bag(BLACK_BAG, 0.5, np.random.default_rng(2)), 0.48, (Hold(0.0, owner), Hold(down, spot=(*spot, 0.0)))
    )
    scene = film(walkers=[owner], things=[thing])
    scene.dumped(thing, owner, "zone")
    kind, _, start, end, cause, _ = scene.events[0]
    left = start - LEFT_SECONDS
    stance = owner.stance(left)
    assert kind == "dumping" and cause == down and end == scene.seconds and stance is not None
    assert math.dist((stance.x, stance.y), spot) == pytest.approx(AWAY_METRES, abs=0.1)


def test_a_carried_thing_hangs_at_the_hand_and_stays_where_it_was_put(somebody: Person) -> None:
    owner = Walker(somebody, 0.0, (-4.0, 10.0)).carrying("right").walk((0.0, 10.0), speed=2.0).bend()
    down, spot = owner.lowest, owner.reach(0.5)
    thing = Thing(
        "bag", bag(BLACK_BAG, 0.5, np.random.default_rng(2)), 0.48, (Hold(0.0, owner), Hold(down, spot=(*spot, 0.0)))
    )
    carried, hand = thing.surfels(1.0), owner.hand(1.0, "right")
    assert carried is not None and hand is not None
    assert math.dist(carried.positions[:, :2].mean(axis=0), hand[0][:2]) < 0.15
    assert carried.positions[:, 2].min() > 0.05
    put = [thing.surfels(t) for t in (down + 0.1, down + 5.0)]
    assert put[0] is not None and put[1] is not None and np.array_equal(put[0].positions, put[1].positions)
    assert put[0].positions[:, 2].min() < 0.02


def test_a_driver_stops_where_and_as_long_as_told() -> None:
    vehicle = car(SEDAN, PAINTS["white"], np.random.default_rng(3), density=200)
    driver = Driver("car", vehicle, 1.0, [(-30.0, 12.0), (30.0, 12.0)], 8.0, (Halt(30.0, 6.0),))
    (start, end) = driver.stops[0]
    assert end - start == pytest.approx(6.0)
    places = [driver.place(t) for t in np.linspace(start + 0.05, end - 0.05, 20)]
    assert all(place is not None and abs(place[0]) < 0.1 for place in places)
    before, after = driver.place(start - 1.0), driver.place(end + 2.0)
    assert before is not None and after is not None and before[0] < -0.5 and after[0] > 1.0
    scene = film(drivers=[driver])
    scene.parked(driver, "zone", 10.0)
    assert scene.events[0][2] == pytest.approx(start + 10.0)


def test_a_fire_may_be_alarmed_from_one_to_thirteen_seconds_after_ignition() -> None:
    scene = film(ignitions=[Ignition("drum", Blaze(), 1, 0.0, 10.0, start=5.0, out=12.0)])
    scene.burned(scene.ignitions[0], "zone")
    start = scene.events[0][2]
    assert (start - 2.0, start + 10.0) == (5.0 + 1.0, 5.0 + 13.0)


def test_the_cast_comes_round_with_the_loop(somebody: Person) -> None:
    """Who walks over the seam goes on at the start of the clip."""
    walker = Walker(somebody, 17.0, (-6.0, 10.0), "late").walk((6.0, 10.0), speed=1.5)
    scene = film(walkers=[walker])
    shown = {
        number: [thing for thing in seen if thing.name == "late"] for number, (_, _, seen) in enumerate(scene.frames())
    }
    last, first = shown[scene.pictures - 1][0].box, shown[0][0].box
    step = shown[scene.pictures - 1][0].box[0] - shown[scene.pictures - 2][0].box[0]
    assert 0 < first[0] - last[0] < 2 * step + 4


def test_the_same_film_is_drawn_the_same(somebody: Person) -> None:
    walker = Walker(somebody, 0.0, (-3.0, 10.0)).walk((3.0, 10.0))
    scene = film(walkers=[walker], ignitions=[Ignition("drum", Blaze(), 1, 1.0, 9.0, start=0.5, out=9.0)])
    first = [picture for (_, picture, _), _ in zip(scene.frames(), range(8), strict=False)]
    second = [picture for (_, picture, _), _ in zip(scene.frames(), range(8), strict=False)]
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[0], first[7])


def test_truth_is_read_back_as_written(tmp_path: Path) -> None:
    event = TruthEvent("fire", "lot", 8.0, 20.0, (0.1, 0.2, 0.3, 0.4), 5.0)
    truth = ClipTruth("a.mp4", 20.0, 12.0, (1280, 720), {"lot": ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))}, (event,))
    file = tmp_path / "a.json"
    file.write_text(truth.to_json())
    assert load_truth(file) == truth


@pytest.mark.parametrize("text", ["", "{}", '{"clip": "a", "events": [{}]}', "[1]"])
def test_a_file_that_is_no_truth_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken.json"
    file.write_text(text)
    with pytest.raises(TruthError, match=r"broken\.json"):
        load_truth(file)
