"""Steps ⇄ JSON-ready values, for saved plans and the journal. A secret is masked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import cast

from scenario_apply.core.address import Address, parse_address
from scenario_apply.core.fingerprint import plain_parameter
from scenario_apply.core.manifest.secret import Secret
from scenario_apply.core.remote import AssetId, ModelId
from scenario_apply.core.steps import (
    AssetRef,
    AttachImages,
    Attachment,
    AwaitTraining,
    ConceptRef,
    CreateModel,
    DeleteModel,
    DetachImage,
    PairRef,
    PictureRef,
    PlannedStep,
    SetCaption,
    SetPairs,
    SetTags,
    StartTraining,
    Step,
    UpdateModel,
    UploadImage,
    UploadWay,
)


def step_to_json(planned: PlannedStep) -> dict[str, object]:
    """One step: id, kind, address, after, and what its kind needs."""
    plain = plain_value(planned.step)
    assert isinstance(plain, dict)
    head = {"id": planned.id, "kind": planned.kind, "address": str(planned.address), "after": list(planned.after)}
    return head | {key: value for key, value in plain.items() if key not in head}


def plain_value(value: object) -> object:
    """Dataclasses and addresses as plain values; a secret masked."""
    match value:
        case Secret():
            return plain_parameter(value)
        case Address():
            return str(value)
        case Mapping():
            return {str(key): plain_value(item) for key, item in value.items()}
        case list() | tuple():
            return [plain_value(item) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {field.name: plain_value(getattr(value, field.name)) for field in fields(value)}
        case _:
            return value


def step_from_json(plain: Mapping[str, object]) -> PlannedStep:
    """The step that plain values describe. Raises KeyError, TypeError or ValueError when they describe none."""
    kind = cast(str, plain["kind"])
    step = _READERS[kind](parse_address(cast(str, plain["address"])), plain)
    return PlannedStep(id=cast(str, plain["id"]), step=step, after=tuple(cast("list[str]", plain["after"])))


Plain = Mapping[str, object]


def _text(plain: Plain, key: str) -> str:
    value = plain[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is no text")
    return value


def _maybe(plain: Plain, key: str) -> str | None:
    return None if plain.get(key) is None else _text(plain, key)


def _number(plain: Plain, key: str) -> float:
    value = plain[key]
    if not isinstance(value, int | float):
        raise TypeError(f"{key} is no number")
    return value


def _list(plain: Plain, key: str) -> list[Plain]:
    value = plain.get(key) or []
    if not isinstance(value, list):
        raise TypeError(f"{key} is no list")
    return value


def _asset(value: object) -> AssetRef:
    plain = cast(Plain, value)
    asset_id = _maybe(plain, "id")
    return AssetRef(id=None if asset_id is None else AssetId(asset_id), step=_maybe(plain, "step"))


def _concepts(plain: Plain) -> tuple[ConceptRef, ...]:
    refs = []
    for item in _list(plain, "concepts"):
        model, model_id = _maybe(item, "model"), _maybe(item, "model_id")
        refs.append(
            ConceptRef(
                model=None if model is None else parse_address(model),
                model_id=None if model_id is None else ModelId(model_id),
                scale=_number(item, "scale"),
                epoch=_maybe(item, "epoch"),
            )
        )
    return tuple(refs)


def _create(address: Address, plain: Plain) -> Step:
    return CreateModel(
        address=address,
        number=int(_number(plain, "number")),
        name=_text(plain, "name"),
        type=_text(plain, "type"),
        description=_maybe(plain, "description"),
        concepts=_concepts(plain),
        protected=plain.get("protected") is True,
    )


def _upload(address: Address, plain: Plain) -> Step:
    picture = cast(Plain, plain["picture"])
    return UploadImage(
        address=address,
        way=cast(UploadWay, _text(plain, "way")),
        picture=PictureRef(
            path=_text(picture, "path"),
            file=_text(picture, "file"),
            sha256=_text(picture, "sha256"),
            size_bytes=int(_number(picture, "size_bytes")),
            mime=_text(picture, "mime"),
        ),
    )


def _attach(address: Address, plain: Plain) -> Step:
    images = tuple(
        Attachment(
            asset=_asset(item["asset"]),
            path=_text(item, "path"),
            sha256=_text(item, "sha256"),
            caption=_text(item, "caption"),
        )
        for item in _list(plain, "images")
    )
    return AttachImages(address=address, images=images)


def _detach(address: Address, plain: Plain) -> Step:
    return DetachImage(address=address, asset_id=AssetId(_text(plain, "asset_id")), path=_text(plain, "path"))


def _caption(address: Address, plain: Plain) -> Step:
    return SetCaption(
        address=address,
        asset=_asset(plain["asset"]),
        path=_text(plain, "path"),
        sha256=_text(plain, "sha256"),
        caption=_text(plain, "caption"),
    )


def _pair(address: Address, plain: Plain) -> Step:
    pairs = tuple(
        PairRef(source=_asset(p["source"]), target=_asset(p["target"]), instruction=_text(p, "instruction"))
        for p in _list(plain, "pairs")
    )
    return SetPairs(address=address, pairs=pairs)


def _update(address: Address, plain: Plain) -> Step:
    concepts = None if plain.get("concepts") is None else _concepts(plain)
    return UpdateModel(
        address=address, name=_maybe(plain, "name"), description=_maybe(plain, "description"), concepts=concepts
    )


def _tag(address: Address, plain: Plain) -> Step:
    add, delete = cast("list[str]", plain["add"]), cast("list[str]", plain["delete"])
    return SetTags(address=address, add=tuple(add), delete=tuple(delete))


def _train(address: Address, plain: Plain) -> Step:
    quoted = plain.get("quoted")
    return StartTraining(
        address=address,
        parameters=cast("dict[str, object]", plain["parameters"]),
        dataset=_maybe(plain, "dataset"),
        quoted=None if quoted is None else _number(plain, "quoted"),
    )


def _wait(address: Address, plain: Plain) -> Step:
    return AwaitTraining(address=address, type=_text(plain, "type"))


def _delete(address: Address, plain: Plain) -> Step:
    return DeleteModel(
        address=address, model_id=ModelId(_text(plain, "model_id")), number=int(_number(plain, "number"))
    )


_READERS: Mapping[str, Callable[[Address, Plain], Step]] = {
    "create": _create,
    "upload": _upload,
    "attach": _attach,
    "detach": _detach,
    "caption": _caption,
    "pair": _pair,
    "update": _update,
    "tag": _tag,
    "train": _train,
    "wait": _wait,
    "delete": _delete,
}
