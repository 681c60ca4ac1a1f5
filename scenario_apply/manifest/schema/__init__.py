"""PLACEHOLDER scenario_apply/manifest/schema."""
