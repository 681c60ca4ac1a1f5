"""dataset/dataset_statistics.py: a dataset in numbers."""

from __future__ import annotations

import pytest

from scenario_apply.dataset.dataset_statistics import AlikePair, aspect_of, dataset_statistics
from scenario_apply.dataset.types import Contents, Image, Pair


def image(path: str, size: tuple[int, int] = (1024, 1024), caption: str | None = "a red fox", bits: int = 0) -> Image:
    """bits: how many bits of its hash are set."""
    return Image(
        path=path,
        file=path,
        sha256="0" * 64,
        size_bytes=1,
        mime="image/png",
        width=size[0],
        height=size[1],
        caption=caption,
        hashes=f"{(1 << bits) - 1:032x}" + "0" * 32,
    )


@pytest.mark.parametrize(
    ("size", "name"),
    [((1024, 1024), "1:1"), ((1920, 1088), "16:9"), ((832, 1216), "2:3"), ((5000, 10), "wider than 2:1")],
)
def test_an_aspect_ratio_has_the_nearest_common_name(size: tuple[int, int], name: str) -> None:
    assert aspect_of(*size) == name


def test_sizes_captions_and_what_is_not_known_are_counted() -> None:
    """A picture of which only a pointer is here has no size; one without a caption is captioned by Scenario."""
    pictures = (image("a"), image("b", caption=None), image("c", (0, 0)), image("d", (1024, 768), "one two"))
    found = dataset_statistics(Contents(images=pictures))
    assert found.sizes == {(1024, 1024): 2, (1024, 768): 1}
    assert found.aspects == {"4:3": 1, "1:1": 2}
    assert (found.words, found.automatic, found.unknown) == ((3, 3, 2), 1, 1)


def test_similarity_falls_from_1_for_the_same_shapes_to_0_for_what_differs_in_half_of_the_bits() -> None:
    pictures = (image("a"), image("b", bits=16), image("c", bits=64), image("d", bits=128))
    found = dataset_statistics(Contents(images=pictures)).similarity
    assert found.rows == ((), (0.75,), (0.0, 0.25), (0.0, 0.0, 0.0))
    assert found.nearest == (0.75, 0.75, 0.25, 0.0)
    assert found.closest == (AlikePair("a", "b", 0.75), AlikePair("b", "c", 0.25))


def test_pictures_that_were_not_decoded_are_not_compared() -> None:
    """They are counted, and look like nothing."""
    unknown = Image(path="x", file="x", sha256="1", size_bytes=1, mime="", width=1, height=1, caption="")
    found = dataset_statistics(Contents(images=(image("a"), unknown)))
    assert found.not_compared == 1
    assert found.similarity.paths == ("a",)
    assert found.similarity.nearest == ()


def test_of_edit_pairs_the_instructions_count() -> None:
    pair = Pair(before="a", after="b", instruction="make it blue now")
    pictures = (image("a", caption=None), image("b", caption=None))
    found = dataset_statistics(Contents(images=pictures, pairs=(pair,)))
    assert (found.words, found.automatic) == ((4,), 0)
