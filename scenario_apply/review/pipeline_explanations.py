"""A paragraph for each code of a diagnostic of the commands `ci`: what it means and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

PIPELINE_TEXTS: Mapping[str, str] = {
    "comment-too-long": "A comment or an issue has more characters than GitHub or GitLab takes. It is not cut, because "
    "half a plan reads like a whole one. `plan --format markdown` keeps to a limit by folding and counting.",
    "host": "GitHub or GitLab could not be reached, or gave an answer that cannot be used. Check the network, the "
    "proxy and the address of the API (GITHUB_API_URL, CI_API_V4_URL).",
    "host-answer-lost": "A request to GitHub or GitLab left and no whole answer came, several times. Whether it "
    "was carried out was checked before each try. Run the command again.",
    "host-refused": "GitHub or GitLab refused a request; the message has its reason. Usually the token lacks a "
    "permission: on GitHub the job needs `pull-requests: write` for comments and `issues: write` for issues, on GitLab "
    "a project access token with the scope `api`.",
    "no-reviewed-plan": "No saved plan is kept for a merged commit: it came from a fork, was pushed without a pull "
    "request, or the artifact has expired. Plan again, have that plan approved, and apply it.",
    "not-reviewed": "A scheduled job only finishes a plan that was reviewed. This plan contains more: something was "
    "merged since, changed on Scenario, or a training failed and would be charged again. Nothing was applied. Plan it, "
    "have that plan approved, and apply it.",
}
