"""manifest/yaml/own_maps.py: what an entry shares with others is set for that entry alone."""

from __future__ import annotations

import pytest

from scenario_apply.manifest.spec import Json
from scenario_apply.manifest.yaml.edits import YamlEdit, with_values
from scenario_apply.manifest.yaml.own_maps import CannotEdit, line_of_use

BASE = """\
x-all: &all
  type: flux.1-lora
  epoch: 5
  parameters: { rank: "{{ r }}", nbEpochs: 9, learningRate: 2e-4 }   # slow
x-more: &more { tags: [a, "b c"] }
"""
KAEL = ("models", "kael")
EPOCH = YamlEdit((*KAEL, "epoch"), 8)
RATE = YamlEdit((*KAEL, "parameters", "learningRate"), 1e-05)


def edited(entry: str, *edits: YamlEdit) -> str:
    """The models as they are then. What is above them is as it was."""
    text = with_values(f"{BASE}models:\n{entry}", edits)
    assert text.startswith(f"{BASE}models:\n")
    return text[len(f"{BASE}models:\n") :]


@pytest.mark.parametrize(
    ("entry", "edit", "then"),
    [
        ("  kael:\n    <<: *all\n", EPOCH, "  kael:\n    <<: *all\n    epoch: 8\n"),
        ("  kael: { <<: [*all, *more] }\n", EPOCH, "  kael: { <<: [*all, *more], epoch: 8 }\n"),
        ("  kael: *all   # him\n", EPOCH, "  kael: { <<: *all, epoch: 8 }   # him\n"),
        (
            "  kael:\n    <<: *all   # as all\n    name: K\n",
            RATE,
            "  kael:\n    <<: *all   # as all\n    name: K\n"
            '    parameters: { rank: "{{ r }}", nbEpochs: 9, learningRate: 1e-05 }\n',
        ),
        (
            "  kael:\n    <<: *all\n    parameters: *more\n",
            RATE,
            "  kael:\n    <<: *all\n    parameters: { <<: *more, learningRate: 1e-05 }\n",
        ),
    ],
)
def test_an_entry_gets_a_map_of_its_own(entry: str, edit: YamlEdit, then: str) -> None:
    """By a merge key where it has an alias. What a merge key brings in is written out, with its templates."""
    assert edited(entry, edit) == then


def test_a_template_of_others_is_replaced_for_this_entry_alone() -> None:
    then = "    parameters: { rank: 8, nbEpochs: 9, learningRate: 2e-4 }\n"
    rank = YamlEdit((*KAEL, "parameters", "rank"), 8)
    assert edited("  kael:\n    <<: *all\n", rank) == f"  kael:\n    <<: *all\n{then}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("models:\n  kael: &k\n    epoch: 8\n  kai:\n    <<: *k\n", 5),
        ("models:\n  kael:\n    epoch: 8\n    parameters:   &p\n      a: 1\n  kai: { parameters: *p }\n", 6),
        ("models: &m\n  kael: { epoch: 8 }\nx-other: *m\n", 3),
        ("models:\n  kael: &k { epoch: 8 }\n", None),
    ],
)
def test_the_line_that_shares_an_entry_is_known(text: str, line: int | None) -> None:
    assert line_of_use(text, (*KAEL, "parameters")) == line


@pytest.mark.parametrize(
    ("text", "key", "value", "line"),
    [
        ("x: &x { epoch: 5 }\nmodels:\n  kael:\n    <<: *x\n    name: K\n", "epoch", None, 1),
        ("models:\n  kael: { epoch: &e 5 }\n  kai: { epoch: *e }\n", "epoch", 8, 3),
        ('models:\n  kael:\n    type: z\n    epoch: "{{ e }}"\n', "epoch", 8, 4),
    ],
)
def test_what_cannot_be_set_is_refused_with_its_line(text: str, key: str, value: Json, line: int) -> None:
    """What a merge key brings in cannot be removed; a value whose anchor others use cannot be changed."""
    with pytest.raises(CannotEdit) as caught:
        with_values(text, [YamlEdit((*KAEL, key), value, removed=value is None)])
    assert caught.value.line == line


def test_an_alias_and_an_anchor_that_nothing_uses_are_no_obstacle() -> None:
    text = "x-e: &e 5\nmodels:\n  kael:\n    epoch: *e   # of all\n    scale: &s 1\n"
    edits = [EPOCH, YamlEdit((*KAEL, "scale"), 2)]
    then = text.replace("epoch: *e", "epoch: 8").replace("&s 1", "&s 2")
    assert with_values(text, edits) == then


def test_a_model_within_shared_models_is_edited_where_it_is() -> None:
    for models in ("models: *m\n", "models:\n  <<: *m\n  kai: { type: z }\n"):
        text = f"x-m: &m\n  kael:\n    type: z\n{models}"
        assert with_values(text, [EPOCH]) == text.replace("type: z\n", "type: z\n    epoch: 8\n", 1)
