from __future__ import annotations

import time

import pytest

from scenario_apply.core.manifest.sandbox import Sandbox
from scenario_apply.core.manifest.secret import Secret
from scenario_apply.core.manifest.templates import TemplateError

VALUES = {"name": "kael", "rate": 1e-4, "tags": ["a", "b"], "sizes": {"small": 8}, "key": "hunter2"}
LOOPS = "{% for a in range(900) %}{% for b in range(900) %}{% for c in range(900) %}x" + "{% endfor %}" * 3


def evaluate(text: str) -> object:
    return Sandbox({"HOME": "/home/ana"}, {}).evaluate(text, VALUES, {"key"})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ rate }}", 1e-4),
        ("{{ rate * 2 }}", 2e-4),
        ("{{ tags }}", ["a", "b"]),
        ("{{ sizes.small }}", 8),
        ("{{ sizes['small'] }}", 8),
        ("{{ var.name }}", "kael"),
        ("{{ env.HOME }}", "/home/ana"),
        ("{{ env.NOPE | default('x') }}", "x"),
        ("{{ env.get('NOPE', 'y') }}", "y"),
        ("{{ name | upper }} {{ name.title() }}", "KAEL Kael"),
        ("{{ tags | join('-') }}", "a-b"),
        ("a {{ rate }} b", "a 0.0001 b"),
        ("{{ 'big' if rate > 1 else 'small' }}", "small"),
        ("{% for t in tags %}{{ loop.index }}{{ t }}{% endfor %}", "1a2b"),
        ("{% for k, v in sizes.items() %}{{ k }}{{ v }}{% endfor %}", "small8"),
        ("{{ name ~ rate }}", "kael0.0001"),
        ("{{ true }}", True),
        ("{{ none }}", None),
        ("{{ range(3) }}", [0, 1, 2]),
    ],
)
def test_what_templates_are_for(text: str, value: object) -> None:
    """An expression alone keeps its type; in a text it is put in."""
    found = evaluate(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "{{ 10**(10**8) }}",
        "{{ 'a' * 10**9 }}",
        "{{ 10**9 * 'a' }}",
        "{{ tags * 10**9 }}",
        "{% for i in range(10**9) %}x{% endfor %}",
        LOOPS,
        "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a ~ a %}" * 60 + "{{ a }}",
        "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a + a %}" * 60 + "{{ a }}",
        "{% set a = [1] %}" + "{% set a = a + a %}" * 60 + "{{ a | length }}",
        "{% set a = [1] %}" + "{% set a = [a, a] %}" * 60 + "{{ a == a }}",
        "{{ range(99999) | join('x' * 1000) }}",
        "{{ 'a' | replace('', 'b' * 90000) }}",
        "{{ 1 | round(-1000000000) }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '{:>999999999}'.format(1) }}",
        "{{ 'a'.ljust(10**9) }}",
        "{{ 'a' | center(10**9) }}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{{ " + "1+" * 7000 + "1 }}",
        "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
        "{% for t in tags recursive %}{{ loop(tags) }}{% endfor %}",
    ],
)
def test_what_would_not_end_ends_soon(text: str) -> None:
    start = time.monotonic()
    with pytest.raises(TemplateError):
        evaluate(text)
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ name | attr('__class__') }}",
        "{{ ().__class__.__bases__[0].__subclasses__() }}",
        "{{ range.__self__ }}",
        "{{ self }}",
        "{{ self._TemplateReference__context }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ namespace() }}",
        "{% for t in tags %}{{ loop.__class__ }}{% endfor %}",
        "{% for t in tags %}{{ loop }}{% endfor %}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% extends 'x' %}",
        "{{ env }}",
        "{{ env.items() }}",
        "{{ env | list }}",
        "{% for k in env %}{{ k }}{% endfor %}",
        "{{ name.encode }}",
        "{{ name.encode() }}",
        "{{ [name.upper] }}",
        "{{ tags.append('c') }}",
        "{{ sizes.pop('small') }}",
        "x {{ tags }}",
    ],
)
def test_what_reaches_out_is_refused(text: str) -> None:
    with pytest.raises(TemplateError):
        evaluate(text)
    assert VALUES["tags"] == ["a", "b"]
    assert VALUES["sizes"] == {"small": 8}


@pytest.mark.parametrize(
    ("text", "what", "mend"),
    [
        ("{{ nmae }}", "nmae is not defined", "did you mean name?"),
        ("{{ env.TOKEN }}", "the environment variable TOKEN is not set", "set it: export TOKEN=..."),
        ("{{ trigger }}", "trigger is known only in captions", "use it in caption_template, caption, prefix or suffix"),
        ("{{ name", "unexpected end of template", "close the template with }}"),
    ],
)
def test_mistakes_are_explained(text: str, what: str, mend: str) -> None:
    with pytest.raises(TemplateError) as raised:
        evaluate(text)
    assert what in raised.value.what
    assert raised.value.mend == mend


def test_a_secret_makes_what_it_touches_secret() -> None:
    found = evaluate("x{{ key }}x")
    assert isinstance(found, Secret)
    assert found.reveal() == "xhunter2x"
    assert isinstance(evaluate("{{ var['key'] | upper }}"), Secret)
    assert isinstance(evaluate("{% for k, v in var.items() %}{{ k }}{% endfor %}"), Secret)


@pytest.mark.parametrize("text", ["{{ sizes[key] }}", "{{ sizes[env.MY_TOKEN] }}", "{{ env[env.MY_TOKEN] }}"])
def test_a_mistake_with_a_secret_does_not_tell_it(text: str) -> None:
    with pytest.raises(TemplateError) as raised:
        Sandbox({"MY_TOKEN": "hunter2"}, {}).evaluate(text, VALUES, {"key"})
    assert "hunter2" not in f"{raised.value.what} {raised.value.mend}"


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        *(
            (name, True)
            for name in ("WANDB_KEY", "SCENARIO_SDK_API_SECRET", "GH_TOKEN", "DB_PASSWORD", "AWS_ACCESS_KEY_ID")
        ),
        *((name, False) for name in ("SCENARIO_PROJECT_ID", "HOME", "TEAM", "TOKENIZER", "KEYBOARD", "CI_COMMIT_SHA")),
    ],
)
def test_environment_variables_that_are_secret_by_name(name: str, is_secret: bool) -> None:
    """Their values are masked like those of secret variables."""
    found = Sandbox({name: "value"}, {}).evaluate("{{ env." + name + " }}", {}, set())
    assert isinstance(found, Secret) is is_secret


def test_all_templates_together_have_a_budget() -> None:
    """A thousand templates that each do as much as one may are refused in time."""
    sandbox = Sandbox({}, {})
    start = time.monotonic()

    def all_of_them() -> None:
        for i in range(1000):
            sandbox.evaluate(f"{{% for i in range(100000) %}}{{% endfor %}}{i}", {}, set())

    with pytest.raises(TemplateError, match="too much"):
        all_of_them()
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("{{ name }} in the woods", "kael in the woods"),
        ("{{ trigger }}, {{ caption }}", "{{ trigger }}, {{ caption }}"),
        ("{{ stem }} of {{ name }}", '{% set name = "kael" %}{{ stem }} of {{ name }}'),
        ("{{ caption }} {{ env.HOME }}", '{% set env = {"HOME": "/home/ana"} %}{{ caption }} {{ env.HOME }}'),
        ("{{ path }} {{ var.name }}", '{% set var = {"name": "kael"} %}{{ path }} {{ var.name }}'),
        ("{{ '{{' }}", '{{ "{{" }}'),
    ],
)
def test_captions_are_left_for_each_image_only_where_they_need_one(text: str, rendered: str) -> None:
    """What a caption needs besides its image goes with it; all else is rendered at once."""
    assert Sandbox({"HOME": "/home/ana"}, {}).caption(text, VALUES, {"key"}) == rendered


def test_secrets_do_not_go_into_captions() -> None:
    with pytest.raises(TemplateError):
        Sandbox({}, {}).caption("{{ caption }} {{ key }}", VALUES, {"key"})
