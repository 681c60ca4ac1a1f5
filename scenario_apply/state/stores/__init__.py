"""Where the recorded world is kept: the state file, its journal and its lock."""
