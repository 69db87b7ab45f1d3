"""The demo's city: sixteen cameras, each showing one of the films at its own point of the loop.

Streets and districts are Suwon's; nothing shown there is real. Some cameras stand within 500 m of each other, as the
cameras of one incident do: by the station, by Paldalmun, by the city hall, by Manseok park. Others stand alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

RTSP = "rtsp://127.0.0.1:8554"
Rule = dict[str, Any]

RULES: dict[str, dict[str, tuple[Rule, ...]]] = {
    "alley": {"waste-spot": ({"kind": "dumping", "owner_gone_seconds": 10.0},)},
    "street": {"hydrant": ({"kind": "parking", "dwell_seconds": 10.0},)},
    "carpark": {"lot": ({"kind": "fire", "confirm_seconds": 3.0},)},
    "school_gate": {"gate": ({"kind": "loitering", "dwell_seconds": 10.0},)},
    "playground": {"playground": ({"kind": "intrusion"},)},
    "underpass": {
        "lay-by": ({"kind": "parking", "dwell_seconds": 10.0},),
        "portal": ({"kind": "fire", "confirm_seconds": 3.0},),
    },
    "bus_stop": {
        "stop": ({"kind": "parking", "dwell_seconds": 15.0},),
        "shelter": (
            {"kind": "dumping", "owner_gone_seconds": 10.0},
            {"kind": "loitering", "dwell_seconds": 60.0},
        ),
    },
    "back_gate": {
        "wall-side": ({"kind": "dumping", "owner_gone_seconds": 10.0},),
        "lane": ({"kind": "parking", "dwell_seconds": 10.0},),
    },
}


@dataclass(frozen=True, slots=True)
class Post:
    """One camera: what it shows, from which second of the loop, and who it says it is."""

    id: str
    film: str
    phase_seconds: float
    name: str
    kind: tuple[str, str]  # category and purpose
    latitude: float
    longitude: float


_LANE = ("neighbourhood_crime_prevention", "crime prevention and illegal dumping (방범, 쓰레기 무단투기)")
_ROAD = ("road_crime_prevention", "crime prevention and illegal dumping (방범, 쓰레기 무단투기)")
_PARKING = ("illegal_parking", "enforcement against illegal parking (불법주정차 단속)")
_FIRE = ("disaster", "safety and fire prevention (시설안전, 화재예방)")
_FOREST = ("forest_fire_watch", "fire watch at the edge of the wood (산불감시)")
_SCHOOL = ("school_zone", "child protection (어린이 보호)")
_PARK = ("park_safety", "park safety (공원 안전)")
_UNDERPASS = ("underpass", "traffic and flood prevention (교통, 침수 예방)")
_TRAFFIC = ("traffic", "traffic (교통)")

POSTS: tuple[Post, ...] = (
    Post("seodun-alley", "alley", 0.0, "서둔동 골목 1 Seodun-dong Alley", _LANE, 37.2651, 126.9962),
    Post("jidong-market", "alley", 25.0, "지동시장 뒷길 Ji-dong Market Lane", _ROAD, 37.2784, 127.0186),
    Post("maetan-ro", "street", 0.0, "매탄로 142 Maetan-ro", _PARKING, 37.2650, 127.0392),
    Post("ingye-ro", "street", 21.0, "인계로 소화전 Ingye-ro Hydrant", _PARKING, 37.2655, 127.0335),
    Post("haenggung-lot", "carpark", 0.0, "행궁 공영주차장 Haenggung Car Park", _FIRE, 37.2806, 127.0143),
    Post("gwanggyo-lot", "carpark", 51.0, "광교 환승주차장 Gwanggyo Car Park", _FOREST, 37.2986, 127.0516),
    Post("yeongtong-school", "school_gate", 0.0, "영통초 정문 Yeongtong School Gate", _SCHOOL, 37.2517, 127.0710),
    Post("jeongja-school", "school_gate", 19.0, "정자초 정문 Jeongja School Gate", _SCHOOL, 37.2979, 126.9972),
    Post("manseok-park", "playground", 0.0, "만석공원 놀이터 Manseok Park", _PARK, 37.3002, 126.9998),
    Post("hyowon-park", "playground", 17.0, "효원공원 놀이터 Hyowon Park", _PARK, 37.2622, 127.0353),
    Post("hwaseo-underpass", "underpass", 0.0, "화서지하차도 Hwaseo Underpass", _UNDERPASS, 37.2843, 126.9897),
    Post("godeung-underpass", "underpass", 15.0, "고등지하차도 Godeung Underpass", _UNDERPASS, 37.2700, 126.9998),
    Post("suwon-station", "bus_stop", 0.0, "수원역 정류장 Suwon Station Stop", _TRAFFIC, 37.2661, 127.0003),
    Post("paldal-gate", "bus_stop", 22.0, "팔달문 정류장 Paldalmun Stop", _TRAFFIC, 37.2776, 127.0169),
    Post("yulcheon-back", "back_gate", 0.0, "율천동 후문 Yulcheon-dong Back Gate", _LANE, 37.2977, 126.9716),
    Post("gokseon-back", "back_gate", 27.0, "곡선동 후문 Gokseon-dong Back Gate", _ROAD, 37.2436, 127.0355),
)  # fmt: skip


def mounts(films: Sequence[str]) -> dict[str, Any]:
    """For `streams.virtual`: one mount a post whose film there is."""
    return {
        "host": "127.0.0.1",
        "port": 8554,
        "mounts": [
            {
                "name": post.id,
                "main": f"clips/{post.film}.mp4",
                "sub": f"clips/{post.film}_sub.mp4",
                "phase_seconds": post.phase_seconds,
            }
            for post in POSTS
            if post.film in films
        ],
    }


def cameras(zones: dict[str, dict[str, tuple[tuple[float, float], ...]]]) -> dict[str, Any]:
    """As `config.settings.Settings` reads it. `zones`: polygons by film and zone name."""
    return {
        "cameras": [
            {
                "id": post.id,
                "name": post.name,
                "category": post.kind[0],
                "purpose": post.kind[1],
                "position": {"latitude": post.latitude, "longitude": post.longitude},
                "main": f"{RTSP}/{post.id}/main",
                "sub": f"{RTSP}/{post.id}/sub",
                "zones": [
                    {"name": name, "polygon": [list(point) for point in polygon], "rules": list(RULES[post.film][name])}
                    for name, polygon in zones[post.film].items()
                ],
            }
            for post in POSTS
            if post.film in zones
        ]
    }
