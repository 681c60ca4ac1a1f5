"""Write the state.json of a case: what an apply of another manifest in its folder leaves behind.

    python -m tests.golden.record CASE BEFORE.yaml [FAILING-ADDRESS ...]

The pictures are those of case.yaml, or of its `pictures_before`. With a state.json in the folder already, the apply
goes on from there. observed.json, where a case needs another world than its state tells, starts as --observed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import yaml

from scenario_apply.apply.prepare import PlanOptions, make_plan
from scenario_apply.model.address import parse_address
from scenario_apply.state.state import State
from scenario_apply.state.state_file import state_from_json, state_to_json
from tests.golden.case import ROOT, read_manifest
from tests.golden.pictures import write_pictures
from tests.planning.situations import ENDPOINT, NOW, Service, as_text, world_of


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("case")
    parser.add_argument("before")
    parser.add_argument("fails", nargs="*")
    parser.add_argument("--observed", action="store_true")
    given = parser.parse_args()
    record(ROOT / given.case, given.before, given.fails, observed=given.observed)


def record(folder: Path, before: str, fails: list[str], *, observed: bool = False, consent: bool = True) -> None:
    """Apply the manifest `before` of the folder in memory; write state.json. consent: old versions may be deleted."""
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch) / folder.name
        shutil.copytree(folder, here)
        about = yaml.safe_load((here / "case.yaml").read_text(encoding="utf-8"))
        write_pictures(here, about.get("pictures_before", about.get("pictures", {})))
        manifest, datasets = read_manifest(here, before)
        state, service = State(endpoint=ENDPOINT), Service()
        if (here / "state.json").exists():
            state = state_from_json(json.loads((here / "state.json").read_text()), source="state.json")
            service = Service.as_recorded(state)
        prepared = make_plan(world_of(service, state), manifest, datasets, PlanOptions(allow_destroy=consent), NOW)
        state = service.carry_out(
            prepared.plan, prepared.state, prepared.edits, fails=frozenset(map(parse_address, fails))
        )
    (folder / "state.json").write_text(as_text(state_to_json(state, tool_version="0.1.0")), encoding="utf-8")
    if observed:
        (folder / "observed.json").write_text(as_text(service.to_json()), encoding="utf-8")


if __name__ == "__main__":
    main()
