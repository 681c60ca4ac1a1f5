"""model/remote.py: a caption of the service's own is recognised whether or not it is shown as the description."""

from __future__ import annotations

import pytest

from scenario_apply.model.remote import AssetId, TrainingImage


@pytest.mark.parametrize(
    ("description", "automatic", "recorded", "told"),
    [
        ("", "a fox", "", ""),
        ("a fox", "a fox", "", ""),  # the service shows its own caption in both places
        ("a fox", "", "", ""),  # or in the description alone
        ("my fox", "a fox", "", "my fox"),  # somebody wrote one on the service
        ("a fox", "a fox", "a fox", "a fox"),  # ours, taken over from the service's
        ("a fox", "a fox", "my fox", "a fox"),
        ("", "a fox", "my fox", ""),
    ],
)
def test_a_caption_in_the_terms_of_a_record(description: str, automatic: str, recorded: str, told: str) -> None:
    image = TrainingImage(id=AssetId("a"), name="1.png", description=description, automatic_caption=automatic)
    assert image.caption_beside(recorded) == told
