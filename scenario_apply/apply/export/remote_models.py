"""Reads the models that are exported, fifty a request, with where their pictures are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct, field

from scenario_apply.errors import NotFound, Refused, UsageError
from scenario_apply.model.did_you_mean import did_you_mean
from scenario_apply.model.limits import MODELS_PER_BULK_READ
from scenario_apply.model.local_names import resource_key
from scenario_apply.model.ports import PictureApi
from scenario_apply.model.remote import AssetId, ModelId, RemoteModel
from scenario_apply.model.secret import Secret
from scenario_apply.model.training_types import training_type
from scenario_apply.planning.export_layout import NotExported, title_of

Told = Callable[[int, int], None]
"""Called with how many of how many are done."""


class RemoteModels(Struct):
    """models: with all their images, in the order asked for. addresses: of the pictures' bytes."""

    models: list[RemoteModel] = field(default_factory=list)
    addresses: dict[AssetId, Secret] = field(default_factory=dict)
    problems: list[NotExported] = field(default_factory=list)


def read_with_pictures(api: PictureApi, listed: Sequence[RemoteModel], told: Told) -> RemoteModels:
    """The models with their training images. One that an answer leaves out or cuts is read by itself.

    A model that the service does not show is a problem, and the others are read.
    """
    found: dict[ModelId, RemoteModel] = {}
    out = RemoteModels()
    for start in range(0, len(listed), MODELS_PER_BULK_READ):
        some = listed[start : start + MODELS_PER_BULK_READ]
        try:
            answer = api.get_models([model.id for model in some])
        except Refused as refused:
            if refused.status not in (400, 404):
                raise
        else:
            found |= answer.models
            out.addresses |= answer.addresses
        for model in some:
            _complete(api, model, found, out)
        told(min(start + MODELS_PER_BULK_READ, len(listed)), len(listed))
    out.models = [found[model.id] for model in listed if model.id in found]
    return out


def _complete(api: PictureApi, listed: RemoteModel, found: dict[ModelId, RemoteModel], out: RemoteModels) -> None:
    """Reads one model by itself where the answer of many does not show it whole."""
    model = found.get(listed.id)
    if model is not None and model.status is not None and not (model.images is None and model.image_count):
        return
    try:
        answer = api.get_model(listed.id)
    except Refused as refused:
        found.pop(listed.id, None)
        why = "the service shows it no more" if isinstance(refused, NotFound) else str(refused)
        if not isinstance(refused, NotFound) and refused.status != 403:
            raise
        out.problems.append(NotExported(title_of(listed), why))
        return
    found |= answer.models
    out.addresses |= answer.addresses


def selected_models(models: Sequence[RemoteModel], select: Iterable[str], exclude: Iterable[str]) -> list[RemoteModel]:
    """Those that patterns choose: ids, names, addresses as they would be, globs of them, and tag:NAME; +WHAT chooses
    the parts of compositions, too.

    Raises UsageError for a pattern that chooses nothing.
    """
    chosen = {model.id for model in models}
    patterns = list(select)
    if patterns:
        chosen = set().union(*(_matching(pattern, models) for pattern in patterns))
    for pattern in exclude:
        chosen -= _matching(pattern, models)
    return [model for model in models if model.id in chosen]


def _matching(pattern: str, models: Sequence[RemoteModel]) -> set[ModelId]:
    core = pattern.removeprefix("+")
    found = {model.id for model in models if _is_named(model, core)}
    if not found:
        known = [model.name or model.id for model in models]
        raise UsageError(f"{pattern!r} selects no model of the project", hint=did_you_mean(core, known))
    if pattern.startswith("+"):
        parts = {part.model_id for model in models if model.id in found for part in model.concepts or ()}
        found |= parts & {model.id for model in models}
    return found


def _is_named(model: RemoteModel, pattern: str) -> bool:
    if pattern.startswith("tag:"):
        return any(fnmatchcase(tag, pattern.removeprefix("tag:")) for tag in model.tags or ())
    kind = "composition" if training_type(model.type).is_composition else "model"
    address = f"{kind}.{resource_key(model.name or '', model.id, set())}"
    folded = pattern.casefold()
    return model.id == pattern or any(fnmatchcase(n.casefold(), folded) for n in (model.name or "", address, model.id))
