"""manifest/templating/template_text.py: the usual prompt is rendered without Jinja2, as Jinja2 would."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from scenario_apply.manifest.templating.allowed_environment import AllowedEnvironment
from scenario_apply.manifest.templating.sandbox import Sandbox
from scenario_apply.manifest.templating.template_text import Trigger, with_trigger

TRIGGER = Trigger("K {{ x }} \\1")
SANDBOX = Sandbox(AllowedEnvironment({}, ()))
PIECES = ["a", " ", "{", "}}", "\n", "{{ trigger }}", "{{trigger}}", "%", "#}"]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_a_prompt_with_nothing_but_the_trigger_is_rendered_as_jinja2_renders_it(prompt: str) -> None:
    """But for blank space at its ends, which prompts lose."""
    found = with_trigger(prompt, TRIGGER)
    assume(found is not None)
    assert (found or "").strip() == SANDBOX.prompt(prompt, {}, (), TRIGGER).strip()


def test_any_other_template_is_left_to_jinja2() -> None:
    for prompt in (
        "{{ trigger | lower }}",
        "{{ trigger }} {{ x }}",
        "{% if trigger %}a{% endif %}",
        "{# a #}{{ trigger }}",
    ):
        assert with_trigger(prompt, TRIGGER) is None
    assert with_trigger("{{ trigger }}", Trigger(None)) is None
