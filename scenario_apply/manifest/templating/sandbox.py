"""Renders templates in Jinja2's sandbox, restricted so that every template ends soon and its result stays small.

`plan` may run on a manifest from a pull request that has not been reviewed. So a template sees `env`, `var`, the
variables and `range`; no attributes but keys of maps and a few methods of text; no macros, imports or calls of anything
else. Everything that can grow or repeat pays into one budget: loops for each round and the size of their body, text for
its length, powers and repetitions before they are computed. Work is counted, not timed, so the same template is refused
on every machine.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from typing import Any, cast

from jinja2 import Template, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.meta import find_undeclared_variables

from scenario_apply.manifest.positions import Seq
from scenario_apply.manifest.templating.allowed import (
    WORK_OF_A_FILE,
    WORK_OF_A_VALUE,
    BudgetSpent,
    one_text,
    sendable,
)
from scenario_apply.manifest.templating.allowed_environment import AllowedEnvironment, EnvironmentVariableRefused
from scenario_apply.manifest.templating.restricted_environment import NarrowEnvironment
from scenario_apply.manifest.templating.syntax_tree import alone, key_of, made_to_pay
from scenario_apply.manifest.templating.template_text import (
    PER_IMAGE,
    SECRET_PLACES,
    TemplateError,
    Trigger,
    literal,
    quoted,
)
from scenario_apply.manifest.templating.template_values import (
    EnvironmentVariables,
    SecretComputed,
    TemplateVariables,
    WholeValue,
    whole_value,
)
from scenario_apply.model.did_you_mean import did_you_mean
from scenario_apply.model.secret import Secret
from scenario_apply.model.variable_names import ALLOW_VARIABLE, is_variable_name

_LONGEST_VALUE = 16 * 1024  # characters of one template in a manifest
_LONGEST_IN_ALL = 384 * 1024  # of all that are compiled for a manifest: about 20 µs each
_LONGEST_FILE = 512 * 1024  # of a *.yaml.j2
_LONGEST_FILES = 1024 * 1024  # of all of them
_OF_A_NODE = 4  # characters: most of such a file is text, so the nodes of its tree are counted instead
_OVERHEAD = 64  # characters: compiling the shortest template takes about as long as so many more
_FILE = "the text of a manifest"
_LONGEST_PASSED_ON = 64 * 1024  # characters of what a caption takes along from variables and the environment


class TriggerUndefined(TemplateError):
    """`trigger` is read where there is none."""


class Sandbox:
    """Renders templates. allowed: what `env.NAME` reads.

    No secret enters a template: one that is only a secret passes it on unchanged; any other that reads one fails.
    """

    def __init__(self, allowed: AllowedEnvironment) -> None:
        self._environment = NarrowEnvironment()
        self._allowed = allowed
        self._env = EnvironmentVariables(allowed)
        self._compiled = 0  # characters, and the overhead of each template
        self._in_files = 0  # characters
        self._prompts: dict[str, tuple[nodes.Template, Template]] = {}  # by their text

    def evaluate(self, text: str, values: Mapping[str, Any], secret: Collection[str]) -> WholeValue:
        """The value of a text with templates; an expression alone keeps its type."""
        tree = self._tree(text, _LONGEST_VALUE)
        expression = alone(tree)
        if expression is not None:
            with _explained():
                whole = whole_value(expression, self._allowed, values, secret)
            if whole is not None and whole.is_outside and isinstance(whole.value, str):
                return WholeValue(self._run(tree, expression, values, secret), is_outside=True)
            if whole is not None and isinstance(whole.value, Secret):
                return whole
        return WholeValue(self._run(tree, expression, values, secret))

    def caption(self, text: str, values: Mapping[str, Any], secret: Collection[str]) -> str:
        """A caption text: rendered, or, when it needs the image, made self-contained."""
        tree = self._tree(text, _LONGEST_VALUE)
        names = find_undeclared_variables(tree)
        with _explained("a caption"):
            if not names & PER_IMAGE:
                return literal(one_text(self._run_openly(tree, None, values, secret, WORK_OF_A_VALUE)))
            outside = sorted(names - PER_IMAGE)
            for name in outside:
                if name not in values and name not in ("env", "var"):
                    raise TemplateError("undefined-variable", f"{name} is not defined", _meant(name, values))
                if name in secret:
                    raise SecretComputed(name)
            passed_on = "".join(self._passed_on(name, tree, values, secret) for name in outside)
        if len(passed_on) > _LONGEST_PASSED_ON:
            what = f"the variables of this caption hold {len(passed_on)} characters; at most {_LONGEST_PASSED_ON}"
            raise TemplateError("template-too-large", what, "name only the part that is needed, such as {{ list[0] }}")
        self._count(len(passed_on))
        return passed_on + text

    def prompt(self, text: str, values: Mapping[str, Any], secret: Collection[str], trigger: Trigger) -> str:
        """A prompt, rendered for one trigger. It is compiled once, however many models have it from the defaults."""
        known = self._prompts.get(text)
        if known is None:
            tree = self._tree(text, _LONGEST_VALUE)
            known = self._prompts[text] = tree, self._environment.from_string(tree)
        shown = values if trigger.text is None else ChainMap({"trigger": trigger.text}, cast(dict[str, Any], values))
        try:
            with _explained("the prompt of a sample"):
                return str(self._run_openly(known[0], None, shown, secret, WORK_OF_A_VALUE, known[1]))
        except TriggerUndefined as error:
            raise TemplateError("undefined-variable", trigger.what, trigger.hint) from error

    def _passed_on(self, name: str, tree: nodes.Template, values: Mapping[str, Any], secret: Collection[str]) -> str:
        if name not in ("env", "var"):
            return f"{{% set {name} = {quoted(values[name])} %}}"
        holder: Mapping[str, Any] = self._env if name == "env" else TemplateVariables(values, secret)
        read: dict[str, Any] = {}
        keys = [key for node in tree.find_all((nodes.Getattr, nodes.Getitem)) if (key := key_of(node, name))]
        if len(keys) < sum(node.name == name for node in tree.find_all(nodes.Name)) or "get" in keys:
            what = f"a caption for each image reads {name} by name only, as in {name}.NAME"
            raise TemplateError("template-refused", what)
        for key in keys:
            if key not in holder:
                raise (
                    _not_set(key)
                    if name == "env"
                    else TemplateError("undefined-variable", f"var.{key} is not defined", _meant(key, values))
                )
            read[key] = holder[key]
        return f"{{% set {name} = {quoted(read)} %}}"

    def file(self, text: str, values: Mapping[str, Any], secret: Collection[str] = ()) -> str:
        """A whole *.yaml.j2."""
        self._in_files += len(text)
        if self._in_files > _LONGEST_FILES:
            what = f"more than {_LONGEST_FILES} characters of *.yaml.j2 files in total"
            raise TemplateError("template-too-large", what, "move text that is not a template to *.yaml files")
        tree = self._tree(text, _LONGEST_FILE, is_file=True)
        try:
            with _explained(_FILE):
                return str(self._run_openly(tree, None, values, secret, WORK_OF_A_FILE))
        except TriggerUndefined as error:
            hint = "in a file that is a template, write {% raw %}{{ trigger }}{% endraw %} there"
            raise TemplateError(error.code, error.message, hint, error.line) from error

    def _tree(self, text: str, longest: int, *, is_file: bool = False) -> nodes.Template:
        if len(text) > longest:
            raise TemplateError(
                "template-too-large", f"a template of {len(text)} characters; at most {longest} are allowed"
            )
        self._count(_OVERHEAD if is_file else len(text) + _OVERHEAD)
        self._environment.budget.renew(WORK_OF_A_VALUE)  # constants are computed while the tree is parsed
        try:
            tree = self._environment.parse(text)
            if is_file:
                self._count(_OF_A_NODE * sum(1 for _ in tree.find_all(nodes.Node)))
            tree = made_to_pay(tree, self._environment)
            find_undeclared_variables(tree)  # raises for unknown filters and tests
        except TemplateSyntaxError as error:
            raise TemplateError(
                "template-syntax", f"invalid template: {error.message}", _syntax_hint(text), error.lineno
            ) from error
        except ValueError as error:  # a number with more digits than Python reads (sys.set_int_max_str_digits)
            raise TemplateError("template-syntax", "invalid template: a number has too many digits") from error
        except RecursionError as error:
            raise TemplateError("template-refused", "the expression is nested too deeply") from error
        except BudgetSpent as error:
            raise _endless(error) from error
        return tree

    def _count(self, characters: int) -> None:
        self._compiled += characters
        if self._compiled > _LONGEST_IN_ALL:
            what = f"more than {_LONGEST_IN_ALL} characters of templates in total, counting {_OVERHEAD} extra for each"
            raise TemplateError("template-too-large", what, "use fewer templates")

    def _run(
        self, tree: nodes.Template, expression: nodes.Expr | None, values: Mapping[str, Any], secret: Collection[str]
    ) -> Any:
        with _explained():
            return self._run_openly(tree, expression, values, secret, WORK_OF_A_VALUE)

    def _run_openly(
        self,
        tree: nodes.Template,
        expression: nodes.Expr | None,
        values: Mapping[str, Any],
        secret: Collection[str],
        work: int,
        compiled: Template | None = None,
    ) -> Any:
        """Raises SecretComputed, EnvironmentVariableRefused, TemplateError. compiled: of the tree, if known."""
        if secret and (read := sorted(find_undeclared_variables(tree) & set(secret))):
            raise SecretComputed(read[0], _first_line(tree, read[0]))
        environment = self._environment
        environment.budget.renew(work)
        known: Mapping[str, Any] = {"env": self._env, "var": TemplateVariables(values, secret)}
        names = find_undeclared_variables(tree)  # thousands of variables are not copied for one
        shown = {
            name: known[name] if name not in values else values[name]
            for name in names
            if (name in values and name not in secret) or name in known
        }
        try:
            if expression is None:
                template = compiled or environment.from_string(tree)
                return sendable("".join(environment.budget.pay_for_result(part) for part in template.generate(shown)))
            body: list[nodes.Node] = [nodes.Assign(nodes.Name("result", "store"), expression, lineno=1)]
            whole = nodes.Template(body, lineno=1)
            whole.set_environment(environment)
            module = environment.from_string(whole)
            found = module.new_context(dict(shown))
            for _ in module.root_render_func(found):
                pass
            result = _checked(found.vars["result"])
        except UndefinedError as error:
            raise _undefined(error, values, _line_of(error)) from error
        except BudgetSpent as error:
            raise _endless(error) from error
        except SecurityError as error:
            raise TemplateError("template-refused", f"not allowed in a manifest: {error}") from error
        except (RecursionError, MemoryError) as error:
            raise TemplateError("template-refused", "the expression is nested too deeply") from error
        except (SecretComputed, EnvironmentVariableRefused):
            raise
        except Exception as error:  # whatever a filter raises for its arguments is the template's mistake
            raise TemplateError("template-failed", f"the template fails: {error}", None, _line_of(error)) from error
        return result


def _endless(error: BudgetSpent) -> TemplateError:
    what = f"the template does too much: {error}"
    return TemplateError("template-endless", what, "simplify the template")


def _checked(value: Any) -> Any:
    """A value that YAML could hold. Raises SecurityError, or UndefinedError for an undefined one."""
    if isinstance(value, range | tuple | list):
        return [_checked(item) for item in value] if not isinstance(value, Seq) else value
    if type(value) is dict:  # written in the template; a Map of the manifest was checked when it was read
        return {key: _checked(inner) for key, inner in value.items()}
    if isinstance(value, TemplateVariables):
        return dict(value.items())
    if isinstance(value, Mapping) and not isinstance(value, EnvironmentVariables):
        return value
    if isinstance(value, float) and not isfinite(value):
        raise SecurityError(f"{value} is not a finite number")
    if value is not None and not isinstance(value, bool | int | float):
        sendable(one_text(value))
    return value


@contextmanager
def _explained(where: str | None = None) -> Iterator[None]:
    """Turns what is refused of secrets and of the environment into a TemplateError. where: what is rendered."""
    try:
        yield
    except EnvironmentVariableRefused as error:
        raise _refused(error, _line_of(error)) from None
    except SecretComputed as error:
        raise _computed(error.name, where, error.line or _line_of(error)) from None


def _refused(error: EnvironmentVariableRefused, line: int | None) -> TemplateError:
    name = error.name
    if error.is_credential:
        of = "" if name == "SCENARIO_APPLY_WEBHOOK" else " of Scenario"
        what, hint = f"{name} is a credential{of}, which manifests must not read", None
    else:
        what = f"the manifest may not read the environment variable {name}"
        hint = (
            f"to allow it, add --allow-env {name}, or set {ALLOW_VARIABLE}={name}" if is_variable_name(name) else None
        )
    return TemplateError("env-not-allowed", what, hint, line, variable=f"env.{name}")


def _computed(name: str, where: str | None, line: int | None) -> TemplateError:
    if where is not None:
        hint = f"only {SECRET_PLACES} accepts a secret"
        if where == _FILE:
            hint += f"; in a file that is a template, write {{% raw %}}{{{{ {name} }}}}{{% endraw %}} there"
        return TemplateError("secret-in-clear", f"{name} is a secret and cannot be used in {where}", hint, line, name)
    what = f"{name} is a secret: a template can only pass it on unchanged"
    hint = f'write "{{{{ {name} }}}}" on its own; {SECRET_PLACES} accepts it'
    return TemplateError("secret-in-clear", what, hint, line, name)


def _first_line(tree: nodes.Template, name: str) -> int | None:
    return next((node.lineno for node in tree.find_all(nodes.Name) if node.name == name), None)


def _line_of(error: BaseException) -> int | None:
    """The line of the template that raised it: Jinja2 writes it into the traceback."""
    line, traceback = None, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == "<template>":
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _undefined(error: UndefinedError, values: Mapping[str, Any], line: int | None = None) -> TemplateError:
    import re

    message = str(error)
    quoted_names = re.findall(r"'([^']*)'", message)
    name = quoted_names[-1] if quoted_names else "?"
    if "EnvironmentVariables" in message:
        return _not_set(name, line)
    if name in PER_IMAGE:
        is_trigger = name == "trigger"
        where = "captions and in prompts of samples" if is_trigger else "captions"
        hint = "use it in caption_template, caption, prefix or suffix" + (", or below samples:" if is_trigger else "")
        kind = TriggerUndefined if is_trigger else TemplateError
        return kind("undefined-variable", f"{name} is available only in {where}", hint, line)
    return TemplateError("undefined-variable", f"{name} is not defined", _meant(name, values), line)


def _not_set(name: str, line: int | None = None) -> TemplateError:
    what = f"the environment variable {name} is not set"
    return TemplateError("undefined-variable", what, f"set it: export {name}=...", line)


def _meant(name: str, values: Mapping[str, Any]) -> str:
    return did_you_mean(name, [*values, "env", "var", "trigger"]) or "declare it under variables:"


def _syntax_hint(text: str) -> str | None:
    if text.count("{{") != text.count("}}"):
        return "close the template with }}"
    if text.count("{%") != text.count("%}"):
        return "close the statement with %}"
    return 'to write braces as text, use {{ "like this" }}'
