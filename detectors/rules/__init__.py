"""Rules: what happens in a zone, told from tracks, standing changes and the picture. One module a rule."""
