"""The environment that templates may read: SCENARIO_* without credentials, and the names that the caller allows.

A manifest may come from an unreviewed pull request. Whether a variable may be read depends on its name alone,
never on whether it is set: a manifest cannot find out what else the environment holds.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Iterator, Mapping
from urllib.parse import quote

from scenario_apply.manifest.secret_detection import is_secret_name, is_secret_value
from scenario_apply.model.secret import MASK, Secret

ALLOWED_PREFIX = "SCENARIO_"
SERVICE_CREDENTIALS = frozenset(
    {
        "SCENARIO_SDK_API_KEY",
        "SCENARIO_SDK_API_SECRET",
        "SCENARIO_API_KEY",
        "SCENARIO_API_SECRET",
        "SCENARIO_APPLY_WEBHOOK",
    }
)
"""Never in a manifest, not even when they are allowed: they are sent to Scenario only, to log in; and the URL of the
webhook, to which everyone who knows it can post."""

_SHORTEST_EQUAL = 4  # characters; a shorter value of a variable such as USE_AUTH=1 is too common to compare
_SHORTEST_CONTAINED = 6
_COMMON = frozenset(
    {
        "true",
        "false",
        "none",
        "null",
        "auto",
        "enabled",
        "disabled",
        "default",
        "required",
        "optional",
        "always",
        "never",
    }
)


class EnvironmentVariableRefused(Exception):
    """A template reads a variable that it may not read. is_credential: it is one of Scenario's own."""

    def __init__(self, name: str, *, credentials: bool = False) -> None:
        super().__init__(name)
        self.name = name
        self.is_credential = credentials


class AllowedEnvironment:
    """variables: the whole environment. allowed: names that the caller lets a manifest read.

    used: the names that were read so far, for the digest of the manifest.
    """

    def __init__(self, variables: Mapping[str, str], allowed: Collection[str] = ()) -> None:
        self._variables = variables
        self._allowed = frozenset(allowed)
        self._secret_texts: tuple[frozenset[str], tuple[str, ...]] | None = None
        self.used: set[str] = set()

    def read(self, name: str) -> str | Secret | None:
        """The value of a variable; a Secret when its name or its value says so; None when it is not set.

        Raises EnvironmentVariableRefused.
        """
        self.check(name)
        value = self._variables.get(name)
        if value is None:
            return None
        self.used.add(name)
        return Secret(value) if self._is_secret(name, value) else value

    def check(self, name: str) -> None:
        """Raises EnvironmentVariableRefused for a name that templates may not read."""
        if name in SERVICE_CREDENTIALS:
            raise EnvironmentVariableRefused(name, credentials=True)
        is_open = name.startswith(ALLOWED_PREFIX) and not is_secret_name(name)
        if not is_open and name not in self._allowed:
            raise EnvironmentVariableRefused(name)

    def digested(self) -> Iterator[tuple[str, str]]:
        """The variables that were read, with their values; MASK for a secret, which a digest would let others guess."""
        for name in sorted(self.used):
            value = self.read(name)
            yield name, MASK if isinstance(value, Secret) else value or ""

    def _is_secret(self, name: str, value: str) -> bool:
        if is_secret_name(name) or is_secret_value(value):
            return True
        equal, contained = self._texts_of_secrets()
        lower = value.lower()
        return value in equal or any(text in lower for text in contained)

    def _texts_of_secrets(self) -> tuple[frozenset[str], tuple[str, ...]]:
        """What no plain value may equal, and what none may contain, in lower case.

        They are the values of all variables that look secret; contained also in a URL, in base64 and in hexadecimal.
        """
        if self._secret_texts is None:
            found = {
                value
                for name, value in self._variables.items()
                if len(value) >= _SHORTEST_EQUAL
                and value.lower() not in _COMMON
                and (name in SERVICE_CREDENTIALS or is_secret_name(name) or is_secret_value(value))
            }
            forms = {form.lower() for value in found if len(value) >= _SHORTEST_CONTAINED for form in _forms(value)}
            self._secret_texts = frozenset(found), tuple(forms)
        return self._secret_texts


def _forms(value: str) -> Iterator[str]:
    yield value
    raw = value.encode(errors="surrogateescape")
    yield quote(raw, safe="")
    yield raw.hex()
    for before in range(3):  # a secret can begin at any byte of a group of three, as the password of Basic credentials
        padded = b"\0" * before + raw
        text = b64encode(padded).decode("ascii").rstrip("=")
        # what the bytes before and after also determine is left out
        text = text[(0, 2, 3)[before] : len(text) - (len(padded) % 3 != 0)]
        if len(text) >= _SHORTEST_CONTAINED:
            yield text
            yield text.replace("+", "-").replace("/", "_")
