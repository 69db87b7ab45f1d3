import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.kisa import (
    KIND,
    KisaAlarm,
    KisaAnswer,
    KisaError,
    KisaZone,
    read_answer,
    read_zones,
    write_answer,
    write_zones,
)

ANSWER = """<KisaLibraryIndex><Library><Clip>
 <Header><AlarmEvents>1</AlarmEvents><Filename>C00_001_0030.mp4</Filename></Header>
 <Alarms><Alarm><StartTime>00:02:15</StartTime><AlarmDescription>Loitering</AlarmDescription>
  <AlarmDuration>00:00:10</AlarmDuration></Alarm></Alarms>
</Clip></Library></KisaLibraryIndex>"""
ZONES = "<DA><DetectionAreas/><Loitering><Point>0,0</Point><Point>640,0</Point><Point>640,720</Point></Loitering></DA>"

PIXELS = st.tuples(st.integers(0, 1280), st.integers(0, 720)).map(lambda p: (p[0] / 1280, p[1] / 720))
ALARMS = st.lists(st.builds(KisaAlarm, st.sampled_from(sorted(KIND)), st.integers(0, 600), st.integers(0, 60)))


def test_an_answer_in_the_tests_own_form_is_read() -> None:
    answer = read_answer(ANSWER)
    assert answer == KisaAnswer("C00_001_0030.mp4", (KisaAlarm("Loitering", 135, 10),))
    assert answer.alarms[0].kind == "loitering"


def test_zones_come_as_fractions_of_the_picture() -> None:
    assert read_zones(ZONES) == (KisaZone("Loitering", ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0))),)


def test_a_clip_without_events_says_so() -> None:
    text = write_answer(KisaAnswer("a.mp4", ()))
    assert "<AlarmEvents>0</AlarmEvents>" in text and read_answer(text).alarms == ()


@given(ALARMS)
def test_what_is_written_is_read_back(alarms: list[KisaAlarm]) -> None:
    answer = KisaAnswer("C00_001_0030.mp4", tuple(alarms))
    assert read_answer(write_answer(answer)) == answer


@given(st.lists(PIXELS, min_size=3, max_size=9))
def test_zones_on_whole_pixels_are_read_back(points: list[tuple[float, float]]) -> None:
    zones = (KisaZone("FireDetection", tuple(points)),)
    assert read_zones(write_zones(zones)) == zones


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<DA><Loitering><Point>1,2</Point></Loitering></DA>", "needs three"),
        ("<DA><Loitering><Point>1;2</Point></Loitering></DA>", "not a point"),
        ("<DA><Loitering><Point>nan,2</Point></Loitering></DA>", "not a point"),
        ("<XX/>", "not DA"),
        ("<DA>", "not XML"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><DA/>', "document type"),
    ],
)
def test_a_bad_zone_file_is_refused_with_its_reason(text: str, says: str) -> None:
    with pytest.raises(KisaError, match=says):
        read_zones(text)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("<AlarmEvents>1", "<AlarmEvents>2", "there are 1 alarms"),
        ("00:02:15", "00:61:15", "not a time"),
        ("00:02:15", "-1:02:15", "not a time"),
        (">Loitering<", ">Dancing<", "unknown AlarmDescription"),
        ("C00_001_0030.mp4", "", "Filename is missing"),
    ],
)
def test_a_bad_answer_is_refused_with_its_reason(old: str, new: str, says: str) -> None:
    with pytest.raises(KisaError, match=says):
        read_answer(ANSWER.replace(old, new))
