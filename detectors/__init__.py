"""Pictures: detector backends, tracker, zones, rules and events. Frames in, events out; no I/O at run time."""
