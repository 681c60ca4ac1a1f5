"""config: the manifest once everything is resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply config manifests/quickstart
  scenario-apply config manifests/examples/variables.yaml --var base_rate=5e-5 --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser)
    options.formats(parser, "yaml", "json", default="yaml")


def run(call: Invocation) -> int:
    """A manifest again, that stands in the place of the one read; secrets are masked."""
    import json

    from scenario_apply.cli.wiring import open_manifest
    from scenario_apply.review.config_text import readable
    from scenario_apply.review.yaml_text import yaml_text

    manifest = open_manifest(call.settings)
    call.warn(manifest.problems)
    values = readable(manifest.expanded)
    if call.arguments.format == "json":
        call.show(json.dumps(values, indent=2, ensure_ascii=False) + "\n")
    else:
        call.show(yaml_text(values))
    return 0
