"""dataset.lint.wording_rules: what captioning models and other tools leave in captions."""

from __future__ import annotations

from typing import Any

import pytest

from scenario_apply.dataset.lint.wording_rules import wording
from tests.dataset.lint.subjects import subject_of


def codes_of(caption: str, **fields: Any) -> list[str]:
    return [finding.code for finding in wording(subject_of([caption], **fields))]


@pytest.mark.parametrize(
    "caption",
    [
        "I'm sorry, but I can't help with identifying people in images.",
        "I’m sorry, I cannot do that",
        "I cannot assist with that request.",
        "I can’t help with that",
        "As an AI language model, I am unable to view this image.",
        "Sorry, but I am unable to view this image",
        "Unfortunately, I can't see the picture",
        "Unable to process the image",
        "Error: CUDA out of memory",
        "RuntimeError: shape mismatch",
        "openai.RateLimitError: 429",
        "HTTP 503 Service Unavailable",
        "nan",
        "N/A",
        "No caption available.",
        "<think>The user wants a caption</think> a fox",
        "assistant<|im_end|> a fox in snow",
        "a fox &amp; an owl",
        "## Caption ### a fox",
        "a cafÃ© table",
        "the fox’s den â€“ at night",
        "a caf\ufffd table",
        '"a fox in snow"',
        "“a fox in snow”",
        "'a fox in snow'",
        "a <b>fox</b>",
        "I must decline to describe this",
        "Please upload an image so that I can help",
        "No image was provided.",
        "I'd be happy to help! What is it?",
        "Your request was blocked by our content policy",
        "It seems the image did not load",
        "we're sorry, but this is not possible",
        "\u00d0\u00bf\u00d1\u20ac\u00d0\u00b8\u00d0\u00b2\u00d0\u00b5\u00d1\u201a, a fox",
        "\u00e3\u201a\u00ab\u00e3\u0192\u00a1\u00e3\u0192\u00a9, a fox",
    ],
)
def test_a_refusal_an_error_or_debris_of_a_captioner_is_named(caption: str) -> None:
    assert codes_of(caption) == ["C13"]
    assert codes_of(caption, trigger="KAEL_07") == ["C13"]


@pytest.mark.parametrize(
    "caption",
    [
        "Sure! Here's a caption: an old bicycle by a wall",
        "Certainly, an old bicycle",
        "Here’s the description of a fox",
        "Here is a fox",
        "assistant: a fox in snow",
        "Description: a fox in snow",
        "a fox in snow. Let me know if you need more",
        "a fox in the image you provided",
        "Great! A fox in snow",
        "The caption for this image is: a fox",
        "In this image, a fox sits in snow",
        "This is a picture of a fox",
        "I can see a fox in snow",
        "Output: a fox in snow",
        "a fox. Is there anything else?",
    ],
)
def test_chatter_around_a_caption_is_named(caption: str) -> None:
    assert codes_of(caption) == ["C12"]


@pytest.mark.parametrize(
    "caption",
    [
        "((robot)), noon",
        "[grass], noon",
        "[[grass]], noon",
        "(bottle:.8), light",
        "(sill: 1.2), light",
        "(sill:1), light",
        "boats BREAK pond",
        "__color__ paper",
        "__hats/red__ paper",
        r"saber \(fate\), wall",
        "[cat:dog:0.5], box",
        "hall --ar 16:9",
        "hall, box --v 6",
        "cat::2 dog",
        "(cat)++ in a box",
        "{red|blue} cat",
        "{red} cat",
        "<lora:x:1> cat",
        "a ||| b",
        "(red:-1) cat",
        "(red:1,2) cat",
        "(a photo (of a) cat:1.3)",
        "(red:1.2, cat",
        "masterpiece:1.2, cat",
        "(red)1.2, cat",
        "red++, cat",
        "cat, blurry--",
        "embedding:bad, cat",
        "red cat :1.2",
    ],
)
def test_prompt_syntax_of_other_tools_is_named(caption: str) -> None:
    assert codes_of(caption) == ["C14"]


@pytest.mark.parametrize(
    "caption",
    [
        "a man who is sorry, I think",
        "a sign that says “I'm sorry”",
        "a sure-footed goat on a cliff",
        "the words ERROR 404 on a screen",
        "an error message (in red) on a screen",
        "a COFFEE BREAK sign",
        "a photograph (in black and white), scale 1:24",
        "a clock (at 10:30), a ratio (16:9)",
        "nancy, none of the dogs",
        "a --very-- long dash, and -- a pause",
        "C++ code on a screen",
        "«CAFÉ» on a wall, MANHÃ",
        "tom & jerry",
        "“yes” and “no” on two doors",
        "a 1990s photo, f/1.8 :: bokeh",
        "a robot #7 [trigger] in grass",
        "okay sign of a hand",
        "a great! sign on a wall",
        "a shelf at 1:1.5 scale (model, 1:2.5)",
        "a clock showing 10:30, f:2.8",
        "a no image found sign",
        "an output of a printer",
        "a caf\u00e9\u201d\u2026 sign, ma\u00f1ana",
        "a fox -- at night",
        "\u00e4\u00e5\u00e6, \u00d0\u00d1",
        "programming in C++, a laptop",
        "the fox's den, the cats' box",
    ],
)
def test_plain_captions_are_not_suspected(caption: str) -> None:
    assert codes_of(caption) == []


def test_a_trigger_in_brackets_is_no_syntax() -> None:
    assert codes_of("[V] dog in snow", trigger="[V]") == []


def test_instructions_of_pairs_are_checked_too() -> None:
    found = list(
        wording(subject_of(["I cannot assist with that", "make it ((red))"], images=(), before="a", after="b"))
    )
    assert [finding.code for finding in found] == ["C13", "C14"]


@pytest.mark.parametrize(
    ("caption", "count"),
    [
        ("1girl, solo, long_hair, blue_eyes, smile", 1),
        ("KAEL_07, standing, smiling, outdoors", 0),
        ("a girl with long hair, blue eyes, in the rain", 0),
    ],
)
def test_lists_of_tags_are_noted_for_types_that_read_sentences(caption: str, count: int) -> None:
    """C15: most parts are single words, some with underscores. SDXL was trained on such tags."""
    assert codes_of(caption) == ["C15"] * count
    assert [finding.code for finding in wording(subject_of([caption], ("sd-xl-lora",)))] == []
