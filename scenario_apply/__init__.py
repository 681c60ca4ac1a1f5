"""scenario-apply: a declarative runner for Scenario training manifests."""
