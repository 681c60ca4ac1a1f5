"""plan --format markdown: the options of the comment, from the command line and the CI's variables."""

from __future__ import annotations

import argparse
import os
import re
from typing import TYPE_CHECKING

from scenario_apply.errors import UsageError

if TYPE_CHECKING:
    from scenario_apply.cli.settings import Settings
    from scenario_apply.review.plan_view import PlanView

OPTIONS = ("flavour", "max_length", "report_url", "comment_key", "repo_url", "head", "base")
REPORT_URL = "SCENARIO_APPLY_REPORT_URL"
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,99}")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&*+,;=%-]{1,1000}")


def refuse_comment_options(asked: argparse.Namespace, settings: Settings) -> None:
    """Raises UsageError for an option of comments without --format markdown, and for a value that cannot be used."""
    for name in OPTIONS:
        if getattr(asked, name) is not None and asked.format != "markdown":
            raise UsageError(f"--{name.replace('_', '-')} is an option of --format markdown")
    if asked.format == "markdown":
        _given_key(asked)
        _length(asked)
        _report_url(asked, settings)


def comment(view: PlanView, asked: argparse.Namespace, settings: Settings, root: str | None) -> str:
    """The plan as a comment. root: the manifest's folder; None where there is no manifest that could be read."""
    from scenario_apply.cli.review_links import flavour_of, picture_links
    from scenario_apply.review.markdown.picture_links import PictureLinks
    from scenario_apply.review.markdown.plan_markdown import MarkdownOptions, plan_markdown

    flavour = asked.flavour or flavour_of(settings.environment)
    links = PictureLinks(flavour=flavour)
    if root is not None:
        links = picture_links(settings, flavour, root, {name: getattr(asked, name) for name in OPTIONS[-3:]})
    options = MarkdownOptions(
        flavour=flavour,
        key=_key(asked, view, settings),
        max_length=_length(asked),
        report_url=_report_url(asked, settings),
        full=asked.full,
        links=links,
    )
    return plan_markdown(view, options)


def _key(asked: argparse.Namespace, view: PlanView, settings: Settings) -> str:
    """As given; else the manifest's path within the checkout, so that each manifest has a comment of its own."""
    given = _given_key(asked)
    if given is None:
        from scenario_apply.cli.checkout import checkout_of
        from scenario_apply.review.markdown.plan_markdown import comment_key

        here = os.path.realpath(settings.cwd)
        path = os.path.join(here, view.manifest)
        return comment_key(os.path.relpath(path, checkout_of(here) or here).replace(os.sep, "/"))
    return given


def _given_key(asked: argparse.Namespace) -> str | None:
    given: str | None = asked.comment_key
    if given is not None and (not _KEY.fullmatch(given) or "--" in given):
        raise UsageError(
            f"--comment-key {given!r} is no key", hint="letters, digits, `.`, `_`, `/` and single `-`, at most 100"
        )
    return given


def _length(asked: argparse.Namespace) -> int | None:
    from scenario_apply.review.markdown.plan_markdown import SHORTEST

    length: int | None = asked.max_length
    if length is not None and length < SHORTEST:
        raise UsageError(f"--max-length {length}: the summary of a plan needs {SHORTEST:,} characters")
    return length


def _report_url(asked: argparse.Namespace, settings: Settings) -> str | None:
    given: str | None = asked.report_url
    url = given if given is not None else settings.environment.get(REPORT_URL) or None
    if url is not None and not _ADDRESS.fullmatch(url):
        option = "--report-url" if given is not None else REPORT_URL
        raise UsageError(f"{option}: expected an http(s) address of at most 1,000 characters")
    return url
