"""Datasets to check with one rule: captions without picture files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scenario_apply.dataset.captions.compose import Composer
from scenario_apply.dataset.facts import Facts
from scenario_apply.dataset.lint.subject import Picture, Subject
from scenario_apply.dataset.types import Pair
from scenario_apply.model.lint_rules import DEFAULTS
from tests.dataset.build import spec_from


def subject_of(captions: Sequence[str], types: tuple[str, ...] = ("flux.1-lora",), **fields: Any) -> Subject:
    """A dataset of pictures with these captions; with before= and after=, of pairs with these instructions."""
    spec = spec_from({"images": ["./set"], **fields})
    composer = Composer(spec)
    pictures, pairs = [], []
    for number, text in enumerate(captions):
        path = f"{number:02d}.png"
        facts = Facts(f"set/{path}", 1, 1, 1, f"{number:064x}", "PNG", "image/png", 1024, 1024, "RGB")
        sent = composer.compose(text, path)
        if spec.is_pairs:
            pictures.append(Picture(path, facts))
            pairs.append(Pair(before=path, after=path, instruction=sent))
        else:
            pictures.append(Picture(path, facts, text, sent, f"set/{number:02d}.txt"))
    return Subject(spec=spec, types=types, settings=DEFAULTS, pictures=tuple(pictures), pairs=tuple(pairs))
