"""Jinja2 for captions: sandboxed, strict, without loops, so that no caption can run long or reach out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from scenario_apply.dataset.captions.compose import CaptionTemplateError
from scenario_apply.model.file_names import is_unicode

_LONGEST = 20_000  # characters: far above any caption, far below what hurts
_PADDING = frozenset({"center", "ljust", "rjust", "zfill", "format", "format_map", "expandtabs", "join"})
_FILTERS = (
    "lower",
    "upper",
    "capitalize",
    "title",
    "trim",
    "replace",
    "default",
    "first",
    "last",
    "truncate",
    "length",
)
_FORBIDDEN = (nodes.For, nodes.Macro, nodes.CallBlock, nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


class _Sandbox(SandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Numbers only, and small ones: 'a' * 10**10 would fill the memory."""
        for side in (left, right):
            if not isinstance(side, int | float) or abs(side) > 1_000_000:
                raise SecurityError(f"`{operator}` takes two numbers up to a million here")
        if operator == "**" and abs(right) > 16:
            raise SecurityError("`**` takes exponents up to 16 here")
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return attr not in _PADDING and super().is_safe_attribute(obj, attr, value)


_ENVIRONMENT = _Sandbox(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)  # plain text
_ENVIRONMENT.globals.clear()
_ENVIRONMENT.filters = {name: _ENVIRONMENT.filters[name] for name in _FILTERS}


def compile_template(key: str, source: str) -> Callable[[Mapping[str, str]], str]:
    """Raises CaptionTemplateError, at once for what does not compile, later for what fails on a caption."""
    try:
        tree = _ENVIRONMENT.parse(source)
        if found := next(tree.find_all(_FORBIDDEN), None):
            raise CaptionTemplateError(key, f"{{% {type(found).__name__.lower()} %}} is not allowed in captions")
        template = _ENVIRONMENT.from_string(tree)
    except TemplateError as error:
        raise CaptionTemplateError(key, str(error)) from error

    def render(values: Mapping[str, str]) -> str:
        try:
            text = template.render(values)
        except CaptionTemplateError:
            raise
        except Exception as error:  # a template can raise anything its filters raise
            raise CaptionTemplateError(key, str(error) or type(error).__name__) from error
        if len(text) > _LONGEST:
            raise CaptionTemplateError(key, f"it renders to {len(text)} characters; {_LONGEST} is the limit")
        if not is_unicode(text):
            raise CaptionTemplateError(key, "it renders to text that is not Unicode")
        return text

    return render
