"""PLACEHOLDER scenario_apply/dataset/lint."""
