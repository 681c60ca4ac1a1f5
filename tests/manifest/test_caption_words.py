"""manifest.caption_words: what to write for a word after `captions:` that is neither a source nor a file."""

from __future__ import annotations

import pytest

from scenario_apply.manifest.caption_words import captions_hint


@pytest.mark.parametrize("word", [".txt", "txt", "*.txt", "TXT", "caption", ".caption", "captions", "text"])
def test_the_usual_ending_needs_no_captions(word: str) -> None:
    assert captions_hint(word) == "write `captions: sidecar`, or leave it out"


@pytest.mark.parametrize(
    ("word", "part"),
    [
        (".cap", "`captions: { suffix: .cap }`"),
        ("*.prompt", "`captions: { suffix: .prompt }`"),
        ("none", "`captions: auto`"),
        ("no", "`captions: auto`"),
        ("blip", "`captions: auto`"),
        ("true", "leave it out"),
        ("yes", "`captions: sidecar`"),
        (".csv", "`captions: ./captions.csv`"),
        ("metadata", "`captions: ./captions.csv`"),
        ("Auto", "did you mean auto?"),
        ("sidecars", "`captions: sidecar`"),
        ("filenames", "did you mean filename?"),
        ("anything", "the path of a file"),
    ],
)
def test_other_words_have_an_answer(word: str, part: str) -> None:
    assert part in str(captions_hint(word))


@pytest.mark.parametrize(
    "word", ["captions.csv", "./set/metadata.jsonl", "art\\captions.yaml", "..\\x.json", "./captions"]
)
def test_a_file_is_a_file(word: str) -> None:
    assert captions_hint(word) is None
