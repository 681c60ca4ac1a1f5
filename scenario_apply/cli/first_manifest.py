"""The manifest that init writes: a dataset and a model for every folder of images."""

from __future__ import annotations

import os
import re
import shlex

from msgspec import Struct

from scenario_apply.cli.manifest_companions import NO_CAPTIONS, PICTURES, SCHEMA_LINE, captions_found, write_companions
from scenario_apply.cli.named_files import named_file
from scenario_apply.errors import ScenarioApplyError, UsageError
from scenario_apply.manifest.loader.listing import count_images
from scenario_apply.model.did_you_mean import did_you_mean
from scenario_apply.model.file_names import is_junk_folder
from scenario_apply.model.folder_names import OTHER_SPLITS, TRAIN_SPLITS, repeats_of
from scenario_apply.model.training_types import TRAINING_TYPES
from scenario_apply.review.screen import counted
from scenario_apply.state.stores.own_files import hint_of

_MOST_FOLDERS = 200
STDOUT = "-"


class CannotInit(ScenarioApplyError):
    """No manifest can be written from this folder or to this file."""

    code = "init"


class Written(Struct, frozen=True, kw_only=True):
    """path: relative to the working folder, None when nothing was written; models: their keys; images: how many.

    captions: in words, a sentence part for each folder. also: other files that were written.
    beside: other manifests of the same folder, which are read, too, when the folder is given as MANIFEST.
    """

    path: str | None
    text: str
    beside: tuple[str, ...]
    models: tuple[str, ...]
    images: int
    captions: tuple[str, ...]
    also: tuple[str, ...] = ()


def write_first_manifest(
    folder: str, *, out: str | None, type: str, trigger: str | None, cwd: str, suggest: bool = False
) -> Written:
    """Write it; out "-": return the text for the default file without writing it. suggest: parameters for the
    number of images are written, not only as a comment.

    Raises UsageError for an unknown type or folder, CannotInit when the file exists.
    """
    known = [name for name, kind in TRAINING_TYPES.items() if kind.dataset == "images"]
    if type not in known:
        pairs = type in TRAINING_TYPES and TRAINING_TYPES[type].dataset == "pairs"
        hint = "it is trained on pairs: write a dataset with before: and after: yourself" if pairs else None
        raise UsageError(f"{type!r} is not a training type for single images", hint=hint or did_you_mean(type, known))
    home = os.path.abspath(os.path.join(cwd, folder))
    if not os.path.isdir(home):
        raise UsageError(f"there is no folder {folder}", hint=_folder_hint(home))
    found = _picture_folders(home)
    if not found:
        raise CannotInit(f"{folder} contains no images", hint=f"init looks for {', '.join(PICTURES)}")
    target = _target(None if out == STDOUT else out, home, cwd)
    root = os.path.dirname(target)
    if any(os.path.relpath(path, root).startswith("..") for path in found):
        raise CannotInit(
            f"the images of {folder} are outside the folder of the manifest",
            hint=f"write it beside them: --out {shlex.quote(os.path.join(folder, 'scenario.yaml'))}",
        )
    text, keys = _manifest(found, root, type, trigger, suggest)
    models, images = tuple(keys), sum(found.values())
    captions = tuple(f"{key}: {captions_found(path)}" for key, path in zip(keys, found, strict=True))
    if out == STDOUT:
        return Written(path=None, text=text, beside=(), models=models, images=images, captions=captions)
    beside = tuple(_named(path, cwd) for path in _manifests_in(root) if path != target)
    try:
        with named_file(target, cwd).open_new() as file:
            file.write(text)
    except FileExistsError as error:
        raise CannotInit(f"{_named(target, cwd)} already exists", hint="choose another file with --out") from error
    except OSError as error:
        what = f"{_named(target, cwd)} cannot be written: {error.strerror}"
        raise CannotInit(what, hint=hint_of(error)) from error
    try:
        also = tuple(_named(path, cwd) for path in write_companions(root, cwd))
    except OSError as error:
        what = f"{_named(target, cwd)} is written, but not .scenario/ and .gitignore beside it: {error.strerror}"
        raise CannotInit(what, hint=hint_of(error)) from error
    return Written(
        path=_named(target, cwd), text=text, beside=beside, models=models, images=images, captions=captions, also=also
    )


def _manifests_in(folder: str) -> list[str]:
    if not os.path.isdir(folder):
        return []
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith((".yaml", ".yml"))]


def _folder_hint(home: str) -> str | None:
    """For a folder that does not exist: the one a file is in, or the nearest of its neighbours."""
    above = os.path.dirname(home)
    if os.path.isfile(home):
        return "it is a file: name the folder that contains the images"
    names = os.listdir(above) if os.path.isdir(above) else []
    return did_you_mean(os.path.basename(home), [name for name in names if os.path.isdir(os.path.join(above, name))])


def _picture_folders(home: str) -> dict[str, int]:
    """Folders with images, at most two levels down -> how many. Numbered folders of sd-scripts are one dataset."""
    found: dict[str, int] = {}
    for path, folders, files in os.walk(home):
        depth = os.path.relpath(path, home).count(os.sep) + (path != home)
        pictures = sum(name.lower().endswith(PICTURES) and not name.startswith(".") for name in files)
        numbered = [] if pictures else [name for name in folders if repeats_of(name) is not None]
        pictures += sum(count_images(os.path.join(path, name)) for name in numbered)
        left_out = {*numbered, *_left_out_beside(folders)}
        folders[:] = sorted(name for name in folders if depth < 2 and name not in left_out and not is_junk_folder(name))
        if pictures:
            found[path] = pictures
        if len(found) > _MOST_FOLDERS:
            raise CannotInit(f"more than {_MOST_FOLDERS} folders with images", hint="choose a subfolder")
    return found


def _left_out_beside(folders: list[str]) -> list[str]:
    """Other splits beside train, and the regularisation images of kohya_ss: as datasets are read."""
    left_out = OTHER_SPLITS if not TRAIN_SPLITS.isdisjoint(map(str.lower, folders)) else frozenset()
    left_out |= {"reg"} if "img" in folders else frozenset()
    return [name for name in folders if name.lower() in left_out]


def _target(out: str | None, home: str, cwd: str) -> str:
    if out is not None:
        return os.path.abspath(os.path.join(cwd, out))
    # in the working folder, unless the images are outside of it
    here = os.path.abspath(cwd)
    inside = home != here and os.path.commonpath([home, here]) == here
    return os.path.join(here if inside else home, "scenario.yaml")


def _named(path: str, cwd: str) -> str:
    relative = os.path.relpath(path, cwd)
    return path if relative.startswith("..") else relative


def _manifest(found: dict[str, int], root: str, type: str, trigger: str | None, suggest: bool) -> tuple[str, list[str]]:
    from scenario_apply.review.yaml_text import yaml_text

    keys: dict[str, str] = {}
    for path in found:
        name = os.path.basename(root if os.path.samefile(path, root) else path)
        key = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "images"
        number = 2
        base = key
        while key in keys:
            key, number = f"{base}-{number}", number + 1
        keys[key] = path
    datasets: dict[str, object] = {}
    for key, path in keys.items():
        relative = os.path.relpath(path, root).replace(os.sep, "/")
        dataset: dict[str, object] = {"images": "." if relative == "." else f"./{relative}"}
        if trigger is not None:
            dataset["trigger"] = trigger
        if captions_found(path) == NO_CAPTIONS:
            dataset["captions"] = "auto"
        datasets[key] = dataset
    body = yaml_text({"version": 1, "datasets": datasets}) + "models:\n"
    for key, path in keys.items():
        body += _model(key, type, found[path], suggest)
    body += _samples(trigger)
    head = "# Written by scenario-apply init. Next: scenario-apply validate, then plan --local.\n"
    return f"{SCHEMA_LINE}\n{head}{body}", list(keys)


def _samples(trigger: str | None) -> str:
    """Of the last model, as a comment."""
    prompts = ('"{{ trigger }}, portrait"', '"{{ trigger }} at sea"') if trigger else ("a portrait", "a ship at sea")
    return f"    # samples: [{', '.join(prompts)}]   # drawn with each version once it is trained; charged\n"


def _model(key: str, type: str, images: int, suggest: bool) -> str:
    """The entry of one model, with the parameters that suit the number of its images; as a comment unless suggest."""
    from scenario_apply.model.starting_points import StartingPoint, starting_point
    from scenario_apply.review.yaml_text import yaml_text

    lines = yaml_text({key: {"name": key, "type": type, "dataset": key}}).splitlines()
    point = starting_point(TRAINING_TYPES[type], images)
    if isinstance(point, StartingPoint):
        parameters = yaml_text({"parameters": point.parameters}).splitlines()
        lines.append(f"  # {counted(images, 'image')}. {point.reason}")
        lines += [f"  {line}" if suggest else f"  # {line}" for line in parameters]
    return "".join(f"  {line}\n" for line in lines)
