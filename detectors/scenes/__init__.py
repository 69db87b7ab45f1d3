"""Rendered scenes with exact truth, for training, tests and the demo's clips.

No worker and no center imports this package: it makes pictures and their truth, ahead of time. Only `haechi score`
reads the truth (`detectors.scenes.truth`).

A scene is a flat world in metres: x to the right, y away from the camera, z up. Things are clouds of surfels
(small oriented discs), lit and splatted through the same camera as the painted ground and walls, so that size,
perspective, shading, shadows and occlusion agree. Colours are BGR; those that are lit are linear, 0..1.
"""
