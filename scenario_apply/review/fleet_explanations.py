"""A paragraph for each code of a diagnostic of the commands `fleet`: what it means and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

FLEET_TEXTS: Mapping[str, str] = {
    "duplicate-manifest": "Two globs of a fleet file find the same manifest, or a folder and a file in it. It would be "
    "applied twice, or to two projects. Narrow one of the globs, or leave the manifest out with `exclude:`.",
    "endpoint-not-allowed": "A fleet file names a service that the command does not. The file may come with a pull "
    "request, so credentials are sent only to Scenario, to SCENARIO_BASE_URL, to this machine, and to what "
    "`--allow-endpoint` or SCENARIO_APPLY_ALLOW_ENDPOINT names.",
    "launch-held": "As many trainings run as the fleet's `limits: { concurrent: N }` allows. The launch is done at a "
    "later look, when others have ended.",
    "no-fleet": "There is no fleet file at that path, or no fleet.yaml in this directory. Name one; `scenario-apply "
    "schema fleet` prints its schema.",
    "not-a-variable": "A fleet file holds something else where the name of an environment variable belongs. It never "
    "holds credentials: write the name of the variable, in capitals, and set the variable where the fleet runs.",
    "project-conflict": "Two entries of a fleet file mean the same project and differ in name, credentials or rate "
    "limit. One task takes care of a project, with one client. Write the same in both, or make them one entry.",
    "project-mismatch": "A manifest names another project than the entry of the fleet file that finds it. Put it into "
    "an entry of its own project, or leave `project:` out of the manifest.",
    "secret-in-file": "A fleet file holds what looks like a password, a key or a token. Revoke it if the file was "
    "shared, and name the variable that holds the new one.",
    "task-failed": "The task of a project ended several times in a row without an answer that can be used. This is a "
    "mistake of scenario-apply, or of the engine that ran it. What was done is recorded. Run the fleet again, or the "
    "manifests by themselves.",
    "worker-died": "Several workers in a row died with the task of a project, for example for lack of memory. What was "
    "done is recorded. Run the fleet again with fewer tasks at once (`--max`), or the manifests by themselves.",
}
