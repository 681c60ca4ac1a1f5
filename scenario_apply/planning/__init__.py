"""PLACEHOLDER scenario_apply/planning."""
