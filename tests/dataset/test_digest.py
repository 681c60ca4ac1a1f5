"""dataset.digest: the same pictures and captions, the same digest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scenario_apply.dataset.digest import digest_of
from scenario_apply.dataset.types import Contents, Image, Pair

IMAGES = st.lists(
    st.builds(
        Image,
        path=st.text(min_size=1, max_size=5),
        file=st.just("f"),
        sha256=st.text("0123456789abcdef", min_size=2, max_size=4),
        size_bytes=st.just(1),
        mime=st.just("image/png"),
        width=st.just(1),
        height=st.just(1),
        caption=st.none() | st.text(max_size=4),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda image: image.path,
)


@given(IMAGES, st.randoms())
def test_order_and_names_do_not_matter(images: list[Image], random: object) -> None:
    renamed = [replace(image, path=f"other/{at}") for at, image in enumerate(images)]
    random.shuffle(renamed)  # type: ignore[attr-defined]  # hypothesis types st.randoms() as object here
    assert digest_of(Contents(images=tuple(images))) == digest_of(Contents(images=tuple(renamed)))


@given(IMAGES)
def test_a_caption_or_a_picture_that_changed_shows(images: list[Image]) -> None:
    one, *rest = images
    before = digest_of(Contents(images=(one, *rest)))
    for changed in (
        replace(one, caption=(one.caption or "") + "!"),
        replace(one, sha256=one.sha256 + "0"),
    ):
        assert digest_of(Contents(images=(changed, *rest))) != before
    assert digest_of(Contents(images=tuple(rest))) != before


@given(IMAGES)
def test_no_caption_is_not_an_empty_one(images: list[Image]) -> None:
    one, *rest = images
    without, empty = (Contents(images=(replace(one, caption=c), *rest)) for c in (None, ""))
    assert digest_of(without) != digest_of(empty)


def test_pairs_count_by_digest_instruction_and_direction() -> None:
    a, b = (
        Image(path=p, file=p, sha256=p * 4, size_bytes=1, mime="image/png", width=1, height=1, caption=None)
        for p in "ab"
    )
    there = Contents(images=(a, b), pairs=(Pair(before="a", after="b", instruction="turn"),))
    back = Contents(images=(a, b), pairs=(Pair(before="b", after="a", instruction="turn"),))
    other = Contents(images=(a, b), pairs=(Pair(before="a", after="b", instruction="make"),))
    assert len({digest_of(there), digest_of(back), digest_of(other), digest_of(Contents(images=(a, b)))}) == 4
