"""PLACEHOLDER scenario_apply/manifest/yaml."""
