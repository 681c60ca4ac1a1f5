"""dataset/lint/trigger_rules.py: what looks like a trigger, and which captions lack it."""

from __future__ import annotations

import pytest

from scenario_apply.dataset.facts import Facts
from scenario_apply.dataset.lint.subject import Picture, Subject
from scenario_apply.dataset.lint.trigger_rules import in_some
from scenario_apply.model.lint_rules import DEFAULTS
from tests.dataset.build import spec_from


def facts(file: str) -> Facts:
    return Facts(file, 1, 1, 1, file, "PNG", "image/png", 1024, 1024, "RGB")


@pytest.mark.parametrize(
    ("captions", "files"),
    [
        (["KAEL, front", "KAEL, side", "a ranger, back"], ["2.png"]),
        (["KAEL, front", "KAEL, side", "KAEL_07, back"], ["2.png"]),
        (["KAEL, front", "KAEL, side", "back view of KAEL"], []),
        (["KAEL, front", "KAEL, side", "back view, KAEL"], []),
    ],
)
def test_a_caption_without_what_looks_like_the_trigger_is_named(captions: list[str], files: list[str]) -> None:
    """A longer word is another one; one that has it later in the caption does not lack it."""
    pictures = tuple(
        Picture(path=f"{n}.png", facts=facts(f"{n}.png"), raw=caption, caption=caption)
        for n, caption in enumerate(captions)
    )
    subject = Subject(spec=spec_from({"images": "./kael"}), types=(), settings=DEFAULTS, pictures=pictures)
    assert [(finding.code, finding.file) for finding in in_some(subject)] == [("T01", file) for file in files]
