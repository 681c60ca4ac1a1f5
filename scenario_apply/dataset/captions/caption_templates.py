"""Jinja2 for captions: the sandbox of manifests without loops, and a budget of work for each dataset.

A caption is rendered once per picture, so each may do little, and all captions of a dataset share one budget.
Compiling counts too: a captions map may hold a template per picture. Work is counted, not timed, and does not depend
on other datasets, so a template is accepted or refused on every machine alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jinja2 import Template, TemplateError, nodes

from scenario_apply.dataset.captions.caption_errors import CaptionTemplateError
from scenario_apply.manifest.templating.allowed import Budget, BudgetSpent
from scenario_apply.manifest.templating.restricted_environment import NarrowEnvironment
from scenario_apply.manifest.templating.syntax_tree import made_to_pay
from scenario_apply.manifest.templating.template_text import TemplateError as RefusedTemplate
from scenario_apply.model.file_names import is_unicode

_LONGEST = 20_000  # characters of a rendered caption: far above any real caption
_LONGEST_TEMPLATE = 100_000  # characters; the manifest's own limit
_WORK_OF_A_CAPTION = 20_000  # units of sandbox_parts
_COMPILING = 2_000  # units for the smallest template
_COMPILING_A_CHARACTER = 60  # units
_MOST_KEPT = 256  # compiled templates


class CaptionTemplates:
    """Compiles and renders caption templates. Datasets that share a template, such as a default, compile it once."""

    def __init__(self) -> None:
        self._environment = NarrowEnvironment()
        self._environment.keep_trailing_newline = False
        self._compiled: dict[str, tuple[Template, int]] = {}

    def of_dataset(self, work: int) -> DatasetTemplates:
        """The templates of one dataset. work: units for all of them together."""
        return DatasetTemplates(self, Budget(work, _LONGEST))

    def compile(self, source: str, budget: Budget) -> tuple[Template, int]:
        """The template, and how many nodes it has."""
        self._environment.budget = budget
        known = self._compiled.get(source)
        if known is None:
            tree = self._environment.parse(source)
            if next(tree.find_all(nodes.For), None) is not None:
                raise RefusedTemplate("template-refused", "{% for %} is not allowed in captions")
            tree = made_to_pay(tree, self._environment)
            known = self._environment.from_string(tree), sum(1 for _ in tree.find_all(nodes.Node))
            if len(self._compiled) >= _MOST_KEPT:
                self._compiled.clear()
            self._compiled[source] = known
        return known

    def render(self, template: Template, values: Mapping[str, str], budget: Budget) -> str:
        """The rendered text. Raises whatever a filter raises."""
        self._environment.budget = budget
        return "".join(budget.pay_for_result(part) for part in template.generate(values))


class DatasetTemplates:
    """Caption templates under the budget of one dataset."""

    def __init__(self, templates: CaptionTemplates, budget: Budget) -> None:
        self._templates = templates
        self._budget = budget

    def compile(self, key: str, source: str) -> Callable[[Mapping[str, str]], str]:
        """A function that renders the template for one picture's values.

        key: the setting that holds the template, for messages. Raises CaptionTemplateError when it does not compile;
        so does the returned function when it fails on a caption.
        """
        if len(source) > _LONGEST_TEMPLATE:
            raise CaptionTemplateError(key, f"it has {len(source)} characters; at most {_LONGEST_TEMPLATE} are allowed")
        work = _COMPILING + _COMPILING_A_CHARACTER * len(source)
        try:
            self._budget.renew(work + _WORK_OF_A_CAPTION)
            self._budget.pay(work)
            template, size = self._templates.compile(source, self._budget)
        except RefusedTemplate as error:
            raise CaptionTemplateError(key, error.message.replace("a manifest", "captions")) from error
        except BudgetSpent as error:
            raise self._spent(key, error) from error
        except TemplateError as error:
            raise CaptionTemplateError(key, str(error)) from error
        except ValueError as error:  # a number with more digits than Python reads (sys.set_int_max_str_digits)
            raise CaptionTemplateError(key, "a number has too many digits") from error
        except (RecursionError, MemoryError, SyntaxError) as error:  # Python's limits for Jinja2's code
            raise CaptionTemplateError(key, "an expression is nested too deeply") from error

        def render(values: Mapping[str, str]) -> str:
            return self._render(key, template, size, values)

        return render

    def _render(self, key: str, template: Template, size: int, values: Mapping[str, str]) -> str:
        try:
            self._budget.renew(_WORK_OF_A_CAPTION)
            self._budget.pay(size + sum(len(value) for value in values.values()) // 64)
            text = self._templates.render(template, values, self._budget)
        except BudgetSpent as error:
            raise self._spent(key, error) from error
        except Exception as error:  # filters can raise anything
            raise CaptionTemplateError(key, str(error) or type(error).__name__) from error
        if len(text) > _LONGEST:
            raise CaptionTemplateError(key, f"it renders to {len(text)} characters; at most {_LONGEST} are allowed")
        if not is_unicode(text):
            raise CaptionTemplateError(key, "it renders to text that is not Unicode")
        return text

    def _spent(self, key: str, error: BudgetSpent) -> CaptionTemplateError:
        if self._budget.is_spent:
            return CaptionTemplateError(key, "the templates of this dataset do too much work together")
        return CaptionTemplateError(key, f"it does too much work: {error}")
