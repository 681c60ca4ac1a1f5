"""Triggers and prefixes that captions share."""

from __future__ import annotations

import pytest

from scenario_apply.planning.shared_starts import shared_start


@pytest.mark.parametrize(
    ("captions", "key", "value"),
    [
        (["KAEL_07, a ranger", "KAEL_07, at dusk, alone"], "trigger", "KAEL_07"),
        (["a photo of, a cat", "a photo of, a dog"], "prefix", "a photo of"),
        (["watercolor, a cat", "watercolor, a dog"], "prefix", "watercolor"),
        (["KAEL_07, a ranger", "a ranger"], None, ""),
        (["KAEL_07", "KAEL_07"], None, ""),
        (["KAEL_07, a", "KAEL_07, KAEL_07 again"], None, ""),  # the second would not get another one
        (["KAEL_07, [trigger] a", "KAEL_07, b"], None, ""),
        (["KAEL_07,  two blanks", "KAEL_07, b"], None, ""),
        (["{{ x }}, a", "{{ x }}, b"], None, ""),
        (["KAEL_07, alone"], None, ""),
    ],
)
def test_only_what_gives_the_same_captions_is_recognised(captions: list[str], key: str | None, value: str) -> None:
    """A start is written once where each caption is then sent exactly as it was."""
    by_name = {f"{number}.png": caption for number, caption in enumerate(captions)}
    found = shared_start(by_name)
    assert (found.key, found.value) == (key, value)
    if key is None:
        assert found.texts == by_name
    else:
        assert [f"{value}, {text}" for text in found.texts.values()] == captions
