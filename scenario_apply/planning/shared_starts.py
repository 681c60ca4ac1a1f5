"""The trigger or prefix that all captions of a dataset begin with, where writing it once changes none of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from scenario_apply.dataset.captions.compose import Composer
from scenario_apply.errors import Location
from scenario_apply.manifest.spec import DatasetSpec

_LONGEST_TRIGGER = 200
_SEPARATOR = ", "


class SharedStart(NamedTuple):
    """key: trigger or prefix; None where the captions share none. texts: what is left of them, by the same names."""

    key: str | None
    value: str
    texts: Mapping[str, str]


def shared_start(captions: Mapping[str, str]) -> SharedStart:
    """captions: of every picture of a dataset, by its name.

    A single unusual word, such as KAEL_07, is a trigger; anything else a prefix. Only what gives exactly the captions
    that were sent is recognised.
    """
    nothing = SharedStart(None, "", captions)
    heads = {caption.partition(_SEPARATOR)[0] for caption in captions.values()}
    if len(captions) < 2 or len(heads) != 1:
        return nothing
    head = heads.pop()
    texts = {name: caption[len(head) + len(_SEPARATOR) :] for name, caption in captions.items()}
    if not head.strip() or len(head) > _LONGEST_TRIGGER or "{" in head or not all(texts.values()):
        return nothing
    is_trigger = not any(map(str.isspace, head)) and head != head.lower()
    place = Location(file="")
    spec = DatasetSpec(name="exported", place=place, trigger=head if is_trigger else None)
    if not is_trigger:
        spec = DatasetSpec(name="exported", place=place, prefix=head)
    composer = Composer(spec)
    if any(composer.compose(text, name) != captions[name] for name, text in texts.items()):
        return nothing
    return SharedStart("trigger" if is_trigger else "prefix", head, texts)
