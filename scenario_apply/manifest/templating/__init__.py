"""PLACEHOLDER scenario_apply/manifest/templating."""
