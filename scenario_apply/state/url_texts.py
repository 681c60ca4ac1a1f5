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
    """A text with one URL in it, without the password of that, and without the user of a server, who may be a token."""
    scheme, _, rest = text.partition("://")
    authority = rest.partition("/")[0]
    if "@" not in rest or not ("@" in authority or ":" in authority):
        return text
    credentials, _, place = rest.rpartition("@")
    user, colon, _ = credentials.partition(":")
    if not colon and scheme.lower().endswith(("postgres", "postgresql")):
        return text
    return f"{scheme}://{f'{user}:' if colon else ''}{HIDDEN}@{place}"
