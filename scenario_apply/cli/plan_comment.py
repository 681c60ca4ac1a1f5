"""plan --format markdown: the options of the comment, from the command line and the CI's variables."""

from __future__ import annotations

import argparse
import os
import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from scenario_apply.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scenario_apply.cli.settings import Settings
    from scenario_apply.model.address import Address
    from scenario_apply.review.comparison_view import Comparison
    from scenario_apply.review.markdown.comparison_markdown import SampleLinks
    from scenario_apply.review.markdown.picture_links import PictureLinks
    from scenario_apply.review.markdown.plan_markdown import MarkdownOptions
    from scenario_apply.review.plan_view import PlanView

OPTIONS = ("flavour", "max_length", "report_url", "samples_url", "comment_key", "repo_url", "head", "base")
REPORT_URL = "SCENARIO_APPLY_REPORT_URL"
SAMPLES_URL = "SCENARIO_APPLY_SAMPLES_URL"
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
        _samples_url(asked, settings)


def comment(
    view: PlanView,
    asked: argparse.Namespace,
    settings: Settings,
    root: str | None,
    samples: Mapping[Address, Comparison] | None = None,
) -> str:
    """The plan as a comment. root: the manifest's folder; None where there is no manifest that could be read.

    samples: of resources whose samples are drawn again.
    """
    from scenario_apply.review.markdown.plan_markdown import plan_markdown

    options = comment_options(asked, settings, root, view.manifest)
    if not samples or root is None:
        return plan_markdown(view, options)
    from scenario_apply.review.markdown.comparison_markdown import comparison_levels

    where = sample_links(asked, settings, root, options.links, samples.values())
    tables = {address: comparison_levels(one, where) for address, one in samples.items()}
    return plan_markdown(view, replace(options, samples=tables))


def sample_links(
    asked: argparse.Namespace,
    settings: Settings,
    root: str,
    links: PictureLinks,
    views: Iterable[Comparison],
) -> SampleLinks:
    """Where the small copies of samples are: at the address that was given, else in the commit at hand."""
    from scenario_apply.review.markdown.comparison_markdown import SampleLinks

    url = _samples_url(asked, settings)
    digests = {digest for view in views for digest in view.thumbnails}
    if url is not None or links.head is None or not digests:
        return SampleLinks(links=links, url=url)
    from scenario_apply.dataset.scan.git_pictures import OldPicture, old_pictures
    from scenario_apply.state.stores.sample_store import SAMPLES_FOLDER

    wanted = [OldPicture(digest, "/".join((*SAMPLES_FOLDER, f"{digest}.webp"))) for digest in sorted(digests)]
    return SampleLinks(links=links, in_git=frozenset(digest for digest, _ in old_pictures(root, wanted, commits=1)))


def comment_options(asked: argparse.Namespace, settings: Settings, root: str | None, key: str) -> MarkdownOptions:
    """How a comment is written. key: a path; what names the comment where no option does."""
    from scenario_apply.cli.review_links import flavour_of, picture_links
    from scenario_apply.review.markdown.picture_links import PictureLinks
    from scenario_apply.review.markdown.plan_markdown import MarkdownOptions

    flavour = asked.flavour or flavour_of(settings.environment)
    links = PictureLinks(flavour=flavour)
    if root is not None:
        links = picture_links(settings, flavour, root, {name: getattr(asked, name) for name in OPTIONS[-3:]})
    return MarkdownOptions(
        flavour=flavour,
        key=_key(asked, key, settings),
        max_length=_length(asked),
        report_url=_report_url(asked, settings),
        full=vars(asked).get("full", False),
        links=links,
    )


def _key(asked: argparse.Namespace, manifest: str, settings: Settings) -> str:
    """As given; else the manifest's path within the checkout, so that each manifest has a comment of its own."""
    given = _given_key(asked)
    if given is None:
        from scenario_apply.cli.checkout import checkout_of
        from scenario_apply.review.markdown.plan_markdown import comment_key

        here = os.path.realpath(settings.cwd)
        path = os.path.join(here, manifest)
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
    return _address(asked.report_url, "--report-url", REPORT_URL, settings)


def _samples_url(asked: argparse.Namespace, settings: Settings) -> str | None:
    return _address(asked.samples_url, "--samples-url", SAMPLES_URL, settings)


def _address(given: str | None, option: str, variable: str, settings: Settings) -> str | None:
    """Of the command line, else of the environment. Raises UsageError for what is no address."""
    url = given if given is not None else settings.environment.get(variable) or None
    if url is not None and not _ADDRESS.fullmatch(url):
        what = option if given is not None else variable
        raise UsageError(f"{what}: expected an http(s) address of at most 1,000 characters")
    return url
