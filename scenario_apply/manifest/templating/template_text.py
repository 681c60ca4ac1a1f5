"""What templates are called and what can go wrong with them, without importing Jinja2."""

from __future__ import annotations

import json
import re
from typing import cast

from msgspec import Struct

from scenario_apply.manifest.fields import plain
from scenario_apply.manifest.positions import Node

PER_IMAGE = frozenset({"trigger", "caption", "stem", "path"})
"""Names that have a value for each image only: captions use them."""
SECRET_PLACES = "models.*.parameters.wandbKey"  # noqa: S105  # where a secret is accepted, not a password


class TemplateError(Exception):
    """A template that cannot be rendered: code, message and hint as in a Diagnostic; line from 1 within the template.

    variable: the variable that the template must not read like this; its position becomes the error's position.
    """

    def __init__(
        self, code: str, message: str, hint: str | None = None, line: int | None = None, variable: str | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.line, self.variable = code, message, hint, line, variable


class Trigger(Struct, frozen=True):
    """What `trigger` is in the prompts of a model's samples. text None: it is not defined; what says why."""

    text: str | None
    what: str = ""
    hint: str = ""


_TRIGGER = re.compile(r"\{\{ *trigger *\}\}")
_OTHER_TEMPLATE = re.compile(r"\{%|\{#|\{\{(?! *trigger *\}\})")


def with_trigger(text: str, trigger: Trigger) -> str | None:
    """A prompt with no template but {{ trigger }}, rendered as Jinja2 would; None for any other."""
    known = trigger.text
    return None if known is None or _OTHER_TEMPLATE.search(text) else _TRIGGER.sub(lambda _: known, text)


def is_template(text: str) -> bool:
    return "{{" in text or "{%" in text


def literal(text: str) -> str:
    """A text as a manifest writes it: one that looks like a template is put into one."""
    return "{{ " + quoted(text) + " }}" if is_template(text) else text


def quoted(value: object) -> str:
    """A value as a Jinja2 literal."""
    return json.dumps(plain(cast(Node, value)), ensure_ascii=False)
