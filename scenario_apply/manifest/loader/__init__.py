"""PLACEHOLDER scenario_apply/manifest/loader."""
