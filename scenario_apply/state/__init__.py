"""PLACEHOLDER scenario_apply/state."""
