"""Korean letters from strokes, for signs: no font is needed and none is shipped.

A syllable is taken apart by its place in Unicode (AC00 + (initial * 21 + vowel) * 28 + final) and its letters are
drawn into the boxes where a plain sign-writer would put them.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Stroke = tuple[tuple[float, float], ...]
Box = tuple[float, float, float, float]  # x, y, width, height in a unit square

_ROUND = tuple((0.5 + 0.5 * float(np.cos(a)), 0.5 + 0.5 * float(np.sin(a))) for a in np.linspace(0, 2 * np.pi, 17))
_LOW_ROUND = tuple((0.5 + 0.38 * (x - 0.5) * 2, 0.40 + 0.6 * y) for x, y in _ROUND)

_CONSONANTS: dict[str, tuple[Stroke, ...]] = {
    "ㄱ": (((0, 0), (1, 0), (0.85, 1)),),
    "ㄴ": (((0, 0), (0, 1), (1, 1)),),
    "ㄷ": (((1, 0), (0, 0), (0, 1), (1, 1)),),
    "ㄹ": (((0, 0), (1, 0), (1, 0.5), (0, 0.5), (0, 1), (1, 1)),),
    "ㅁ": (((0, 0), (1, 0), (1, 1), (0, 1), (0, 0)),),
    "ㅂ": (((0, 0), (0, 1), (1, 1), (1, 0)), ((0, 0.5), (1, 0.5))),
    "ㅅ": (((0.5, 0), (0.42, 0.45), (0, 1)), ((0.46, 0.4), (1, 1))),
    "ㅇ": (_ROUND,),
    "ㅈ": (((0, 0), (1, 0)), ((0.5, 0), (0.42, 0.5), (0, 1)), ((0.46, 0.45), (1, 1))),
    "ㅊ": (((0.3, 0), (0.7, 0)), ((0, 0.25), (1, 0.25)), ((0.5, 0.25), (0, 1)), ((0.47, 0.5), (1, 1))),
    "ㅋ": (((0, 0), (1, 0), (0.85, 1)), ((0, 0.5), (0.9, 0.5))),
    "ㅌ": (((1, 0), (0, 0), (0, 1), (1, 1)), ((0, 0.5), (1, 0.5))),
    "ㅍ": (((0, 0), (1, 0)), ((0.3, 0), (0.3, 1)), ((0.7, 0), (0.7, 1)), ((0, 1), (1, 1))),
    "ㅎ": (((0.3, 0), (0.7, 0)), ((0, 0.25), (1, 0.25)), _LOW_ROUND),
}
_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_FINALS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_DOUBLED = {
    "ㄲ": ("ㄱ", "ㄱ"),
    "ㄸ": ("ㄷ", "ㄷ"),
    "ㅃ": ("ㅂ", "ㅂ"),
    "ㅆ": ("ㅅ", "ㅅ"),
    "ㅉ": ("ㅈ", "ㅈ"),
    "ㅄ": ("ㅂ", "ㅅ"),
    "ㄺ": ("ㄹ", "ㄱ"),
    "ㄻ": ("ㄹ", "ㅁ"),
}
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_UPRIGHT: dict[str, tuple[Stroke, ...]] = {
    "ㅏ": (((0.3, 0), (0.3, 1)), ((0.3, 0.5), (1, 0.5))),
    "ㅑ": (((0.3, 0), (0.3, 1)), ((0.3, 0.35), (1, 0.35)), ((0.3, 0.65), (1, 0.65))),
    "ㅓ": (((0.7, 0), (0.7, 1)), ((0, 0.5), (0.7, 0.5))),
    "ㅕ": (((0.7, 0), (0.7, 1)), ((0, 0.35), (0.7, 0.35)), ((0, 0.65), (0.7, 0.65))),
    "ㅣ": (((0.5, 0), (0.5, 1)),),
    "ㅐ": (((0.1, 0), (0.1, 1)), ((0.1, 0.5), (0.8, 0.5)), ((0.8, 0), (0.8, 1))),
    "ㅔ": (((0.55, 0), (0.55, 1)), ((0, 0.5), (0.55, 0.5)), ((0.95, 0), (0.95, 1))),
}
_FLAT: dict[str, tuple[Stroke, ...]] = {
    "ㅗ": (((0, 1), (1, 1)), ((0.5, 0.1), (0.5, 1))),
    "ㅛ": (((0, 1), (1, 1)), ((0.35, 0.1), (0.35, 1)), ((0.65, 0.1), (0.65, 1))),
    "ㅜ": (((0, 0), (1, 0)), ((0.5, 0), (0.5, 1))),
    "ㅠ": (((0, 0), (1, 0)), ((0.35, 0), (0.35, 1)), ((0.65, 0), (0.65, 1))),
    "ㅡ": (((0, 0.5), (1, 0.5)),),
}
_MIXED = dict(zip("ㅘㅙㅚㅝㅞㅟㅢ", zip("ㅗㅗㅗㅜㅜㅜㅡ", "ㅏㅐㅣㅓㅔㅣㅣ", strict=True), strict=True))


def _letter(letter: str, box: Box) -> list[Stroke]:
    if letter in _DOUBLED:
        x, y, width, height = box
        first, second = _DOUBLED[letter]
        return _letter(first, (x, y, width * 0.44, height)) + _letter(
            second, (x + width * 0.56, y, width * 0.44, height)
        )
    strokes = _CONSONANTS.get(letter) or _UPRIGHT.get(letter) or _FLAT[letter]
    return [tuple((box[0] + px * box[2], box[1] + py * box[3]) for px, py in stroke) for stroke in strokes]


def strokes(syllable: str) -> list[Stroke]:
    """The strokes of one syllable in a unit square, y down. ValueError for anything else."""
    code = ord(syllable) - 0xAC00
    if not 0 <= code < 19 * 21 * 28:
        raise ValueError(f"{syllable!r} is not a Korean syllable")
    initial, vowel, final = _INITIALS[code // 588], _VOWELS[code // 28 % 21], _FINALS[code % 28]
    low = 0.56 if final != " " else 0.94
    alone = (vowel if vowel in _FLAT else "", vowel if vowel in _UPRIGHT else "")
    flat, upright = _MIXED.get(vowel, alone)
    wide = 0.50 if upright else 0.86
    tall = (low - 0.04) * (0.58 if flat else 0.92)
    found = _letter(initial, (0.06, 0.06, wide, tall))
    if flat:
        found += _letter(flat, (0.02, 0.06 + tall + 0.05, wide + 0.08, low - tall - 0.12))
    if upright:
        found += _letter(upright, (0.66, 0.02, 0.30, low))
    if final != " ":
        found += _letter(final, (0.14, 0.68, 0.72, 0.27))
    return found


def write(picture: NDArray[np.uint8], text: str, at: tuple[int, int], size: int, colour: tuple[int, int, int]) -> None:
    """Write `text` into `picture`, the top left corner at `at`, each syllable `size` pixels square; in place."""
    thick = max(1, round(size * 0.095))
    x, y = at
    for symbol in text:
        if symbol == " ":
            x += size // 2
            continue
        if ord(symbol) < 128:
            scale = size / 28
            cv2.putText(
                picture, symbol, (x, y + int(size * 0.88)), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thick, cv2.LINE_AA
            )
            x += int(size * 0.72)
            continue
        for stroke in strokes(symbol):
            points = np.array([(x + px * size, y + py * size) for px, py in stroke])
            cv2.polylines(picture, [np.round(points * 8).astype(np.int32)], False, colour, thick, cv2.LINE_AA, 3)
        x += int(size * 1.06)


def width_of(text: str, size: int) -> int:
    return sum(size // 2 if s == " " else int(size * (0.72 if ord(s) < 128 else 1.06)) for s in text)
