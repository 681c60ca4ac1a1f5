"""PLACEHOLDER scenario_apply/cli/progress."""
