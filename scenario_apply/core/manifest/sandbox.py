"""What a template may do: Jinja2's sandbox, narrowed to what ends soon and stays small.

A manifest may come from a pull request nobody has read yet, and `plan` runs on it. So a template sees `env`, `var`, the
variables and `range`; no attributes but keys of maps and a few methods of text; no macros, imports or calls of anything
else. Everything that can grow or repeat pays into one budget: loops for each round and the size of their body, text for
its length, powers and repetitions before they are computed. Work is counted, not timed, so the same template is refused
on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from scenario_apply.core.manifest.positions import Seq, kind_of
from scenario_apply.core.manifest.sandbox_parts import (
    FILTERS,
    METHODS,
    TESTS,
    WORK_OF_A_FILE,
    WORK_OF_A_VALUE,
    Budget,
    BudgetSpent,
    EnvironmentVariables,
    bounded,
    one_text,
)
from scenario_apply.core.manifest.sandbox_tree import alone, key_of, made_to_pay, names_read
from scenario_apply.core.manifest.secret import Secret
from scenario_apply.core.manifest.templates import PER_IMAGE, TemplateError, quoted
from scenario_apply.core.suggest import did_you_mean

_LONGEST_VALUE = 16 * 1024  # characters of one template in a manifest
_LONGEST_IN_ALL = 1024 * 1024  # of all that are compiled for a manifest
_LONGEST_FILE = 512 * 1024  # of a *.yaml.j2


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja2 with a budget. Its code generation is left alone: the tree is changed before it."""

    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%", "**"])

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False, optimized=False, keep_trailing_newline=True)
        self.budget = Budget()
        self.filters = {name: self._paying(function) for name, function in FILTERS.items()}
        self.filters["_joined"] = self._joined
        self.filters["_rounds"] = self._rounds
        self.filters["_flat"] = self._flat
        self.tests = dict(TESTS)
        self.globals = {"range": self._range}
        self.finalize = self._shown

    def _paying(self, function: Callable[..., Any]) -> Callable[..., Any]:
        from functools import wraps

        @wraps(function)
        def paying(*args: Any, **kwargs: Any) -> Any:
            self.budget.pay_for(args)
            return self.budget.pay_for_result(function(*args, **kwargs))

        return paying

    def _joined(self, parts: list[Any]) -> str:
        joined = "".join(one_text(part) for part in parts)
        self.budget.pay_for_result(joined)
        return joined

    def _rounds(self, items: Any, body: int) -> Iterator[Any]:
        if isinstance(items, Mapping):
            items = list(items)
        for item in items:
            self.budget.pay(body)
            yield item

    def _flat(self, items: Any) -> Any:
        """A list that holds computed values holds no lists: doubling one forty times would fit nowhere."""
        for item in items.values() if isinstance(items, dict) else items:
            one_text(item)
        self.budget.pay(len(items))
        return items

    def _range(self, *args: Any) -> range:
        made = range(*args)
        self.budget.pay(min(len(made), 10**9))
        return made

    def _shown(self, value: Any) -> Any:
        return value if isinstance(value, StrictUndefined) else one_text(value)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        bounded(operator, left, right)
        return self.budget.pay_for_result(super().call_binop(context, operator, left, right))

    def getattr(self, obj: Any, attribute: str) -> Any:
        if attribute.startswith("_"):
            raise SecurityError(f"{attribute} is private")
        if isinstance(obj, Mapping):
            return self._item(obj, attribute)
        if isinstance(obj, str) and attribute in METHODS:
            function = METHODS[attribute]
            return _Method(lambda *args: self._paying(function)(obj, *args))
        if isinstance(obj, StrictUndefined):
            return obj[attribute]
        if type(obj).__name__ in ("LoopContext", "AsyncLoopContext") and attribute in _LOOP:
            return getattr(obj, attribute)
        raise SecurityError(f"{kind_of(obj)} has no .{attribute} here")

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Mapping):
            return self._item(obj, argument)
        if isinstance(obj, str | list | tuple | range) and isinstance(argument, int | slice):
            try:
                return obj[argument]
            except IndexError:
                return self.undefined(obj=obj, name=str(argument))
        if isinstance(argument, str):
            return self.getattr(obj, argument)
        if isinstance(obj, StrictUndefined):
            return obj[argument]
        raise SecurityError(f"[ ] of {kind_of(obj)}")

    def _item(self, obj: Mapping[Any, Any], key: Any) -> Any:
        if key in ("items", "keys", "values", "get") and key not in obj:
            if key == "get":
                return _Method(lambda name, default=None: obj.get(name, default))
            return _Method(lambda: list(getattr(obj, key)()))
        try:
            return obj[key]
        except (KeyError, TypeError):
            return self.undefined(obj=obj, name=key)

    def call(self, context: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(obj, _Method) or obj == self._range:
            kwargs.pop("_loop_vars", None)  # Jinja2's own, for functions that take the context
            kwargs.pop("_block_vars", None)
            return obj(*args, **kwargs)
        if isinstance(obj, StrictUndefined):
            return obj()  # says which name is undefined
        raise SecurityError("only range() and methods of text and maps can be called")


_LOOP = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem"})


class _Method:
    """The only thing besides range that a template may call."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)


class Sandbox:
    """Renders templates. env: what `env.NAME` reads; what was read is added to used."""

    def __init__(self, env: Mapping[str, str], used: dict[str, str]) -> None:
        self._environment = _Environment()
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
                return "".join(environment.budget.pay_for_result(part) for part in template.generate(shown))
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
    if isinstance(value, Mapping) and not isinstance(value, EnvironmentVariables):
        return value
    if value is not None and not isinstance(value, bool | int | float):
        one_text(value)
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
