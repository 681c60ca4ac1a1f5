"""Jinja2 in the text of a manifest: finds the texts that hold a template and puts their values in place.

Only values are rendered, never keys. A text that is exactly "{{ x }}" takes x's value with its type. Equal texts are
rendered once. jinja2 is imported only when a template is met. What an expression may do is decided in sandbox.py.

Captions are rendered for each image, by the dataset code: a dataset's caption, prefix, suffix, caption_template and the
texts of its captions map stay as written when they use trigger, caption, stem or path. What they use of `env` and the
variables besides is put in front of them as `{% set %}`, so that they need nothing else. All others are rendered here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from scenario_apply.core.manifest.fields import is_extension, plain
from scenario_apply.core.manifest.positions import Map, Mark, Node, Seq
from scenario_apply.core.manifest.report import Report
from scenario_apply.core.manifest.secret import Secret

if TYPE_CHECKING:
    from scenario_apply.core.manifest.sandbox import Sandbox
    from scenario_apply.core.manifest.variables import Variables

PER_IMAGE = frozenset({"trigger", "caption", "stem", "path"})
_CAPTION_TEXTS = frozenset({"caption", "prefix", "suffix", "caption_template"})
_CAPTION_MAPS = ("captions", "map")
_NOT_RENDERED = ("variables", "version", "include", "$schema")
_SECRET_PARAMETER = "wandbKey"  # noqa: S105  # the name of the field, not a password


class TemplateError(Exception):
    """A template that cannot be rendered: code, what and mend as in a Problem; line from 1 within the template."""

    def __init__(self, code: str, what: str, mend: str | None = None, line: int | None = None) -> None:
        super().__init__(what)
        self.code, self.what, self.mend, self.line = code, what, mend, line


def is_template(text: str) -> bool:
    return "{{" in text or "{%" in text


class Templates:
    """env_used: the environment values that some template read, by name."""

    def __init__(self, env: Mapping[str, str], report: Report, env_used: dict[str, str] | None = None) -> None:
        self.env_used = {} if env_used is None else env_used
        self._env = env
        self._report = report
        self._sandbox: Sandbox | None = None
        self._known: dict[str, Node] = {}
        self._from_env: set[str] = set()  # texts whose template names env: what they give may be secret
        self._shared: dict[int, Node] = {}

    def rendered(self, document: Map, variables: Variables) -> Map:
        """The document with every template replaced by its value; the same object when there is none."""
        if not any(is_template(text) for text in self._report.sources.values()):
            return document
        whole = document.copied()
        for key, value in document.items():
            if key not in _NOT_RENDERED and not is_extension(key):
                whole[key] = self._render(value, document.marks[key][1], variables, key, "")
        return whole

    def render_value(self, value: Node, mark: Mark, variables: Variables, *, secret: bool = False) -> Node:
        """One value with every template in it replaced; secret: what it gives may be a secret."""
        return self._render(value, mark, variables, _SECRET_PARAMETER if secret else "", "")

    def _render(self, node: Node, mark: Mark, variables: Variables, key: str, parent: str) -> Node:
        if isinstance(node, str):
            if "{{" not in node and "{%" not in node:
                return node
            if key in _CAPTION_TEXTS or parent in _CAPTION_MAPS:
                return self._caption(node, mark, variables)
            return self._text(node, mark, variables, key)
        if not isinstance(node, Map | Seq):
            return node
        done = self._shared.get(id(node))  # what an alias repeats is rendered once
        if done is None:
            done = self._shared[id(node)] = self._container(node, variables, key)
        return done

    def _container(self, node: Map | Seq, variables: Variables, key: str) -> Node:
        changed: Map | Seq | None = None
        is_caption = key in _CAPTION_MAPS  # x-wing.png is a file there, not a note
        pairs: Iterator[tuple[Any, Node, Mark]]
        if isinstance(node, Map):
            pairs = ((k, v, node.marks[k][1]) for k, v in list(node.items()) if is_caption or not is_extension(k))
        else:
            pairs = ((i, v, node.marks[i]) for i, v in enumerate(list(node)))
        for inner_key, value, mark in pairs:
            name = inner_key if isinstance(inner_key, str) else key
            new = self._render(value, mark, variables, name, key)
            if new is not value:
                if changed is None:
                    changed = node.copied() if isinstance(node, Map) else _copied(node)
                changed[inner_key] = new
        return node if changed is None else changed

    def _text(self, text: str, mark: Mark, variables: Variables, key: str) -> Node:
        if text not in self._known:
            try:
                sandbox = self._sandboxed(variables)
                self._known[text] = sandbox.evaluate(text, variables.values, variables.secret)
                if sandbox.reads_env:
                    self._from_env.add(text)
            except TemplateError as error:
                self._report.error(error.code, error.what, mark, error.mend)
                return text
        value = self._known[text]
        if (
            key == _SECRET_PARAMETER
            and isinstance(value, str)
            and (text in self._from_env or isinstance(value, Secret))
        ):
            self._report.secret_places.add((mark.name, mark.line, mark.column))
            return value.reveal() if isinstance(value, Secret) else value
        if isinstance(value, Secret):
            what = "a secret (a variable, or env by such a name) would be stored and shown here"
            self._report.error("secret-in-clear", what, mark, "use it in parameters.wandbKey only")
            return None
        return located(value, mark)

    def _caption(self, text: str, mark: Mark, variables: Variables) -> Node:
        try:
            return self._sandboxed(variables).caption(text, variables.values, variables.secret)
        except TemplateError as error:
            self._report.error(error.code, error.what, mark, error.mend)
            return text

    def _sandboxed(self, variables: Variables) -> Sandbox:
        if self._sandbox is None:
            from scenario_apply.core.manifest.sandbox import Sandbox

            self._sandbox = Sandbox(self._env, self.env_used)
        return self._sandbox


def located(value: object, mark: Mark) -> Node:
    """A value that a template gave, as if it had been written where the template stands."""
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


def quoted(value: object) -> str:
    """A value as a Jinja2 literal."""
    return json.dumps(plain(cast(Node, value)), ensure_ascii=False)


def _copied(items: Seq) -> Seq:
    twin = Seq(items.start)
    twin.extend(items)
    twin.marks.extend(items.marks)
    return twin
