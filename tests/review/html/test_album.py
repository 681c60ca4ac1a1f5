"""How many bytes the pictures of a page have."""

from __future__ import annotations

import pytest

from scenario_apply.review.html.album import PICTURE_BYTES, room_for, room_of_samples

_PAGE = 5_000_000


def test_samples_beside_a_few_pictures_stay_as_they_are() -> None:
    """20 versions of 6 prompts with 2 pictures of 13.7 kB, beside a dataset of 8."""
    assert room_of_samples(240, 8) > 240 * 13_700


@pytest.mark.parametrize("others", [0, 1, 8, 80, 240])
@pytest.mark.parametrize("samples", [1, 24, 240, 1200])
def test_a_page_stays_below_its_limit_and_samples_have_their_share(samples: int, others: int) -> None:
    all_of_them = room_of_samples(samples, others) + others * room_for(samples + others).bytes_each
    assert all_of_them * 4 / 3 < _PAGE - 200_000
    assert room_of_samples(samples, others) >= PICTURE_BYTES * samples // (samples + others)
