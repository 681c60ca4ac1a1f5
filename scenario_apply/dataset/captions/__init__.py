"""PLACEHOLDER scenario_apply/dataset/captions."""
