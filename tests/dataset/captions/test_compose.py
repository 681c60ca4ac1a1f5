"""dataset.captions.compose: the caption that is sent."""

from __future__ import annotations

from typing import Any

import pytest

from scenario_apply.dataset.captions.caption_errors import CaptionTemplateError
from scenario_apply.dataset.captions.compose import Composer
from tests.dataset.build import spec_from


def composed(raw: str, path: str = "poses/01.png", **fields: Any) -> str:
    return Composer(spec_from(fields)).compose(raw, path)


@pytest.mark.parametrize(
    ("fields", "raw", "sent"),
    [
        ({}, " a red cloak \n", "a red cloak"),
        ({"trigger": "KAEL_07"}, "a red cloak", "KAEL_07, a red cloak"),
        ({"trigger": "KAEL_07"}, "portrait of KAEL_07", "portrait of KAEL_07"),
        ({"trigger": "KAEL_07"}, "portrait of KAEL_071", "KAEL_07, portrait of KAEL_071"),
        ({"trigger": "KAEL_07"}, "[trigger] and {trigger}", "KAEL_07 and KAEL_07"),
        ({}, "[trigger] rides", "[trigger] rides"),
        ({"prefix": "a drawing", "suffix": "white ground"}, "a fox", "a drawing, a fox, white ground"),
        (
            {"prefix": "flat art,", "suffix": "plain", "trigger": "K"},
            "girl, red hair, ",
            "K, flat art, girl, red hair, plain",
        ),
        ({"prefix": "flat art,", "suffix": "plain", "trigger": "K"}, ", fox,, red , ,", "K, flat art, fox, red, plain"),
        ({"prefix": " , ", "suffix": ",plain,"}, "fox", "fox, plain"),
        ({}, "fox,, red,", "fox, red"),
        ({"trigger": "K"}, ",", "K"),
        ({"trigger": "K"}, "[Trigger] and { TRIGGER } rides", "K and K rides"),
        ({"trigger": "K"}, "{{trigger}} rides", "K, {{trigger}} rides"),
        ({"prefix": "{{trigger}} art", "trigger": "K"}, "fox", "K art, fox"),
        ({"trigger": "Zo\u00eb_07"}, "Zoe\u0308_07, a caf\u00e9", "Zo\u00eb_07, a caf\u00e9"),
        ({"trigger": "Zoe\u0308_07"}, "Zo\u00eb_07, a fox", "Zoe\u0308_07, a fox"),
        ({"trigger": "Zoe\u0308_07"}, "Zoe\u0308_07, cafe\u0301", "Zoe\u0308_07, cafe\u0301"),
        ({"prefix": "a drawing,", "trigger": "INK"}, "a fox", "INK, a drawing, a fox"),
        ({"prefix": "a photo of {{ trigger }}", "trigger": "KAEL"}, "at dusk", "a photo of KAEL, at dusk"),
        ({"suffix": "from [trigger]", "trigger": "KAEL"}, "at dusk", "at dusk, from KAEL"),
        (
            {"caption_template": "{{ trigger }} | {{ caption }} | {{ stem }} | {{ path }}", "trigger": "K"},
            "fox",
            "K | fox | 01 | poses/01.png",
        ),
        ({"caption_template": "{{ caption | upper }}{% if stem == '01' %}!{% endif %}"}, "fox", "FOX!"),
    ],
)
def test_a_caption_is_composed(fields: dict[str, Any], raw: str, sent: str) -> None:
    assert composed(raw, **fields) == sent


@pytest.mark.parametrize(
    "template",
    [
        "{{ nothing }}",
        "{{ caption",
        "{{ ''.__class__ }}",
        "{{ 'x' * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '{:>1000000000}'.format('x') }}",
        "{{ 'x'.ljust(1000000000) }}",
        "{{ 2 ** 999999 }}",
        "{% for a in range(9) %}{% endfor %}",
        "{% include 'a' %}",
        "{{ trigger }}",  # the dataset has none
        "{{ caption | center(1000000000) }}",
    ],
)
def test_a_template_that_fails_or_could_hurt_is_refused(template: str) -> None:
    with pytest.raises(CaptionTemplateError):
        composed("fox", caption_template=template)
