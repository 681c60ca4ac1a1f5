"""dataset/lint/duplicate_rules.py: what is found of known copies, and that different pictures are no pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from PIL import Image, ImageEnhance

from scenario_apply.dataset.lint.duplicate_rules import near
from tests.dataset.lint.drawn import COPIES, blurred, icon, recoloured, retouched, saved, scene, subject_with, summary

ORIGINALS = 10
WANTED = {
    "re-encoded": (("D02", "warning"),),
    "resized": (("D02", "warning"),),
    "webp": (("D02", "warning"),),
    "cropped": (("D02", "warning"), ("D03", "warning")),
    "mirrored": (("D04", "info"),),
}
LEAST_RECALL = {"cropped": 0.7}
"""A crop of 3 % is up to 18 of 128 bits away; the threshold of 12 is the largest without false pairs among icons."""


@pytest.mark.parametrize("draw", [scene, icon])
def test_copies_are_found_and_different_pictures_are_no_pairs(
    draw: Callable[[int], Image.Image], capsys: pytest.CaptureFixture[str]
) -> None:
    """Recall at the thresholds for each kind of copy, and no false pair among originals; both are printed."""
    made = {f"{seed}": draw(seed) for seed in range(ORIGINALS)}
    pictures = {name: summary(saved(image)) for name, image in made.items()}
    false = list(near(*subject_with(pictures)))
    recall: Counter[str] = Counter()
    for kind in WANTED:
        for name, image in made.items():
            copy = {name: pictures[name], f"{name}-{kind}": summary(COPIES[kind](image))}
            found = [(one.code, one.severity or ("info" if one.code == "D04" else "warning")) for one in
                     near(*subject_with(copy))]  # fmt: skip
            recall[kind] += any(one in WANTED[kind] for one in found)
    with capsys.disabled():
        shown = ", ".join(f"{kind} {recall[kind]}/{ORIGINALS}" for kind in WANTED)
        print(f"\n{draw.__name__}: {shown}; {len(false)} false of {ORIGINALS * (ORIGINALS - 1) // 2} pairs")
    assert false == []
    for kind in WANTED:
        assert recall[kind] >= LEAST_RECALL.get(kind, 1) * ORIGINALS, kind


@pytest.mark.parametrize("draw", [scene, icon])
def test_a_palette_swap_and_a_brighter_copy_are_no_warning(draw: Callable[[int], Image.Image]) -> None:
    """Game assets come in colours: only the shape is the same, which is at most a note."""
    for seed in range(3):
        image = draw(seed)
        for changed in (recoloured(image), ImageEnhance.Brightness(image).enhance(0.6)):
            subject, compare = subject_with({"a": summary(saved(image)), "b": summary(saved(changed))})
            assert {one.severity for one in near(subject, compare)} <= {"info"}


def test_a_pair_of_one_picture_teaches_no_edit() -> None:
    """D05 for a re-encoded or resized copy."""
    for seed in range(3):
        for draw in (scene, icon):
            image = draw(seed)
            for kind in ("re-encoded", "resized", "webp"):
                both = {"b": summary(saved(image)), "a": summary(COPIES[kind](image))}
                assert [one.code for one in near(*subject_with(both, ("b", "a")))] == ["D05"], (seed, kind)


def test_a_small_edit_a_sharpened_and_a_recoloured_picture_are_edits() -> None:
    """What edit pairs are made of is never called the same picture."""
    for seed in range(3):
        for draw in (scene, icon):
            image = draw(seed)
            edits = (retouched(image), recoloured(image), blurred(image, 2), ImageEnhance.Color(image).enhance(0.5))
            for edit in edits:
                both = {"b": summary(saved(edit)), "a": summary(saved(image))}
                assert list(near(*subject_with(both, ("b", "a")))) == [], seed
