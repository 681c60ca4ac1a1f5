"""Every kept seed through its target, and a fixed number of changed ones. `make fuzz` does the same for longer."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fuzz.mutate import mutated
from tests.fuzz.targets import TARGETS

MUTATIONS = 60
_SEEDS = [(name, seed) for name, target in TARGETS.items() for seed in target.seeds()]


@pytest.mark.parametrize(("name", "seed"), _SEEDS)
def test_a_kept_seed_ends_in_a_value_or_an_error_of_ours(name: str, seed: str, tmp_path: Path) -> None:
    """What once broke a reader, and a whole example of each kind of file."""
    target = TARGETS[name]
    target.run(target.seeds()[seed], tmp_path)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("name", tuple(TARGETS))
def test_changed_seeds_end_in_a_value_or_an_error_of_ours(name: str, tmp_path: Path) -> None:
    """The same changes in every run."""
    target = TARGETS[name]
    draw = random.Random(20_260_801)
    seeds = list(target.seeds().values())
    for number in range(MUTATIONS):
        folder = tmp_path / str(number)
        folder.mkdir()
        target.run(mutated(draw, seeds, target.words), folder)


def test_nodes_of_json_documents_are_replaced_by_nodes_of_other_kinds() -> None:
    """The mutator reaches every node: each of these three is gone in some of a hundred changed copies."""
    draw = random.Random(1)
    copies = [mutated(draw, [b'{"a": [1, {"b": "text"}], "c": 2.5}']) for _ in range(100)]
    for part in (b'"text"', b"[1", b"2.5"):
        assert any(part not in copy for copy in copies)
        assert any(part in copy for copy in copies)
