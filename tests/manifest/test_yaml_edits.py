"""manifest/yaml/edits.py: one value is set, every other byte is as it was."""

from __future__ import annotations

import pytest

from scenario_apply.manifest.spec import Json
from scenario_apply.manifest.yaml.edits import YamlEdit, with_values
from scenario_apply.manifest.yaml.own_maps import CannotEdit

TEXT = """\
version: 1   # é
x-base: &base { name: Base }
models:
  kael:
    # first
    name: Kael   # shown
    type: flux.1-lora
    tags: [hero, "b c"]  # some
    description: >
      folded
      text
    # after
    parameters:
      nbEpochs: 10   # ten
  props: { type: x, name: 'It''s' }
  listed:
    type: z
    tags:
    - a   # one
    - b
  made: *base
  held: &anchor Some
  typed: !!str x
  said: "{{ x }}"
"""


def changed(*keys: str, value: Json, text: str = TEXT) -> tuple[list[str], list[str]]:
    """The lines that went and those that came."""
    new = with_values(text, [YamlEdit(("models", *keys), value)])
    before, after = text.split("\n"), new.split("\n")
    return [line for line in before if line not in after], [line for line in after if line not in before]


@pytest.mark.parametrize(
    ("keys", "value", "lines"),
    [
        (("kael", "name"), "Kael of the North", ["    name: Kael of the North   # shown"]),
        (("kael", "name"), 'a: "b" # c', ['    name: "a: \\"b\\" # c"   # shown']),
        (("kael", "name"), "no", ['    name: "no"   # shown']),
        (("kael", "name"), "1e5", ['    name: "1e5"   # shown']),
        (("kael", "name"), "x\u2028y\x85", ['    name: "x\\u2028y\\u0085"   # shown']),
        (("kael", "parameters", "nbEpochs"), 12, ["      nbEpochs: 12   # ten"]),
        (("kael", "parameters", "learningRate"), 1e-05, ["      learningRate: 1e-05"]),
        (("kael", "description"), "short", ["    description: short"]),
        (("kael", "tags"), ["hero", "x, y"], ['    tags: [hero, "x, y"]  # some']),
        (("props", "name"), "It's new", ["  props: { type: x, name: 'It''s new' }"]),
        (("props", "tags"), ["a"], ["  props: { type: x, name: 'It''s', tags: [a] }"]),
        (("listed", "tags"), ["b", "c"], ["    - c"]),
        (("listed", "name"), "Listed", ["    name: Listed"]),
    ],
)
def test_a_value_is_set_in_the_style_that_is_there(keys: tuple[str, ...], value: Json, lines: list[str]) -> None:
    assert changed(*keys, value=value)[1] == lines


def test_line_ends_of_windows_are_kept() -> None:
    text = TEXT.replace("\n", "\r\n")
    new = with_values(text, [YamlEdit(("models", "listed", "name"), "L"), YamlEdit(("models", "kael", "name"), "K")])
    assert new.count("\r\n") == new.count("\n") == text.count("\n") + 1


@pytest.mark.parametrize(
    ("keys", "value", "why"),
    [
        (("said",), "y", "it is a template"),
        (("kael", "name"), "{{ env.SCENARIO_X }}", "it would be read as a template"),
        (("typed",), "y", "it has a tag"),
        (("kael", "tags", "first"), "y", "it is not written as a map"),
        (("nobody", "name"), "y", "it is not written there itself"),
        (("kael", "parameters"), 5, "it is not written as one value"),
        (("listed", "tags"), [], "its last entry would go"),
    ],
)
def test_what_cannot_be_set_alone_is_refused(keys: tuple[str, ...], value: Json, why: str) -> None:
    with pytest.raises(CannotEdit, match=why):
        with_values(TEXT, [YamlEdit(("models", *keys), value)])


def test_a_value_that_comes_from_elsewhere_is_not_added() -> None:
    with pytest.raises(CannotEdit, match="it is not written there itself"):
        with_values(TEXT, [YamlEdit(("models", "listed", "name"), "y", may_be_new=False)])


BEST = """\
models:
  kael:
    type: flux.1-lora
    epoch: 8   # chosen
    best:   # by whom
      version: 2
      epoch: 8   # sharp
      x-note: kept
    parameters: { rank: 8, nbEpochs: 10 }
  props:
    best: { version: 1, why: "old" }   # here
    epoch: 3
"""


def edited(*edits: YamlEdit) -> list[str]:
    """The lines of BEST that go, with -, and those that come, with +."""
    before, after = BEST.split("\n"), with_values(BEST, edits).split("\n")
    gone = [f"-{line}" for line in before if line not in after]
    return gone + [f"+{line}" for line in after if line not in before]


def test_maps_are_set_where_they_are_written() -> None:
    """Key by key in a block, as a whole on one line; a new one on a line of its own."""
    best: Json = {"version": 3, "why": "a: b"}
    kael, props = ("models", "kael"), ("models", "props")
    assert edited(YamlEdit((*kael, "best"), best)) == [
        "-      version: 2",
        "-      epoch: 8   # sharp",
        "+      version: 3",
        '+      why: "a: b"',
    ]
    assert edited(YamlEdit((*props, "best"), best)) == [
        '-    best: { version: 1, why: "old" }   # here',
        '+    best: { version: 3, why: "a: b" }   # here',
    ]
    assert edited(YamlEdit((*kael, "samples"), {"a": 1})) == ["+    samples: { a: 1 }"]


def test_a_number_sign_within_a_value_is_no_comment() -> None:
    text = 'best: { version: 1, why: "issue #12", x: a#b } # here\ntags: ["#1", b]\nrank: { a: "#", b: 1 }\n'
    edits = [
        YamlEdit(("best",), {"version": 2}),
        YamlEdit(("tags",), ["c"]),
        YamlEdit(("rank", "a"), None, removed=True),
    ]
    assert with_values(text, edits) == "best: { version: 2 } # here\ntags: [c]\nrank: { b: 1 }\n"
    with pytest.raises(CannotEdit, match="it has comments inside"):
        with_values('best: { version: 1, # one\n  why: "#" }\n', edits[:1])


def test_a_key_without_a_value_gets_one() -> None:
    edits = [YamlEdit(("epoch",), 8), YamlEdit(("tags",), ["a"])]
    assert with_values("epoch:\ntags: # none\n", edits) == "epoch: 8\ntags: [a] # none\n"


def test_a_key_is_removed_with_its_line_or_from_its_map() -> None:
    kael = ("models", "kael")
    assert edited(YamlEdit((*kael, "epoch"), None, removed=True)) == ["-    epoch: 8   # chosen"]
    rank, epochs = ((*kael, "parameters", key) for key in ("rank", "nbEpochs"))
    assert edited(YamlEdit(rank, None, removed=True))[1:] == ["+    parameters: { nbEpochs: 10 }"]
    assert edited(YamlEdit(epochs, None, removed=True))[1:] == ["+    parameters: { rank: 8 }"]
    assert edited(YamlEdit((*kael, "best"), None, removed=True)) == [
        "-    best:   # by whom",
        "-      version: 2",
        "-      epoch: 8   # sharp",
        "-      x-note: kept",
    ]
    with pytest.raises(CannotEdit, match="nothing else is in its block"):
        with_values("models:\n  a: 1\n", [YamlEdit(("models", "a"), None, removed=True)])


@pytest.mark.parametrize("tail", ["", "\n", "\n  next: { a: 1 }\n"])
def test_a_new_key_comes_after_those_of_one_line(tail: str) -> None:
    """Also at the end of a file that ends without a line end; several of them in the reverse order of the edits."""
    text = f"models:\n  kael:\n    name: Kael\n    type: x   # one{tail}"
    edits = [YamlEdit(("models", "kael", "best"), {"version": 1}), YamlEdit(("models", "kael", "epoch"), 8)]
    new = "\n    epoch: 8\n    best: { version: 1 }"
    assert with_values(text, edits) == f"models:\n  kael:\n    name: Kael\n    type: x   # one{new}{tail}"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_new_key_does_not_part_a_comment_from_what_it_is_about(end: str) -> None:
    """Not in a block scalar either, whose lines look like comments; the head of a file stays its head."""
    text = "models:\n  kael:\n    type: z\n    text: |\n      # a\n    # why\n    # these\n    tags: [b]\n"
    text = text.replace("\n", end)
    new = with_values(text, [YamlEdit(("models", "kael", "epoch"), 8)])
    assert new == text.replace("    # why", f"    epoch: 8{end}    # why")
    head = "# head\nmodels:\n  kael: {}\n"
    assert with_values(head, [YamlEdit(("project",), "p")]) == head.replace("models", "project: p\nmodels")
