"""One algorithm a file: ask, tell, state, load_state."""
