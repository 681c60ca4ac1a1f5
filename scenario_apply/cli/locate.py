"""Which state file, which cache: paths from what was asked and where the manifest lies."""

from __future__ import annotations

import os

from scenario_apply.cli.named_files import checkout_of, untrusted_top
from scenario_apply.errors import Diagnostic, ManifestError, StateError, UsageError
from scenario_apply.errors import Location as FilePlace
from scenario_apply.manifest.spec import Manifest
from scenario_apply.state.url_texts import is_state_url


def refuse_root_outside(path: str | None, cwd: str) -> None:
    """Raises ManifestError when the manifest's folder is in a Git checkout by its name and outside of it in fact.

    The link came with the checkout, and the state and .scenario/ would be written where it leads. path None: the
    folder manifests/ that a command takes by itself. A folder outside of any checkout may be named through links.
    """
    whole = os.path.abspath(os.path.join(cwd, path or "manifests"))
    folder = whole if os.path.isdir(whole) else os.path.dirname(whole)
    real = os.path.realpath(folder)
    for top in (checkout_of(cwd), checkout_of(os.path.dirname(folder))):
        if top is not None and _is_below(folder, top) and not _is_below(real, os.path.realpath(top)):
            shown = os.path.relpath(folder, cwd)
            raise ManifestError(
                f"{shown} leads outside of the Git checkout it lies in, by a link to {real}",
                code="outside-root",
                location=FilePlace(file=path or "manifests"),
                hint=f"name {real} itself if that is meant",
            )


def _is_below(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip(os.sep) + os.sep)


def state_path(manifest: Manifest, given: str | None, cwd: str) -> str:
    """The state file of a state that is no URL.

    given: --state, relative to cwd; else `state:`, relative to the manifest's folder.
    Left out, it is state/NAME.json in the manifest's folder, beside the folder when it is called manifests.
    Raises ManifestError when `state:` leaves the manifest's folder.
    """
    if given is not None:
        return named_state_path(given, cwd)
    if manifest.state is not None:
        problem = state_problem(manifest)
        if problem is not None:
            raise ManifestError(problem.message, problems=[problem])
        return os.path.abspath(os.path.join(manifest.root, _slashed(manifest.root, manifest.state)))
    return default_state_path(manifest)


def default_state_path(manifest: Manifest) -> str:
    """The state that nothing else was said about."""
    return os.path.join(_home(manifest), "state", f"{manifest.name}.json")


def named_state_path(given: str, cwd: str) -> str:
    """The state file that the command line names. Raises UsageError for a folder."""
    path = os.path.abspath(os.path.join(cwd, given))
    if os.path.isdir(path):
        inside = os.path.join(given, "scenario.json")
        raise UsageError(f"--state {given} is a folder", hint=f"name a file in it, such as {inside}")
    return path


def state_within(manifest: Manifest, given: str | None, path: str, cwd: str) -> str | None:
    """The folder below which no link is followed on the way to the state at path; None: its own folder."""
    if given is None:
        return manifest.root if manifest.state is not None else _home(manifest)
    return untrusted_top(path, cwd, manifest.root)


def _slashed(root: str, path: str) -> str:
    """A path of a manifest, in which backslashes count as slashes, unless there is a file of that very name."""
    is_name = "\\" not in path or os.path.lexists(os.path.join(root, path))
    return path if is_name else path.replace("\\", "/")


def usual_root(cwd: str) -> str:
    """The folder of the manifest that a command takes by itself; the current one where there is none."""
    from scenario_apply.manifest.loader.load import default_manifest

    whole = os.path.abspath(os.path.join(cwd, default_manifest(cwd) or ""))
    return whole if os.path.isdir(whole) else os.path.dirname(whole)


def _home(manifest: Manifest) -> str:
    """The folder that state/ is in."""
    home = manifest.root
    return os.path.dirname(home) if manifest.is_folder and os.path.basename(home) == "manifests" else home


def state_problem(manifest: Manifest) -> Diagnostic | None:
    """What is wrong with `state:`. A manifest may not say where outside of its folder this machine is written to."""
    if manifest.state is None:
        return None
    outside = "move it inside the manifest's folder; only the command line can name another place: --state FILE"

    def problem(what: str, hint: str = outside) -> Diagnostic:
        return Diagnostic(code="outside-root", message=what, location=manifest.state_place, hint=hint)

    if is_state_url(manifest.state):
        from scenario_apply.cli.state_addresses import url_problem

        return url_problem(manifest)
    if "\0" in manifest.state:
        return problem("state: holds a NUL character", "write a path")
    path = os.path.abspath(os.path.join(manifest.root, _slashed(manifest.root, manifest.state)))
    parts = os.path.relpath(path, manifest.root).split(os.sep)
    if os.path.isabs(manifest.state) or parts[0] == os.pardir:
        return problem("state: names a file outside the manifest's folder")
    if any(part.lower() == ".git" for part in parts):  # macOS does not tell .GIT from .git
        return problem("state: names a file in the folder of Git", "choose another folder, e.g. state/")
    if any(part.startswith(".") for part in parts):
        what = "state: names a hidden file or folder, where other programs keep their configuration"
        return problem(what, "choose another folder, e.g. state/; only --state FILE can name a hidden one")
    if os.path.isdir(path):
        return problem(
            "state: names a folder", f"name a file in it, such as {manifest.state.rstrip('/')}/scenario.json"
        )
    here = manifest.root
    for part in parts:
        here = os.path.join(here, part)
        if os.path.islink(here):
            way = f"delete the link {here}, or name where it leads with --state FILE"
            return problem(f"state: {here} is a link to {os.readlink(here)}; links are not followed here", way)
    return None


def refuse_twin(manifest: Manifest, path: str) -> None:
    """A folder and the file in it are the same manifest with two names for its state. Raises StateError when there is
    no state of this name, but one of the other: everything would be made and paid for a second time.
    """
    if os.path.exists(path):
        return
    home = os.path.dirname(path)
    if manifest.is_folder:
        twins = [os.path.basename(file).split(".")[0] for file in manifest.files]
    else:
        twins = [os.path.basename(manifest.root)]
    for twin in twins:
        other = os.path.join(home, f"{twin}.json")
        if other != path and os.path.exists(other):
            was = "file" if manifest.is_folder else "folder"
            raise StateError(
                f"this manifest was applied as a {was}: its state is {os.path.basename(other)}, "
                f"not {os.path.basename(path)}",
                code="state-twin",
                hint=f"name the {was} again, or say which state is meant with --state",
            )


def cache_path(manifest: Manifest) -> str:
    """The fingerprint cache; deleting it is always safe."""
    return os.path.join(manifest.root, ".scenario", "cache")


def emulator_path(root: str) -> str:
    """Where the embedded Scenario of --local keeps what it holds."""
    return os.path.join(root, ".scenario", "emulator")
