"""Tests of scenario_apply/fleet/."""
