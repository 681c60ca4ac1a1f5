"""PLACEHOLDER scenario_apply/api/rate."""
