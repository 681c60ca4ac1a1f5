from __future__ import annotations

import time

import pytest

from scenario_apply.manifest.templating.allowed_environment import AllowedEnvironment
from scenario_apply.manifest.templating.sandbox import Sandbox
from scenario_apply.manifest.templating.template_text import TemplateError
from scenario_apply.model.secret import Secret

NO_ENVIRONMENT = AllowedEnvironment({})
BIG: dict[str, object] = {
    "big": [["x"] * 100] * 1000,
    "big2": [["x"] * 100] * 1000,
    "wide": {str(i): i for i in range(20000)},
}
VALUES = {"name": "kael", "rate": 1e-4, "tags": ["a", "b"], "sizes": {"small": 8}, "key": Secret("hunter2")}
LOOPS = "{% for a in range(900) %}{% for b in range(900) %}{% for c in range(900) %}x" + "{% endfor %}" * 3


def sandbox(**environment: str) -> Sandbox:
    """With every variable of the environment allowed."""
    return Sandbox(AllowedEnvironment(environment, environment))


def evaluate(text: str) -> object:
    allowed = AllowedEnvironment({"HOME": "/home/ana"}, ["HOME", "NOPE", "TOKEN"])
    return Sandbox(allowed).evaluate(text, {**VALUES, **BIG}, {"key"}).value


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
        "{% set a = 'aaaaaaaaaa' %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 60 + "{{ a | length }}",
        "{% set a = 'x' * 90000 %}{% for i in range(50000) %}{% if 'b' in a %}{% endif %}{% endfor %}",
        "{% set a = 'x' * 90000 %}{% for i in range(50000) %}{% if 'b' is in(a) %}{% endif %}{% endfor %}",
        "{% set a = 'x' * 90000 %}{% for i in range(50000) %}{% set b = a[1:] %}{% endfor %}",
        "{% for i in range(50000) %}{% if big == big2 %}{% endif %}{% endfor %}",
        "{% for i in range(50000) %}{% set b = big[1:] %}{% endfor %}",
        "{% for i in range(50000) %}{% set b = wide.items() %}{% endfor %}",
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
    ("text", "what", "hint"),
    [
        ("{{ nmae }}", "nmae is not defined", "did you mean name?"),
        ("{{ env.TOKEN }}", "the environment variable TOKEN is not set", "set it: export TOKEN=..."),
        (
            "{{ trigger }}",
            "trigger is available only in captions",
            "use it in caption_template, caption, prefix or suffix, or below samples:",
        ),
        ("{{ name", "unexpected end of template", "close the template with }}"),
        ("{{ " + "9" * 5000 + " }}", "a number has too many digits", None),
    ],
)
def test_mistakes_are_explained(text: str, what: str, hint: str) -> None:
    with pytest.raises(TemplateError) as raised:
        evaluate(text)
    assert what in raised.value.message
    assert raised.value.hint == hint


@pytest.mark.parametrize(
    "text",
    [
        "{{ key }}",
        "{{ var.key }}",
        "{{ var['key'] }}",
        "{{ env.MY_TOKEN }}",
        "{{ env['MY_TOKEN'] }}",
        "{{ env.get('MY_TOKEN') }}",
        "{{ env.NOPE | default(env.MY_TOKEN) }}",
        "{{ env.get('NOPE', key) }}",
        "{{ env.MY_TOKEN | default('', true) }}",
    ],
)
def test_a_secret_is_handed_on_whole(text: str) -> None:
    """A template that is nothing but a secret, with or without a default, gives that Secret."""
    environment = AllowedEnvironment({"MY_TOKEN": "hunter2"}, ["MY_TOKEN", "NOPE"])
    assert Sandbox(environment).evaluate(text, VALUES, {"key"}).value == Secret("hunter2")


SECRETS_COMPUTED = [
    "x{{ S }}",
    "{{ S }} ",
    "{{ S | upper }}",
    "{{ S | length }}",
    "{{ S | default('x') | first }}",
    "{{ S | default(1) ~ '' }}",
    "{{ S[0] }}",
    "{{ S[:4] }}",
    "{{ S.upper() }}",
    "{{ S ~ 'x' }}",
    "{{ S + 'x' }}",
    "{{ [S] }}",
    "{{ {'a': S} }}",
    "{{ [S] | join }}",
    "{{ 'a' if S == 'hunter2' else 'b' }}",
    "{{ 'a' if S.startswith('h') else 1 / 0 }}",
    "{{ 'a' if S is defined else 'b' }}",
    "{{ S is string }}",
    "{{ 'h' in S }}",
    "{{ S == S }}",
    "{{ S and 'x' }}",
    "{{ not S }}",
    "{% if S %}a{% endif %}",
    "{% for c in S %}{{ c }}{% endfor %}",
    "{% for c in range(S | length) %}x{% endfor %}",
    "{% set a = S %}{{ a }}",
    "{{ sizes[S] }}",
    "{{ env[S] }}",
    "{{ env.get(S) }}",
    "{{ 'x' | replace('x', S) }}",
    "{{ none | default(S, true) | string }}",
]
DYNAMIC = [
    "{{ env.get(name, env['MY_' ~ 'TOKEN']) }}",
    "{{ 'MY_' ~ 'TOKEN' in env and env['MY_' ~ 'TOKEN'] }}",
    "{{ var.get('k' ~ 'ey') }}",
    "{{ var.items() }}",
    "{{ var.values() | list }}",
    "{{ var }}",
    "{{ var == {'key': 'hunter2'} }}",
    "{% for k, v in var.items() %}{{ k }}{{ v }}{% endfor %}",
    "{% set v = var %}{{ v['key'] }}",
    "{% set e = env %}{{ e.MY_TOKEN }}",
]


@pytest.mark.parametrize(
    "text", ["{{ env['MY_' ~ 'TOKEN'] }}", "{{ env.get('MY_' ~ 'TOKEN') }}", "{{ var['k' ~ 'ey'] }}"]
)
def test_a_secret_named_by_a_constant_expression_stays_a_secret(text: str) -> None:
    """Its name is computed, not its value: it is handed on whole, and only where secrets are accepted."""
    environment = AllowedEnvironment({"MY_TOKEN": "hunter2"}, ["MY_TOKEN"])
    assert Sandbox(environment).evaluate(text, VALUES, {"key"}).value == Secret("hunter2")


@pytest.mark.parametrize(
    "text", [*(t.replace("S", s) for t in SECRETS_COMPUTED for s in ("key", "var.key", "env.MY_TOKEN")), *DYNAMIC]
)
def test_nothing_is_computed_from_a_secret(text: str) -> None:
    """No filter, comparison, condition, loop or join: each of them would tell something of it."""
    environment = AllowedEnvironment({"MY_TOKEN": "hunter2"}, ["MY_TOKEN", "kael"])
    values = {**VALUES, "other": None}
    said = set()
    for secret in ("hunter2", "another"):  # whatever it is, the same is said of it
        with pytest.raises(TemplateError) as raised:
            Sandbox(environment).evaluate(text, {**values, "key": Secret(secret)}, {"key"})
        said.add(f"{raised.value.code} {raised.value.message} {raised.value.hint}")
    assert len(said) == 1
    assert "hunter2" not in said.pop()
    for render in (Sandbox(environment).caption, Sandbox(environment).file):
        with pytest.raises(TemplateError):
            render(text, values, {"key"})


@pytest.mark.parametrize(
    "text",
    [
        "{{ env.HOME }}",
        "{{ env['HOME'] }}",
        "{{ env.get('HOME') }}",
        "{{ env.get('HOME', 'x') }}",
        "{{ env.HOME | default('x') }}",
        "{{ env.HOME | d('x', true) }}",
        "{{ env['HO' ~ 'ME'] }}",
        "{{ env.HOME is defined }}",
        "{{ 'HOME' in env }}",
        "{{ 'x' if env.HOME else 'y' }}",
        "{% set e = env %}{{ e.HOME }}",
        "a {{ env.HOME }}",
    ],
)
def test_only_what_is_allowed_is_read(text: str) -> None:
    """Whether it is set is not told either: what is said is the same."""
    said = set()
    for environment in ({"HOME": "/home/ana"}, {}):
        with pytest.raises(TemplateError) as raised:
            Sandbox(AllowedEnvironment(environment, ["OTHER"])).evaluate(text, {}, set())
        said.add((raised.value.code, raised.value.message, raised.value.hint))
        with pytest.raises(TemplateError):
            Sandbox(AllowedEnvironment(environment)).file(text, {})
        with pytest.raises(TemplateError):
            Sandbox(AllowedEnvironment(environment)).caption(text + "{{ caption }}", {}, set())
    assert said == {
        (
            "env-not-allowed",
            "the manifest may not read the environment variable HOME",
            "to allow it, add --allow-env HOME, or set SCENARIO_APPLY_ENV=HOME",
        )
    }


def test_all_templates_together_have_a_budget() -> None:
    """A thousand templates that each do as much as one may are refused in time."""
    every = sandbox()
    start = time.monotonic()

    def all_of_them() -> None:
        for i in range(1000):
            every.evaluate(f"{{% for i in range(100000) %}}{{% endfor %}}{i}", {}, set())

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
    assert sandbox(HOME="/home/ana").caption(text, VALUES, {"key"}) == rendered


def test_many_small_templates_are_refused_by_their_number() -> None:
    """Compiling takes longer than reading: each template counts for more than its characters."""
    sandbox = Sandbox(NO_ENVIRONMENT)

    def evaluate_all() -> None:
        for number in range(100_000):
            sandbox.evaluate(f"{{{{ {number} }}}}", {}, set())

    with pytest.raises(TemplateError, match="templates in total") as raised:
        evaluate_all()
    assert raised.value.code == "template-too-large"
    assert raised.value.hint is not None


def test_whole_files_share_what_they_may_do() -> None:
    """Two files pass; twenty of them, or one dense in expressions, do not."""
    sandbox = Sandbox(NO_ENVIRONMENT)
    text = "# a comment\n" * 7_000

    def render_all() -> None:
        for _ in range(20):
            sandbox.file(text, {})

    with pytest.raises(TemplateError, match=r"\.j2 files in total"):
        render_all()
    with pytest.raises(TemplateError, match="templates in total"):
        Sandbox(NO_ENVIRONMENT).file("{{1}}" * 100_000, {})
    assert len(Sandbox(NO_ENVIRONMENT).file("- {{ 1 }} # a comment\n" * 500, {})) > 5000


def test_a_caption_takes_only_so_much_along() -> None:
    """A variable of a megabyte would be copied into the captions of every dataset that names it."""
    with pytest.raises(TemplateError, match="variables of this caption") as raised:
        Sandbox(NO_ENVIRONMENT).caption("{{ stem }} {{ long }}", {"long": "x" * 1_000_000}, set())
    assert raised.value.code == "template-too-large"


def test_a_template_copies_only_the_variables_it_names() -> None:
    """Thousands of templates beside thousands of variables would copy millions of values."""

    class Counted(dict[str, object]):
        copied = 0

        def __iter__(self):  # type: ignore[no-untyped-def]  # as dict's own
            Counted.copied += 1
            return super().__iter__()

        def keys(self):  # type: ignore[no-untyped-def]  # as dict's own
            Counted.copied += 1
            return super().keys()

    assert Sandbox(NO_ENVIRONMENT).evaluate("{{ a }} {{ var.b }}", Counted(a=1, b=2, c=3), set()).value == "1 2"
    assert Counted.copied == 0


def test_secrets_do_not_go_into_captions() -> None:
    with pytest.raises(TemplateError):
        sandbox().caption("{{ caption }} {{ key }}", VALUES, {"key"})
