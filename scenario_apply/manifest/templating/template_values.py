"""What templates read by name: `env` and `var`. Jinja2 never gets a secret, so that nothing is computed from it.

A template passes a secret on unchanged, as in "{{ env.WANDB_API_KEY }}" (whole_value), or fails with SecretComputed.
Otherwise a thousand templates with one comparison each could reveal the secret.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import SecurityError
from msgspec import Struct

from scenario_apply.manifest.templating.allowed_environment import AllowedEnvironment
from scenario_apply.manifest.templating.syntax_tree import key_of
from scenario_apply.model.secret import Secret


class SecretComputed(Exception):
    """A template does more with a secret than pass it on. name: as the template reads it, `env.X` or a variable.

    line: within the template, from 1, where that is known.
    """

    def __init__(self, name: str, line: int | None = None) -> None:
        super().__init__(name)
        self.name = name
        self.line = line


class EnvironmentVariables(Mapping[str, str]):
    """`env` in templates: reads one variable at a time; cannot be listed.

    Raises EnvironmentVariableRefused for a name that may not be read, SecretComputed for a secret.
    """

    def __init__(self, allowed: AllowedEnvironment) -> None:
        self._allowed = allowed

    def __getitem__(self, name: str) -> str:
        value = self._allowed.read(name) if isinstance(name, str) else None
        if value is None:
            raise KeyError(name)
        if isinstance(value, Secret):
            raise SecretComputed(f"env.{name}")
        return value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._allowed.read(name) is not None

    def __iter__(self) -> Iterator[str]:
        raise SecurityError("the environment cannot be listed; read env.NAME")

    def __len__(self) -> int:
        raise SecurityError("the environment cannot be listed; read env.NAME")


class TemplateVariables(Mapping[str, Any]):
    """`var` in templates. Raises SecretComputed for a secret variable."""

    def __init__(self, values: Mapping[str, Any], secret: Collection[str]) -> None:
        self._values = values
        self._secret = secret

    def __getitem__(self, name: str) -> Any:
        if name in self._values and name in self._secret:
            raise SecretComputed(name)
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class WholeValue(Struct, frozen=True):
    """What an expression passes on unchanged. value None: nothing is set. is_outside: it came from the environment."""

    value: object
    is_outside: bool = False


def whole_value(
    expression: nodes.Expr, allowed: AllowedEnvironment, values: Mapping[str, Any], secret: Collection[str]
) -> WholeValue | None:
    """The value of env.X, env["X"], env.get("X"), a secret variable, or one of these with a default; None for any
    other expression. Raises EnvironmentVariableRefused."""

    def whole(node: nodes.Node) -> WholeValue | None:
        if isinstance(node, nodes.Const):
            return WholeValue(node.value)
        if isinstance(node, nodes.Name):
            return WholeValue(values[node.name]) if node.name in secret else None
        if isinstance(node, nodes.Filter):
            return defaulted(node)
        if isinstance(node, nodes.Call):
            return got(node)
        if (name := key_of(node, "env")) is not None and name != "get":
            value = allowed.read(name)
            return WholeValue(value, is_outside=value is not None)
        if (name := key_of(node, "var")) is not None and name in secret:
            return WholeValue(values[name])
        return None

    def defaulted(node: nodes.Filter) -> WholeValue | None:
        is_plain = not (node.kwargs or node.dyn_args or node.dyn_kwargs)
        if node.name not in ("default", "d") or not is_plain or node.node is None or len(node.args) > 2:
            return None
        found = whole(node.node)
        if found is None:
            return None
        also_empty = len(node.args) == 2 and isinstance(node.args[1], nodes.Const) and bool(node.args[1].value)
        if found.value is None or (also_empty and _is_empty(found.value)):
            return whole(node.args[0]) if node.args else WholeValue("")
        return found

    def got(node: nodes.Call) -> WholeValue | None:
        is_plain = not (node.kwargs or node.dyn_args or node.dyn_kwargs)
        if key_of(node.node, "env") != "get" or not is_plain or not 1 <= len(node.args) <= 2:
            return None
        name = node.args[0]
        if not isinstance(name, nodes.Const) or not isinstance(name.value, str):
            return None
        value = allowed.read(name.value)
        if value is None and len(node.args) == 2:
            return whole(node.args[1])
        return WholeValue(value, is_outside=value is not None)

    return whole(expression)


def _is_empty(value: object) -> bool:
    return not (value.reveal() if isinstance(value, Secret) else value)
