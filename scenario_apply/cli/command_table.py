"""The table of commands: name, module, one line of what it does, grouped as help shows them. Imports nothing.

A module in cli/commands owns one command: SUMMARY-like text lives here, its options, examples and work there.
"""

from __future__ import annotations

GROUPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Look, offline",
        (
            ("init", "init", "write a first manifest from a folder of images"),
            ("validate", "validate", "check manifest, pictures and captions"),
            ("config", "config", "print the expanded manifest"),
            ("dataset show", "dataset_show", "print a dataset's images with their final captions"),
        ),
    ),
    (
        "Plan and apply",
        (
            ("plan", "plan", "show what would change, how many requests it takes and what it costs"),
            ("apply", "apply", "make it so; may be interrupted and run again at any time"),
            ("destroy", "destroy", "delete what is recorded"),
            ("rollback", "rollback", "make the previous version of a model current again"),
        ),
    ),
    (
        "What is there",
        (
            ("status", "status", "show what is trained, training and failed"),
            ("output", "output", "print ids for other programs"),
            ("state list", "state_list", "list what is recorded"),
            ("state show", "state_show", "show one recorded resource"),
            ("state mv", "state_mv", "give a recorded resource another address"),
            ("state rm", "state_rm", "forget a resource; the service keeps it"),
            ("state history", "state_history", "show what was done, when, by whom and from what"),
            ("state pull", "state_pull", "print the state file"),
            ("state push", "state_push", "put a state file in place of the recorded one"),
            ("force-unlock", "force_unlock", "break the lock of a run that is gone"),
        ),
    ),
    (
        "Tools",
        (
            ("explain", "explain", "explain a lint rule or the code of a diagnostic"),
            ("schema", "schema", "print a JSON Schema: manifest, plan, state or events"),
            ("emulator", "emulator", "serve an embedded Scenario on this machine"),
            ("completion", "completion", "print a completion script for bash, zsh or fish"),
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
says which LoRAs should exist, `plan` shows what would change, `apply` makes it so.
"""

_FOOT = """\
MANIFEST is a file, a folder or a saved plan; left out: scenario.yaml, else manifests/.

  scenario-apply COMMAND --help    options and an example
  scenario-apply --version         the version
  scenario-apply plan --local      try it without an account, on the embedded Scenario

Credentials come from SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET.
"""


def overview() -> str:
    """The help of the program as a whole."""
    parts = [_HEAD]
    for title, rows in GROUPS:
        parts.append(f"{title}:\n" + "".join(f"  {name:<14} {summary}\n" for name, _, summary in rows))
    parts.append(_FOOT)
    return "\n".join(parts)
