"""From YAML text to a manifest whose every value knows where it stands."""
