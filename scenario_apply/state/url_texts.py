"""Whether a text is the URL of a state, and how it is shown. Every plan imports this, so it compiles no expression."""

from __future__ import annotations

HIDDEN = "***"
"""What stands for a password that was not printed."""


def is_state_url(text: str) -> bool:
    """Whether a text is meant as a URL, well written or not; it is no path then. `./s3:file` is one."""
    if ":" not in text and "//" not in text:
        return False
    from scenario_apply.state.state_url import is_meant

    return is_meant(text)


def without_password(text: str) -> str:
    """A text with one URL in it, without the password and the query of that, and without the user of a server.

    User and query may hold a token.
    """
    scheme, found, rest = text.partition("://")
    if not found:
        return text
    place, question, _ = _without_credentials(scheme, rest).partition("?")
    return f"{scheme}://{place}?{HIDDEN}" if question else f"{scheme}://{place}"


def _without_credentials(scheme: str, rest: str) -> str:
    """rest: what follows the two slashes."""
    authority = rest.partition("/")[0]
    if "@" not in rest or not ("@" in authority or ":" in authority):
        return rest
    credentials, _, place = rest.rpartition("@")
    if not scheme.lower().endswith(("postgres", "postgresql")):
        return f"{HIDDEN}@{place}"
    user, colon, _ = credentials.partition(":")
    return f"{user}:{HIDDEN}@{place}" if colon else rest
