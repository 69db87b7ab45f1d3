from __future__ import annotations

import math

import pytest

from config.settings import Camera, DeskSettings, Position
from control_center.geography import meters_between
from control_center.incidents.grants import cameras_near


def geodesic(first: Position, second: Position) -> float:
    """T. Vincenty, Direct and Inverse Solutions of Geodesics on the Ellipsoid, Survey Review 23 (1975): to 0.1 mm."""
    a, f = 6378137.0, 1 / 298.257223563
    b = a * (1 - f)
    u1, u2 = (math.atan((1 - f) * math.tan(math.radians(p.latitude))) for p in (first, second))
    apart = math.radians(second.longitude - first.longitude)
    lam = apart
    for _ in range(100):
        sin_sigma = math.hypot(
            math.cos(u2) * math.sin(lam),
            math.cos(u1) * math.sin(u2) - math.sin(u1) * math.cos(u2) * math.cos(lam),
        )
        cos_sigma = math.sin(u1) * math.sin(u2) + math.cos(u1) * math.cos(u2) * math.cos(lam)
        sigma = math.atan2(sin_sigma, cos_sigma)
        sin_alpha = math.cos(u1) * math.cos(u2) * math.sin(lam) / sin_sigma
        cos2_alpha = 1 - sin_alpha**2
        middle = cos_sigma - 2 * math.sin(u1) * math.sin(u2) / cos2_alpha if cos2_alpha else 0.0
        c = f / 16 * cos2_alpha * (4 + f * (4 - 3 * cos2_alpha))
        step = sigma + c * sin_sigma * (middle + c * cos_sigma * (2 * middle**2 - 1))
        lam = apart + (1 - c) * f * sin_alpha * step
    u_squared = cos2_alpha * (a * a - b * b) / (b * b)
    big_a = 1 + u_squared / 16384 * (4096 + u_squared * (u_squared * (320 - 175 * u_squared) - 768))
    big_b = u_squared / 1024 * (256 + u_squared * (u_squared * (74 - 47 * u_squared) - 128))
    inner = cos_sigma * (2 * middle**2 - 1)
    inner -= big_b / 6 * middle * (4 * sin_sigma**2 - 3) * (4 * middle**2 - 3)
    return b * big_a * (sigma - big_b * sin_sigma * (middle + big_b / 4 * inner))


@pytest.mark.parametrize("latitude", [-59.5, -10.0, 0.0, 33.2, 37.26, 38.6, 59.5])
@pytest.mark.parametrize("meters", [5, 500, 20_000])
@pytest.mark.parametrize("bearing", [0, 45, 90, 200])
def test_distances_are_those_on_the_ellipsoid(latitude: float, meters: float, bearing: float) -> None:
    north = meters * math.cos(math.radians(bearing)) / 111_000
    east = meters * math.sin(math.radians(bearing)) / (111_000 * math.cos(math.radians(latitude)))
    here = Position(latitude=latitude, longitude=127.03)
    there = Position(latitude=latitude + north, longitude=127.03 + east)
    assert meters_between(here, there) == pytest.approx(geodesic(here, there), rel=1e-5, abs=1e-3)
    assert meters_between(here, there) == meters_between(there, here)


def test_a_known_distance() -> None:
    """Suwon's city hall to Hwaseong Fortress' Paldalmun."""
    hall = Position(latitude=37.263476, longitude=127.028646)
    gate = Position(latitude=37.277720, longitude=127.016950)
    assert meters_between(hall, gate) == pytest.approx(geodesic(hall, gate), abs=0.02)
    assert meters_between(hall, hall) == 0.0


def test_the_date_line_is_no_wall() -> None:
    west, east = Position(latitude=0, longitude=179.999), Position(latitude=0, longitude=-179.999)
    assert meters_between(west, east) == pytest.approx(222.64, abs=0.1)


def camera(camera_id: str, north: float | None, enabled: bool = True) -> Camera:
    """`north`: metres north of the first one."""
    position = None if north is None else {"latitude": 37.26 + north / 110_989, "longitude": 127.03}
    return Camera.model_validate(
        {
            "id": camera_id,
            "name": camera_id,
            "purpose": "crime prevention",
            "main": "rtsp://127.0.0.1/x",
            "position": position,
            "enabled": enabled,
        }
    )


def near(*cameras: Camera, of: str = "here", **limits: float) -> list[str]:
    return cameras_near({one.id: one for one in cameras}, of, DeskSettings.model_validate(limits))


def test_the_nearest_come_first_and_the_own_camera_before_all() -> None:
    city = [camera("far", 499.5), camera("here", 0), camera("b", -20), camera("a", 20), camera("out", 500.5)]
    assert near(*city)[0] == "here"
    assert set(near(*city)[1:3]) == {"a", "b"}
    assert near(*city)[3:] == ["far"]


def test_no_more_than_were_asked_for_and_none_that_is_switched_off_or_stands_nowhere() -> None:
    city = [camera("here", 0), camera("off", 1, enabled=False), camera("lost", None), camera("a", 5), camera("b", 9)]
    assert near(*city) == ["here", "a", "b"]
    assert near(*city, max_cameras=2) == ["here", "a"]
    assert near(*city, max_cameras=1) == ["here"]
    assert near(*city, radius_meters=6) == ["here", "a"]


def test_an_incident_whose_camera_stands_nowhere_has_that_camera_alone() -> None:
    city = [camera("here", 0), camera("lost", None)]
    assert near(*city, of="lost") == ["lost"]
    assert near(*city, of="removed-since") == ["removed-since"]


def test_two_cameras_of_one_pole_are_both_there() -> None:
    assert near(camera("here", 0), camera("z", 0), camera("y", 0)) == ["here", "y", "z"]
