"""The text of a comment: a hidden marker, links, and Markdown from review/ or plain output in a fence."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scenario_apply.errors import ScenarioApplyError, UsageError

LARGEST_BODY = {"GitHub": 65_536, "GitLab": 1_000_000}
"""Characters in a comment or the description of an issue. Sources: the hosts' own refusals of longer ones."""

_MARKER = re.compile(r"<!-- scenario-apply\b[^\n<>]{0,300}-->")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,99}")
_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&*+,;=%-]{1,2000}")
_TICKS = re.compile(r"`+")
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+.!|~&-])")


class BodyTooLong(ScenarioApplyError):
    """A comment that the host would refuse. It is not cut: half a plan reads like a whole one."""

    code = "comment-too-long"


def marker_for(body: str, name: str | None) -> str:
    """The line that a comment is found by: that of a name, else the one that the text begins with.

    Raises UsageError for a name that would break the marker.
    """
    if name is None:
        found = _MARKER.match(body)
        return found[0] if found else "<!-- scenario-apply -->"
    if not _NAME.fullmatch(name) or "--" in name:
        raise UsageError(f"--name {name!r} is no name", hint="letters, digits, `.`, `_`, `/` and `-`, at most 100")
    return f"<!-- scenario-apply:{name} -->"


def has_marker(body: str, marker: str) -> bool:
    """Whether a text begins with that marker. Further down it may be quoted."""
    return body.lstrip("\ufeff \t\r\n").startswith(marker)


def comment_body(text: str, marker: str, links: Sequence[tuple[str, str]]) -> str:
    """The marker, a line of links, the text."""
    rest = text.lstrip("\ufeff \t\r\n").removeprefix(marker).strip("\r\n")
    linked = " · ".join(f"[{_plain(label)}]({url})" for label, url in links)
    return "\n\n".join(part for part in (marker, linked, rest) if part) + "\n"


def refuse_too_long(body: str, host: str) -> None:
    """Raises BodyTooLong."""
    most = LARGEST_BODY[host]
    if len(body) > most:
        raise BodyTooLong(
            f"the text has {len(body):,} characters; {host} takes {most:,}",
            hint="plan --format markdown keeps to a limit by folding; nothing was posted",
        )


def in_a_fence(text: str, title: str, most: int) -> str:
    """Output of a program as a block of code in which nothing is Markdown, a mention or HTML.

    Output of more than `most` characters is counted and left out.
    """
    heading = f"### {_plain(title)}\n\n" if title else ""
    if len(text) > most:
        return f"{heading}The output has {len(text):,} characters. It is in the log of the job.\n"
    fence = "`" * max(3, 1 + max((len(run) for run in _TICKS.findall(text)), default=0))
    return f"{heading}{fence}text\n{text.rstrip()}\n{fence}\n"


def link(text: str) -> tuple[str, str]:
    """LABEL=URL of --link. Raises UsageError."""
    label, sign, url = text.partition("=")
    if not sign or not label.strip() or not _URL.fullmatch(url):
        raise UsageError("--link takes LABEL=URL with an address in https", hint="--link 'Pictures=https://…'")
    return label.strip(), url


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
