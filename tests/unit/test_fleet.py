from __future__ import annotations

from config.settings import Camera
from control_center.fleet import FORGOTTEN_AFTER_SECONDS, SILENT_AFTER_SECONDS, Fleet, Heartbeat, StreamReport

GATE = Camera(id="gate", name="Gate", purpose="x", main="rtsp://a/b", sub="rtsp://a/c")
ALLEY = Camera(id="alley", name="Alley", purpose="x", main="rtsp://a/d")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def beat(url: str = "http://h:1", **cameras: dict[str, str]) -> Heartbeat:
    streams = {
        camera: {name: StreamReport(state=state) for name, state in streams.items()}  # type: ignore[arg-type]
        for camera, streams in cameras.items()
    }
    return Heartbeat(base_url=url, pid=1, cameras=streams)  # type: ignore[arg-type]


def test_a_change_is_given_once() -> None:
    fleet = Fleet([GATE, ALLEY], clock=Clock())
    changed = fleet.hear("w0", beat(gate={"main": "live", "sub": "live"}))
    assert [(status.camera_id, status.state) for status in changed] == [("gate", "live")]
    assert fleet.hear("w0", beat(gate={"main": "live", "sub": "live"})) == []


def test_a_silent_workers_cameras_are_connecting_until_it_is_heard_again() -> None:
    clock = Clock()
    fleet = Fleet([GATE, ALLEY], clock=clock)
    fleet.hear("w0", beat(alley={"main": "live"}))
    clock.now += SILENT_AFTER_SECONDS
    assert fleet.changes() == []
    clock.now += 0.1
    (status,) = fleet.changes()
    assert (status.state, status.reason) == ("connecting", "worker w0 not answering")
    assert fleet.changes() == []
    (status,) = fleet.hear("w0", beat(alley={"main": "live"}))
    assert status.state == "live"


def test_a_camera_that_moved_belongs_to_the_worker_heard_last() -> None:
    clock = Clock()
    fleet = Fleet([ALLEY], clock=clock)
    fleet.hear("w0", beat("http://h:1", alley={"main": "live"}))
    clock.now += 1
    fleet.hear("w1", beat("http://h:2", alley={"main": "connecting"}))
    worker = fleet.worker_of("alley")
    assert worker is not None and worker.base_url == "http://h:2"
    assert fleet.camera_status("alley").state == "connecting"


def test_trouble_stands_before_a_decision_and_a_decision_before_live() -> None:
    fleet = Fleet([GATE], clock=Clock())
    for main, sub, worst in (
        ("live", "disabled", "disabled"),
        ("disabled", "connecting", "connecting"),
        ("stalled", "connecting", "stalled"),
        ("stalled", "backing_off", "backing_off"),
    ):
        fleet.hear("w0", beat(gate={"main": main, "sub": sub}))
        assert fleet.camera_status("gate").state == worst


def test_a_camera_that_no_longer_is_in_a_heartbeat_has_no_worker() -> None:
    fleet = Fleet([ALLEY], clock=Clock())
    fleet.hear("w0", beat(alley={"main": "live"}))
    fleet.hear("w0", beat())
    assert fleet.camera_status("alley").reason == "no worker has this camera yet"


def test_a_worker_that_is_gone_for_long_is_forgotten_unless_it_is_expected() -> None:
    clock = Clock()
    fleet = Fleet([ALLEY], expected=["w0"], clock=clock)
    fleet.hear("w0", beat())
    fleet.hear("old", beat(alley={"main": "live"}))
    clock.now += FORGOTTEN_AFTER_SECONDS + 1
    fleet.changes()
    assert [(worker.worker_id, worker.is_answering) for worker in fleet.workers()] == [("w0", False)]


def test_cameras_come_change_and_go_while_the_others_keep_their_state() -> None:
    fleet = Fleet([GATE, ALLEY], clock=Clock())
    fleet.hear("w0", beat(gate={"main": "live", "sub": "live"}, alley={"main": "live"}))
    yard = ALLEY.model_copy(update={"id": "yard"})
    fleet.set_cameras([yard, GATE.model_copy(update={"sub": None})])
    changed = {status.camera_id: (status.state, len(status.streams)) for status in fleet.changes()}
    assert changed == {"yard": ("connecting", 1), "gate": ("live", 1)}
    assert [status.camera_id for status in fleet.camera_statuses()] == ["yard", "gate"]
    assert fleet.changes() == []
    fleet.set_cameras([ALLEY])
    assert [status.state for status in fleet.changes()] == ["live"]


def test_a_camera_that_is_switched_off_is_disabled_whatever_its_worker_says() -> None:
    fleet = Fleet([GATE.model_copy(update={"enabled": False})], clock=Clock())
    assert fleet.camera_status("gate").state == "disabled"
    assert fleet.hear("w0", beat(gate={"main": "backing_off", "sub": "live"})) != []
    status = fleet.camera_status("gate")
    assert (status.state, status.reason) == ("disabled", "switched off in the camera register")
    fleet.set_cameras([GATE])
    assert [status.state for status in fleet.changes()] == ["backing_off"]
