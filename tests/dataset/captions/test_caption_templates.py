"""core.dataset.templates, core.dataset.caption_budget: what caption templates may do, one by one and all together."""

from __future__ import annotations

from typing import Any

import pytest

from scenario_apply.dataset.captions.caption_budget import CaptionBudget
from scenario_apply.dataset.captions.caption_errors import CaptionTemplateError
from scenario_apply.dataset.captions.compose import Composer
from scenario_apply.manifest.spec import CaptionSource, DatasetSpec
from tests.dataset.build import PLACE, spec_from

HEAVY = "{% set a = stem ~ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' %}" + "{% set a = a ~ a %}" * 8 + "{{ a | upper }}" * 2


def rendered(template: str) -> str:
    return Composer(spec_from({"caption_template": template})).compose("fox", "01.png")


def captions_until_refused(spec: DatasetSpec, budget: CaptionBudget | None = None) -> int:
    """How many of ten thousand captions are rendered before the dataset's budget is spent."""
    composer = Composer(spec, budget)
    for number in range(10_000):
        try:
            composer.compose("fox", f"{number:05}.png")
        except CaptionTemplateError:
            return number
    return 10_000


@pytest.mark.parametrize(
    "template",
    [
        "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a ~ a %}" * 60 + "{{ a | length }}",
        "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a + a %}" * 60 + "{{ a | length }}",
        "{% set a = ['x'] %}" + "{% set a = a + a %}" * 60 + "{{ a | length }}",
        "{% set a = [stem] %}" + "{% set a = [a, a] %}" * 60 + "{{ a == a }}",
        "{% set a = {'x': stem} %}" + "{% set a = {'x': a, 'y': a} %}" * 60 + "{{ a == a }}",
        "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a.replace('a', 'aaaaaaaaaa') %}" * 60 + "{{ a | length }}",
        "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a | replace('a', 'aaaaaaaaaa') %}" * 60 + "{{ a | length }}",
        "{% set a = 'aaaaaaaaaa' %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 60 + "{{ a | length }}",
        "{% set a = 9 %}" + "{% set a = a * a %}" * 40 + "{{ a }}",
        "{% set a = 'x' * 19000 %}" + "{% set b = a[1:] in a %}" * 1500 + "{{ b }}",
        "{% set a = 'x' * 19000 %}" + "{% set b = a is in(a) %}" * 1500 + "{{ b }}",
        "{{ 'a' | replace('', 'b' * 19000) }}",
        "{{ caption }}" + ("{{ '" + "x" * 9000 + "' }}") * 3,
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{{ " + "1+" * 7000 + "1 }}",
        "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
        "x" * 200_000 + "{{ caption }}",
    ],
)
def test_a_caption_template_that_grows_or_repeats_is_refused(template: str) -> None:
    """Whatever way it takes: its work is counted, and a text has at most 20,000 characters."""
    with pytest.raises(CaptionTemplateError):
        rendered(template)


def test_a_number_that_python_does_not_read_is_refused() -> None:
    """Python reads at most 4,300 digits (sys.set_int_max_str_digits)."""
    with pytest.raises(CaptionTemplateError, match="too many digits"):
        rendered("{{ " + "9" * 5000 + " }}")


def test_what_a_caption_template_is_for_is_allowed() -> None:
    """Filters, methods, conditions and joins work as in the rest of a manifest."""
    assert rendered("{{ (caption ~ '!') | upper | replace('F', 'B') }}") == "BOX!"
    assert rendered("{% if caption.startswith('f') %}{{ stem.split('_') | join(' ') }}{% endif %}") == "01"
    assert rendered("{% set a %}{{ caption }}{% endset %}{{ a * 2 }}") == "foxfox"


def test_all_captions_of_a_dataset_have_one_budget() -> None:
    """Each of them may be rendered, thousands of them do too much together."""
    heavy = spec_from({"caption_template": HEAVY})
    assert 10 < captions_until_refused(heavy) < 10_000
    plain = spec_from({"caption_template": "{{ trigger }}, {{ caption | lower }} ({{ stem }})", "trigger": "KAEL"})
    assert captions_until_refused(plain) == 10_000


def test_many_datasets_share_what_their_templates_may_do() -> None:
    """Hundreds of datasets with templates get less each; those without do not count."""
    heavy = spec_from({"caption_template": HEAVY})
    alone = CaptionBudget({"set": heavy})
    many = CaptionBudget({f"set-{n}": heavy for n in range(300)})
    without = CaptionBudget({"set": heavy, **{f"set-{n}": spec_from({"prefix": "x"}) for n in range(5000)}})
    assert many.work * 300 <= 20 * alone.work
    assert without.work == alone.work
    assert captions_until_refused(heavy, many) < captions_until_refused(heavy, alone)


def test_a_result_depends_on_the_budget_only_where_there_are_templates() -> None:
    """So that the cache holds when other datasets come and go."""
    specs: dict[str, Any] = {
        "plain": DatasetSpec(name="plain", prefix="x", place=PLACE),
        "map": DatasetSpec(name="map", captions=CaptionSource(kind="map", entries={"a": "{{ stem }}"}), place=PLACE),
    }
    budget = CaptionBudget(specs)
    assert budget.cache_part(specs["plain"]) is None
    assert budget.cache_part(specs["map"]) == budget.work


def test_compiling_is_paid_for() -> None:
    """A captions map may hold a template for each picture: thousands of different ones are refused."""
    composer = Composer(spec_from({}))

    def render_all() -> None:
        for number in range(10_000):
            composer.render("captions", f"{{{{ stem }}}} {number}", "01.png")

    with pytest.raises(CaptionTemplateError, match="together"):
        render_all()


def test_a_shared_template_is_compiled_once_and_paid_for_by_each_dataset() -> None:
    """A template of defaults costs every dataset the same, whichever of them is scanned first."""
    heavy = spec_from({"caption_template": HEAVY})
    budget = CaptionBudget({f"set-{n}": heavy for n in range(3)})
    assert len({captions_until_refused(heavy, budget) for _ in range(3)}) == 1
