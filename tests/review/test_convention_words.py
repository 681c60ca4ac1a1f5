"""review/convention_words.py: what was recognised, and why, for people and for programs."""

from __future__ import annotations

from scenario_apply.dataset.types import Convention
from scenario_apply.review.convention_words import convention_json, convention_sentence


def test_a_sentence_says_what_and_why() -> None:
    assert convention_sentence(Convention("sidecar", 1, ".txt")) == (
        "sidecar: 1 image with captions in .txt files of the same names beside them (recognised by name)"
    )
    assert convention_sentence(Convention("kohya", 3, "meta.json", is_declared=True)).endswith(
        "(named in the manifest)"
    )
    assert convention_sentence(Convention("by-service", 3)).endswith("(nothing else was found)")
    assert convention_sentence(Convention("pair-folders", 2, is_declared=True)).startswith("pair-folders: 2 pairs in")


def test_json_has_the_whole_and_each_source() -> None:
    found = convention_json((Convention("repeat-folders", 4, "10_x"), Convention("sidecar", 3, ".txt")))
    assert found is not None
    assert found["code"] == "repeat-folders"
    assert "; sidecar: 3 images" in str(found["text"])
    sources = found["sources"]
    assert isinstance(sources, list)
    assert [(one["code"], one["count"], one["file"], one["recognised"]) for one in sources] == [
        ("repeat-folders", 4, "10_x", True),
        ("sidecar", 3, ".txt", True),
    ]
    assert convention_json(()) is None
