"""config: the manifest once everything is resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.faces import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.faces.call import Call

EXAMPLES = """
  scenario-apply config manifests/quickstart
  scenario-apply config scenario.yaml --var base_rate=5e-5 --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser)
    options.formats(parser, "yaml", "json", default="yaml")


def run(call: Call) -> int:
    """A manifest again, that stands in the place of the one read; secrets are masked."""
    import json

    from scenario_apply.faces.views.config_text import readable
    from scenario_apply.faces.views.yaml_text import yaml_text
    from scenario_apply.faces.wiring import open_manifest

    manifest = open_manifest(call.settings)
    call.warn(manifest.problems)
    values = readable(manifest.expanded)
    if call.arguments.format == "json":
        call.show(json.dumps(values, indent=2, ensure_ascii=False) + "\n")
    else:
        call.show(yaml_text(values))
    return 0
