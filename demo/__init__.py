"""The main job, end to end, as a user's program would run it: `make demo`."""
