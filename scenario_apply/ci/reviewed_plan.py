"""Which plan was reviewed: from a commit on the main branch to its pull request, to the artifact of its newest plan.

What is found is not trusted further than that: `apply FILE` plans again and refuses a file that says anything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from scenario_apply.ci.host_requests import Json, object_of, text_of, whole_number
from scenario_apply.errors import ScenarioApplyError

if TYPE_CHECKING:
    from scenario_apply.ci.github import GitHub


class NoReviewedPlan(ScenarioApplyError):
    """Nothing was planned for the commit, or the plan is not kept any more."""

    code = "no-reviewed-plan"


class ReviewedPlan(Struct, frozen=True, kw_only=True):
    """request: number of the pull request. head: its last commit. run, artifact: numbers of GitHub's."""

    request: int
    head: str
    run: int
    artifact: int


def merged_request(requests: list[Json], commit: str) -> tuple[int, str] | None:
    """Number and last commit of the merged pull request that brought a commit; None for one that was pushed.

    A merge queue and a rebase bring several commits; the one named as merge commit decides, then the newest merge.
    """
    merged = [one for one in requests if text_of(one.get("merged_at"))]
    merged.sort(key=lambda one: (text_of(one.get("merge_commit_sha")) == commit, text_of(one.get("merged_at"))))
    for one in reversed(merged):
        number, head = whole_number(one.get("number")), text_of(object_of(one.get("head")).get("sha"))
        if number is not None and head:
            return number, head
    return None


def reviewed_plan(github: GitHub, commit: str, name: str) -> ReviewedPlan:
    """The newest artifact of that name that was planned for the last commit of the pull request.

    Raises NoReviewedPlan, HostError.
    """
    request = merged_request(list(github.requests_of(commit)), commit)
    if request is None:
        raise NoReviewedPlan(
            f"commit {commit[:12]} came with no merged pull request, so no plan of it was reviewed",
            hint="run the workflow by hand: it plans, waits for approval, and applies that plan",
        )
    number, head = request
    for artifact in github.artifacts(name):
        run = object_of(artifact.get("workflow_run"))
        run_number, key = whole_number(run.get("id")), whole_number(artifact.get("id"))
        home = whole_number(run.get("repository_id"))  # a run that does not say so may be of a fork
        is_ours = home is not None and home == run.get("head_repository_id") and text_of(run.get("head_sha")) == head
        if is_ours and artifact.get("expired") is not True and run_number and key:
            return ReviewedPlan(request=number, head=head, run=run_number, artifact=key)
    raise NoReviewedPlan(
        f"no artifact {name} is kept for pull request #{number} at {head[:12]}",
        hint="it came from a fork, was not planned, or the artifact has expired. Run the workflow by hand: it plans, "
        "waits for approval, and applies that plan",
    )
