"""What a template may do: Jinja2's sandbox, narrowed to what ends soon and stays small.

A manifest may come from a pull request nobody has read yet, and `plan` runs on it. So a template sees `env`, `var`, the
variables and `range`; no attributes but keys of maps and a few methods of text; no macros, imports or calls of anything
else. Everything that can grow or repeat pays into one budget: loops for each round and the size of their body, text for
its length, powers and repetitions before they are computed. Work is counted, not timed, so the same template is refused
on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.meta import find_undeclared_variables

from scenario_apply.core.manifest.positions import Seq
from scenario_apply.core.manifest.sandbox_environment import NarrowEnvironment
from scenario_apply.core.manifest.sandbox_parts import (
    WORK_OF_A_FILE,
    WORK_OF_A_VALUE,
    BudgetSpent,
    EnvironmentVariables,
    one_text,
    sendable,
)
from scenario_apply.core.manifest.sandbox_tree import alone, key_of, made_to_pay, names_read
from scenario_apply.core.manifest.secret import Secret
from scenario_apply.core.manifest.templates import PER_IMAGE, TemplateError, quoted
from scenario_apply.core.suggest import did_you_mean

_LONGEST_VALUE = 16 * 1024  # characters of one template in a manifest
_LONGEST_IN_ALL = 1024 * 1024  # of all that are compiled for a manifest
_LONGEST_FILE = 512 * 1024  # of a *.yaml.j2


class Sandbox:
    """Renders templates. env: what `env.NAME` reads; what was read is added to used."""

    def __init__(self, env: Mapping[str, str], used: dict[str, str]) -> None:
        self._environment = NarrowEnvironment()
        self._env = EnvironmentVariables(env, used)
        self._compiled = 0  # characters
        self._reads_secret = False
        self.reads_env = False  # whether the template evaluated last names env

    def evaluate(self, text: str, values: Mapping[str, Any], secret: set[str]) -> Any:
        """The value of a text with templates; an expression alone keeps its type. A Secret when it read a secret."""
        tree = self._tree(text, _LONGEST_VALUE)
        self.reads_env = any(node.name == "env" for node in tree.find_all(nodes.Name))
        expression = alone(tree)
        self._env.read_secret = None
        self._reads_secret = bool(names_read(tree, values) & secret)
        value = self._run(tree, expression, values)
        if self._reads_secret or self._env.read_secret is not None:
            return Secret(value.reveal() if isinstance(value, Secret) else one_text(value))
        return value

    def caption(self, text: str, values: Mapping[str, Any], secret: set[str]) -> str:
        """A caption text: rendered, or, when it needs the image, made to stand alone."""
        tree = self._tree(text, _LONGEST_VALUE)
        names = names_read(tree, {**values, **dict.fromkeys(PER_IMAGE)})
        self._reads_secret = False
        if names & secret:
            raise TemplateError("secret-in-clear", "a secret variable cannot stand in a caption", None)
        self._env.read_secret = None
        if not names & PER_IMAGE:
            rendered = one_text(self._run(tree, None, values))
            self._refuse_secret("a caption")
            return "{{ " + quoted(rendered) + " }}" if "{{" in rendered or "{%" in rendered else rendered
        outside = sorted(find_undeclared_variables(tree) - PER_IMAGE)
        for name in outside:
            if name not in values and name not in ("env", "var"):
                raise TemplateError("undefined-variable", f"{name} is not defined", _meant(name, values))
        whole = "".join(self._handed_down(name, tree, values) for name in outside) + text
        self._refuse_secret("a caption")
        return whole

    def _handed_down(self, name: str, tree: nodes.Template, values: Mapping[str, Any]) -> str:
        if name not in ("env", "var"):
            return f"{{% set {name} = {quoted(values[name])} %}}"
        holder: Mapping[str, Any] = self._env if name == "env" else values
        read: dict[str, Any] = {}
        for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
            key = key_of(node, name)
            if key is None:
                continue
            if key not in holder:
                raise (
                    _not_set(key)
                    if name == "env"
                    else TemplateError("undefined-variable", f"var.{key} is not defined", _meant(key, values))
                )
            read[key] = holder[key]
        return f"{{% set {name} = {quoted(read)} %}}"

    def file(self, text: str, values: Mapping[str, Any]) -> str:
        """A whole *.yaml.j2."""
        self._env.read_secret, self._reads_secret = None, False
        rendered = str(self._run(self._tree(text, _LONGEST_FILE), None, values, WORK_OF_A_FILE))
        self._refuse_secret("the text of a manifest")
        return rendered

    def _refuse_secret(self, where: str) -> None:
        name = self._env.read_secret
        if name is not None:
            what = f"env.{name} is a secret by its name and cannot stand in {where}"
            raise TemplateError("secret-in-clear", what, "use it in parameters.wandbKey only")

    def _tree(self, text: str, longest: int) -> nodes.Template:
        if len(text) > longest:
            raise TemplateError(
                "template-too-large", f"a template of {len(text)} characters; at most {longest} are read"
            )
        self._compiled += len(text)
        if self._compiled > _LONGEST_IN_ALL:
            raise TemplateError("template-too-large", f"more than {_LONGEST_IN_ALL} characters of templates in all")
        try:
            tree = made_to_pay(self._environment.parse(text), self._environment)
            find_undeclared_variables(tree)  # says which filters and tests are not there
        except TemplateSyntaxError as error:
            raise TemplateError(
                "template-syntax", f"not a template: {error.message}", _syntax_mend(text), error.lineno
            ) from error
        except RecursionError as error:
            raise TemplateError("template-refused", "an expression nested too deep") from error
        return tree

    def _run(
        self,
        tree: nodes.Template,
        expression: nodes.Expr | None,
        values: Mapping[str, Any],
        work: int = WORK_OF_A_VALUE,
    ) -> Any:
        """Raises TemplateError, which says nothing of the values once a secret was read."""
        try:
            return self._run_openly(tree, expression, values, work)
        except TemplateError as error:
            if self._reads_secret or self._env.read_secret is not None:
                what = "the template fails, and reads a secret, so no more is said"
                raise TemplateError(error.code, what, None, error.line) from None
            raise

    def _run_openly(
        self, tree: nodes.Template, expression: nodes.Expr | None, values: Mapping[str, Any], work: int
    ) -> Any:
        environment = self._environment
        environment.budget.renew(work)
        shown: Mapping[str, Any] = {"env": self._env, "var": values, **values}
        try:
            if expression is None:
                template = environment.from_string(tree)
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
            raise TemplateError(
                "template-endless", f"the template does too much: {error}", "compute less in a manifest"
            ) from error
        except SecurityError as error:
            raise TemplateError("template-refused", f"not allowed in a manifest: {error}") from error
        except (RecursionError, MemoryError) as error:
            raise TemplateError("template-refused", "an expression nested too deep") from error
        except Exception as error:  # whatever a filter raises for its arguments is the template's mistake
            raise TemplateError("template-failed", f"the template fails: {error}", None, _line_of(error)) from error
        return result


def _checked(value: Any) -> Any:
    """A value that YAML could hold. Raises SecurityError, or UndefinedError for an undefined one."""
    if isinstance(value, range | tuple | list):
        return [_checked(item) for item in value] if not isinstance(value, Seq) else value
    if type(value) is dict:  # written in the template; a Map of the manifest was checked when it was read
        return {key: _checked(inner) for key, inner in value.items()}
    if isinstance(value, Mapping) and not isinstance(value, EnvironmentVariables):
        return value
    if value is not None and not isinstance(value, bool | int | float):
        sendable(one_text(value))
    return value


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
        return TemplateError(
            "undefined-variable",
            f"{name} is known only in captions",
            "use it in caption_template, caption, prefix or suffix",
        )
    return TemplateError("undefined-variable", f"{name} is not defined", _meant(name, values), line)


def _not_set(name: str, line: int | None = None) -> TemplateError:
    what = f"the environment variable {name} is not set"
    return TemplateError("undefined-variable", what, f"set it: export {name}=...", line)


def _meant(name: str, values: Mapping[str, Any]) -> str:
    return did_you_mean(name, [*values, "env", "var"]) or "declare it under variables:"


def _syntax_mend(text: str) -> str | None:
    if text.count("{{") != text.count("}}"):
        return "close the template with }}"
    if text.count("{%") != text.count("%}"):
        return "close the statement with %}"
    return 'text that is no template is written {{ "like this" }}'
