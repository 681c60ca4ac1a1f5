"""The work of the commands `ci`: read the pipeline's variables and a text, then ask GitHub or GitLab."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

from scenario_apply.ci.comment_body import LARGEST_BODY, comment_body, in_a_fence, link, marker_for, refuse_too_long
from scenario_apply.ci.continuation import new_in
from scenario_apply.ci.github import GitHub
from scenario_apply.ci.gitlab import GitLab
from scenario_apply.ci.host_requests import HostRequests, whole_number
from scenario_apply.ci.pipeline import pipeline_of
from scenario_apply.ci.reviewed_plan import merged_request, reviewed_plan
from scenario_apply.ci.sticky_comment import post
from scenario_apply.ci.tracking_issue import resolve, track
from scenario_apply.cli.saved_plans import PlanFileBad, read_saved_plan
from scenario_apply.errors import Diagnostic, PlanStale, UsageError
from scenario_apply.review.screen import safe

if TYPE_CHECKING:
    from scenario_apply.ci.host_requests import Json
    from scenario_apply.ci.pipeline import Pipeline
    from scenario_apply.cli.invocation import Invocation

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ROOM = 2_000  # characters for the marker, the links and a heading
_LARGEST_TEXT = 16 << 20


class NotReviewed(PlanStale):
    """A plan holds more than what was reviewed."""

    code = "not-reviewed"


def comment(call: Invocation) -> int:
    """Bring the comment of the pull request up to date."""
    asked = call.arguments
    if asked.body is None and asked.text is None:
        raise UsageError("there is no text to post", hint="name a file: scenario-apply ci comment plan.md")
    pipeline = None if asked.prints else pipeline_of(os.environ)
    body, marker = _text(call, "GitHub" if pipeline is None else pipeline.host, asked.name)
    if pipeline is None:
        call.show(body)
        return 0
    host = _host_of(pipeline, call)
    posted = post(host.comments_of(_request(call, pipeline, host)), body, marker, asked.behaviour)
    more = f" ({posted.replaced} older replaced)" if posted.replaced else ""
    call.show(f"{posted.action}: {safe(posted.url)}{more}\n")
    return 0


def issue(call: Invocation) -> int:
    """Open, update or close the issue."""
    asked = call.arguments
    has_text = asked.body is not None or asked.text is not None
    if asked.close == has_text:
        why = "--close takes no text" if has_text else "there is no text to post"
        raise UsageError(why, hint="name a file, or use --close to close the issue")
    pipeline = None if asked.prints else pipeline_of(os.environ)
    body, marker = _text(call, "GitHub" if pipeline is None else pipeline.host, asked.name)
    if pipeline is None:
        call.show(body)
        return 0
    host = _host_of(pipeline, call)
    done = resolve(host, marker) if asked.close else track(host, asked.title, body, marker, asked.label)
    call.show(f"{done.action}: {safe(done.url)}\n" if done.url else "no issue is open\n")
    return 0


def find_reviewed_plan(call: Invocation) -> int:
    """Print where the reviewed plan is, as the outputs of a step."""
    asked = call.arguments
    pipeline = pipeline_of(os.environ)
    host = _host_of(pipeline, call)
    if not isinstance(host, GitHub):
        raise UsageError("ci reviewed looks among the artifacts of GitHub", hint="GitLab: see docs/gitops.md")
    commit = asked.commit or pipeline.commit
    if commit is None or not _COMMIT.fullmatch(commit):
        raise UsageError("no commit is named", hint="--commit SHA, or GITHUB_SHA")
    found = reviewed_plan(host, commit, asked.artifact)
    call.show(f"request={found.request}\nhead={safe(found.head)}\nrun-id={found.run}\nartifact-id={found.artifact}\n")
    return 0


def continues(call: Invocation) -> int:
    """Raises NotReviewed when the second plan does more than finish the first."""
    reviewed, now = (_saved(path, call) for path in (call.arguments.reviewed, call.arguments.plan))
    if found := new_in(now, reviewed):
        hint = "nothing was applied. Plan it, have it reviewed, and apply that plan"
        raise NotReviewed(found[0], problems=[Diagnostic(code="not-reviewed", message=one, hint=hint) for one in found])
    call.show("The plan only finishes what was reviewed.\n")
    return 0


def _saved(path: str, call: Invocation) -> Json:
    saved = read_saved_plan(path, call.settings.cwd)
    if saved is None:
        raise PlanFileBad(f"{path} is no saved plan", hint="scenario-apply plan --out FILE writes one")
    return saved


def _text(call: Invocation, host: str, name: str | None) -> tuple[str, str]:
    """The body of a comment or an issue, and its marker. Raises BodyTooLong, UsageError."""
    asked = call.arguments
    if asked.body is not None and asked.text is not None:
        raise UsageError("FILE and --text are both given", hint="FILE is Markdown, --text is the output of a program")
    text = _read(asked.body) if asked.body is not None else ""
    if asked.text is not None:
        text = in_a_fence(_read(asked.text), asked.title, LARGEST_BODY[host] - _ROOM)
    marker = marker_for(text, name)
    body = comment_body(text, marker, [link(given) for given in asked.link])
    refuse_too_long(body, host)
    return body, marker


def _read(path: str) -> str:
    if path == "-":
        return sys.stdin.buffer.read(_LARGEST_TEXT).decode("utf-8", "replace")
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST_TEXT + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > _LARGEST_TEXT:
        raise UsageError(f"{path} is larger than {_LARGEST_TEXT >> 20} MB")
    return content.decode("utf-8", "replace")


def _host_of(pipeline: Pipeline, call: Invocation) -> GitHub | GitLab:
    asked = call.arguments
    author, http = asked.author, asked.allow_http
    if pipeline.host == "GitLab":
        rest = HostRequests("GitLab", pipeline.api, pipeline.token, header="PRIVATE-TOKEN", prefix="", allow_http=http)
        return GitLab(rest, pipeline.repository, author)
    rest = HostRequests("GitHub", pipeline.api, pipeline.token, allow_http=http)
    graphql = HostRequests("GitHub", pipeline.graphql, pipeline.token, allow_http=http)
    return GitHub(rest, graphql, pipeline.repository, author)


def _request(call: Invocation, pipeline: Pipeline, host: GitHub | GitLab) -> int:
    """The number of the pull or merge request: as given, of the event, or the one that brought the commit."""
    given = whole_number(call.arguments.request) or pipeline.request
    if given is None and pipeline.commit is not None:
        found = list(host.requests_of(pipeline.commit))
        if isinstance(host, GitHub):
            merged = merged_request(found, pipeline.commit)
            given = None if merged is None else merged[0]
        else:
            merged_here = [one for one in found if one.get("state") == "merged"]
            given = whole_number(merged_here[-1].get("iid")) if merged_here else None
    if given is None:
        raise UsageError("the pipeline belongs to no pull or merge request", hint="name one: --request N")
    return given
