"""Before an apply: replaces Git LFS pointers by their pictures, which are then read like all others.

The caller allows it, never the manifest: --lfs-pull, SCENARIO_APPLY_LFS_PULL=1 or a person's answer let git-lfs use the
caller's access to the server. --auto-approve alone lets it ask without any credentials. The checkout's own store is
looked into first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from scenario_apply.errors import Diagnostic, ManifestError
from scenario_apply.review.screen import counted

if TYPE_CHECKING:
    from scenario_apply.apply.git_lfs.pull import PointerWork, PullConsent
    from scenario_apply.apply.prepare import Prepared
    from scenario_apply.cli.apply_session import ApplySession
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.dataset.types import Image

_GIT_SEES = (
    "The pictures are in place. Git lists them as modified until `git add` reads them; their content is unchanged."
)


def may_pull(session: ApplySession, prepared: Prepared) -> bool:
    """Whether the plan lacks pictures, and may be carried out at all: for one that a limit stops nothing is pulled."""
    call = session.call
    return (
        bool(prepared.unpulled) and not prepared.plan.blocked and (call.arguments.auto_approve or call.is_interactive)
    )


def pulled(session: ApplySession, request: PlanRequest, unpulled: Iterable[Image]) -> PlanRequest:
    """The manifest and its datasets, read again with the pictures in place.

    Raises ManifestError for pictures that are not placed, with the command that pulls them, and for what is wrong with
    those that are: before anything is made on the service.
    """
    from scenario_apply.apply.git_lfs.lfs_problems import pointers_missing
    from scenario_apply.apply.git_lfs.pull import PullConsent, not_placed, place_stored, pointers_of, pull

    manifest, environment = request.manifest, session.settings.environment
    problems: list[Diagnostic] = []
    for found in pointers_of(unpulled, manifest.root):
        try:
            work = place_stored(found)
        except OSError as error:
            problems += pointers_missing(found, manifest, not_placed(error))
            continue
        if not work.pointers:
            continue
        consent = _consent(session, work)
        if not isinstance(consent, PullConsent):
            problems += pointers_missing(work, manifest, consent)
        elif why := pull(work, consent, environment, session.call.tell):
            problems += pointers_missing(work, manifest, why)
    if problems:
        raise ManifestError(problems[0].message, problems=problems)
    session.call.tell(_GIT_SEES)
    return session.read_again()


def refuse_unpulled(prepared: Prepared, request: PlanRequest) -> None:
    """Raises ManifestError for a plan that would still upload a picture that is not here."""
    from scenario_apply.apply.git_lfs.lfs_problems import pointers_missing
    from scenario_apply.apply.git_lfs.pull import pointers_of

    if prepared.unpulled:
        works = pointers_of(prepared.unpulled, request.manifest.root)
        problems = [problem for work in works for problem in pointers_missing(work, request.manifest, None)]
        raise ManifestError("pictures to upload are Git LFS pointers", problems=problems)


def _consent(session: ApplySession, work: PointerWork) -> PullConsent | str:
    """What the caller allows; else why nothing is pulled. Without an option, the user is asked."""
    from scenario_apply.apply.git_lfs.pull import PullConsent, address_of_server
    from scenario_apply.cli.settings import LFS_PULL

    call = session.call
    if call.settings.lfs_pull is not None:
        return PullConsent(credentials=True) if call.settings.lfs_pull else f"{LFS_PULL}=0 forbids to pull it"
    if call.arguments.auto_approve:
        return PullConsent()
    server = address_of_server(work, call.settings.environment)
    if server is None:
        return PullConsent()  # pull says what is missing
    pictures = counted(len(work.pointers), "picture")
    question = f"Pull {pictures} ({work.size_bytes / 1e6:,.1f} MB) with Git LFS from {server.shown}?"
    if call.confirm(question, "Only 'yes' will be accepted."):
        return PullConsent(credentials=True)
    return "it was not pulled"
