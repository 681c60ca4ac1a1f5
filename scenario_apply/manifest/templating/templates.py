"""Jinja2 in the text of a manifest: finds the texts that hold a template and puts their values in place.

Only values are rendered, never keys. A text that is exactly "{{ x }}" takes x's value with its type. Equal texts are
rendered once. jinja2 is imported only when a template is met. sandbox.py decides what an expression may do.

Captions are rendered for each image, by the dataset code: a dataset's caption, prefix, suffix, caption_template and the
texts of its captions map stay as written when they use trigger, caption, stem or path. Values they use
of `env` and the variables are put in front of them as `{% set %}`, so that they need nothing else. All others are
rendered here, the prompts of samples that read the trigger once for each trigger.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from scenario_apply.manifest.fields import is_extension
from scenario_apply.manifest.positions import Map, Mark, Node, Seq, values_in
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.secret_places import Spot, below
from scenario_apply.manifest.templating.allowed_environment import AllowedEnvironment
from scenario_apply.manifest.templating.template_text import (
    SECRET_PLACES,
    TemplateError,
    Trigger,
    is_template,
    with_trigger,
)
from scenario_apply.manifest.variable_values import Variables
from scenario_apply.model.secret import Secret

if TYPE_CHECKING:
    from scenario_apply.manifest.templating.sandbox import Sandbox
    from scenario_apply.manifest.templating.template_values import WholeValue


_CAPTION_TEXTS = frozenset({"caption", "prefix", "suffix", "caption_template"})
_READS_TRIGGER = re.compile(r"\btrigger\b")
_CAPTION_MAPS = ("captions", "map")
_NOT_RENDERED = ("variables", "version", "include", "$schema")
_MOST_REPEATED = 500_000


class Templates:
    """Renders the templates of one manifest. Secrets stay a Secret, accepted where secret_places.py allows it."""

    def __init__(self, environment: AllowedEnvironment, report: Report, sandbox: Sandbox | None = None) -> None:
        """sandbox: whose budget is shared; None: one of its own."""
        self._environment = environment
        self._report = report
        self._sandbox = sandbox
        self._known: dict[str, WholeValue] = {}
        self._shared: dict[tuple[int, Spot, bool, bool], Node] = {}
        self._prompts: set[tuple[str, int, int]] = set()  # where those begin that read the trigger
        self._repeated = 0  # values in the lists and maps that templates gave

    def rendered(self, document: Map, variables: Variables) -> Map:
        """The document with every template replaced by its value; the same object when there is none."""
        if not any(is_template(text) for text in self._report.sources.values()):
            return document
        whole = document.copied()
        for key, value in document.items():
            if key not in _NOT_RENDERED and not is_extension(key):
                mark = document.marks[key][1]
                whole[key] = self._render(value, mark, variables, key, "", below(Spot.DOCUMENT, key))
        return whole

    def render_value(self, value: Node, mark: Mark, variables: Variables, *, secret: bool = False) -> Node:
        """One value with every template in it replaced; secret: it may be a secret itself."""
        return self._render(value, mark, variables, "", "", Spot.SECRET if secret else Spot.OTHER)

    def prompt(self, text: str, mark: Mark, variables: Variables, trigger: Trigger) -> str | None:
        """A prompt of a sample, rendered; None, after an error at mark, when that fails.

        What a template gave is no template again: it may come from the environment.
        """
        if (mark.name, mark.line, mark.column) not in self._prompts:
            return text
        usual = with_trigger(text, trigger)
        if usual is not None:
            return usual
        try:
            return self._sandboxed().prompt(text, variables.values, variables.secret, trigger)
        except TemplateError as error:
            self._failed(error, text, mark)
            return None

    def _render(self, node: Node, mark: Mark, variables: Variables, key: str, parent: str, spot: Spot) -> Node:
        if isinstance(node, str):
            if "{{" not in node and "{%" not in node:
                return node
            if key in _CAPTION_TEXTS or parent in _CAPTION_MAPS:
                return self._caption(node, mark, variables)
            if spot is Spot.SAMPLES and _READS_TRIGGER.search(node):
                self._prompts.add((mark.name, mark.line, mark.column))
                return node  # rendered for each model, by prompt()
            return self._text(node, mark, variables, spot)
        if not isinstance(node, Map | Seq):
            return node
        # a value that aliases repeat is rendered once for each kind of place
        place = (id(node), spot, key in _CAPTION_TEXTS, key in _CAPTION_MAPS)
        done = self._shared.get(place)
        if done is None:
            done = self._shared[place] = self._container(node, variables, key, spot)
        return done

    def _container(self, node: Map | Seq, variables: Variables, key: str, spot: Spot) -> Node:
        changed: Map | Seq | None = None
        is_caption = key in _CAPTION_MAPS  # x-wing.png is a file there, not a note
        pairs: Iterator[tuple[Any, Node, Mark]]
        if isinstance(node, Map):
            pairs = ((k, v, node.marks[k][1]) for k, v in list(node.items()) if is_caption or not is_extension(k))
        else:
            pairs = ((i, v, node.marks[i]) for i, v in enumerate(list(node)))
        for inner_key, value, mark in pairs:
            name = inner_key if isinstance(inner_key, str) else key
            new = self._render(value, mark, variables, name, key, below(spot, inner_key))
            if new is not value:
                if changed is None:
                    changed = node.copied() if isinstance(node, Map) else _copied(node)
                changed[inner_key] = new
        return node if changed is None else changed

    def _text(self, text: str, mark: Mark, variables: Variables, spot: Spot) -> Node:
        if text not in self._known:
            try:
                self._known[text] = self._sandboxed().evaluate(text, variables.values, variables.secret)
            except TemplateError as error:
                self._failed(error, text, mark)
                return text
        found = self._known[text]
        value = found.value
        if spot is Spot.SECRET and found.is_outside and isinstance(value, str):
            return Secret(value)  # every value is a secret here, whatever its name
        if isinstance(value, Mapping | list | tuple):
            self._repeated += values_in(value, _MOST_REPEATED)
            if self._repeated > _MOST_REPEATED:
                what = f"templates repeat more than {_MOST_REPEATED:,} values of lists and maps"
                self._report.error("template-too-large", what, mark, "use fewer lists of lists")
                return None
        if not isinstance(value, Secret) or spot is Spot.SECRET:
            return located(value, mark)
        if spot is Spot.UNLABELLED:
            what = "a secret in a matrix needs a label: without one its value would become part of a name"
            self._report.error("matrix-label", what, mark, 'write { team-a: "{{ env.NAME }}", team-b: ... }')
        else:
            what = "a secret is not allowed here: it would be stored and shown"
            hint = f"only {SECRET_PLACES} and variables with secret: true accept a secret"
            self._report.error("secret-in-clear", what, mark, hint)
        return None

    def _caption(self, text: str, mark: Mark, variables: Variables) -> Node:
        try:
            return self._sandboxed().caption(text, variables.values, variables.secret)
        except TemplateError as error:
            self._failed(error, text, mark)
            return text

    def _failed(self, error: TemplateError, text: str, mark: Mark) -> None:
        place = None if error.variable is None else self._report.place_of_variable(error.variable, text, mark)
        self._report.error(error.code, error.message, mark if place is None else place, error.hint)
        self._report.mark_wrong(mark)

    def _sandboxed(self) -> Sandbox:
        if self._sandbox is None:
            from scenario_apply.manifest.templating.sandbox import Sandbox

            self._sandbox = Sandbox(self._environment)
        return self._sandbox


def located(value: object, mark: Mark) -> Node:
    """A value of a template as a node, at the position of the template."""
    if isinstance(value, Map | Seq):
        return value
    if isinstance(value, Mapping):
        made = Map(mark)
        for key, inner in value.items():
            made.put(str(key), located(inner, mark), (mark, mark))
        return made
    if isinstance(value, list | tuple):
        items = Seq(mark)
        for inner in value:
            items.add(located(inner, mark), mark)
        return items
    return cast(Node, value)


def _copied(items: Seq) -> Seq:
    twin = Seq(items.start)
    twin.extend(items)
    twin.marks.extend(items.marks)
    return twin
