"""The demo's places, one module each: `film()` gives the clip. Fixed lists, apart from training's random stages."""
