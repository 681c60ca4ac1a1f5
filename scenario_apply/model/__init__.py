"""PLACEHOLDER scenario_apply/model."""
