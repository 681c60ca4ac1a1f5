"""The table of commands: name, module and summary, grouped as help shows them. Imports nothing.

A module under commands/ has the options, the examples and the work of a command; state.py and captions.py have those of
several, which share their first word.
"""

from __future__ import annotations

GROUPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Prepare",
        (
            ("init", "init", "write a first manifest from a folder of images"),
            ("validate", "validate", "check manifest, images and captions"),
            ("config", "config", "print the expanded manifest"),
            ("dataset show", "dataset_show", "print a dataset's images with their final captions"),
        ),
    ),
    (
        "Captions",
        (
            ("captions pull", "captions", "write Scenario's own captions into files, where an image has none"),
            ("captions draft", "captions", "have Scenario draft captions for images without one (charged)"),
            ("captions check", "captions", "compare the captions in files with those on Scenario"),
        ),
    ),
    (
        "Plan and apply",
        (
            ("plan", "plan", "show what would change, how many requests it takes and what it costs"),
            ("apply", "apply", "apply the changes; can be interrupted and run again at any time"),
            ("destroy", "destroy", "delete everything that is recorded"),
            ("accept", "accept", "write what was changed on Scenario into manifest and caption files"),
            ("promote", "promote", "write the choice of a version or an epoch into the manifest"),
            ("rollback", "rollback", "make the previous version of a model current again"),
        ),
    ),
    (
        "Samples",
        (
            ("samples draw", "samples", "draw the sample pictures that trained models owe (charged)"),
            ("samples show", "samples", "show which samples are drawn, missing or failed, and their cost"),
            ("samples copy", "samples", "put small copies of samples into a folder that is to be published"),
            ("samples prune", "samples", "delete small copies of samples that nothing names any more"),
        ),
    ),
    (
        "Existing models",
        (
            ("import", "import_models", "adopt models that exist on Scenario, with their images and captions"),
            ("export", "export", "write manifest, images and captions of models on Scenario; or trained weights"),
            ("card", "card", "write a model card in Markdown, or make it the model's description"),
        ),
    ),
    (
        "Inspect and repair",
        (
            ("status", "status", "show what is trained, training and failed"),
            ("compare", "compare", "show samples of versions, epochs or a sweep side by side"),
            ("report", "report", "write one page of HTML: plan, pictures, state, history and statistics"),
            ("output", "output", "print IDs for other programs"),
            ("graph", "graph", "draw what depends on what, as text, Mermaid or DOT"),
            ("state list", "state", "list recorded resources"),
            ("state show", "state", "show one recorded resource"),
            ("state mv", "state", "give a recorded resource another address"),
            ("state rm", "state", "remove a resource from the state; Scenario keeps it"),
            ("state history", "state", "show earlier runs: when, by whom, from which manifest"),
            ("state pull", "state", "print the state file"),
            ("state push", "state", "replace the state with a file"),
            ("state merge", "state", "join two states of one lineage, or the two sides of a Git conflict"),
            ("state migrate", "state", "move the state to another place: a file, or a store by its URL"),
            ("force-unlock", "force_unlock", "remove the lock of a run that has ended"),
        ),
    ),
    (
        "Many projects",
        (
            ("fleet plan", "fleet", "plan all manifests of a fleet file, project by project"),
            ("fleet apply", "fleet", "apply them; one project that fails spares the rest"),
            ("fleet status", "fleet", "show what is trained, training and failed in each project"),
            ("fleet matrix", "fleet", "print the job matrix of a fleet for CI"),
        ),
    ),
    (
        "Pipelines",
        (
            ("ci comment", "ci", "keep one comment on a pull or merge request current"),
            ("ci issue", "ci", "open, update or close one issue, as for drift"),
            ("ci reviewed", "ci", "find the plan that was reviewed with a merged pull request"),
            ("ci continues", "ci", "check that a plan only finishes what a reviewed plan began"),
        ),
    ),
    (
        "Tools",
        (
            ("explain", "explain", "explain a lint rule or the code of a diagnostic"),
            ("schema", "schema", "print a JSON Schema: manifest, plan, state, events or fleet"),
            ("emulator", "emulator", "run the embedded Scenario as a server"),
            ("completion", "completion", "print a completion script for bash, zsh, fish, tcsh or PowerShell"),
        ),
    ),
)

MODULES: dict[str, str] = {name: module for _, rows in GROUPS for name, module, _ in rows}
SUMMARIES: dict[str, str] = {name: summary for _, rows in GROUPS for name, _, summary in rows}
FAMILIES: dict[str, tuple[str, ...]] = {
    family: tuple(name.split()[1] for name in MODULES if name.startswith(f"{family} "))
    for family in dict.fromkeys(name.split()[0] for name in MODULES if " " in name)
}
"""First words that need a second one: state -> list, show, mv, rm ..."""

_HEAD = """\
usage: scenario-apply COMMAND [MANIFEST] [options]

What Terraform is to cloud machines, scenario-apply is to trained models: a folder of YAML
says which LoRAs should exist, `plan` shows what would change, `apply` changes it.
"""

_FOOT = """\
MANIFEST is a file, a folder or a saved plan (default: scenario.yaml, else manifests/).

  scenario-apply COMMAND --help    options and an example
  scenario-apply --version         the version
  scenario-apply plan --local      try it without an account, on the embedded Scenario

Credentials come from SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET. A webhook hears
of applies, failed trainings and drift if SCENARIO_APPLY_WEBHOOK holds its URL.
"""


def overview() -> str:
    """The help of the program as a whole."""
    parts = [_HEAD]
    for title, rows in GROUPS:
        parts.append(f"{title}:\n" + "".join(f"  {name:<14} {summary}\n" for name, _, summary in rows))
    parts.append(_FOOT)
    return "\n".join(parts)
