"""What the answer to a write says that the service kept, where that is not what was sent. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from scenario_apply.model.kept_text import is_same_tag
from scenario_apply.model.remote import RemoteModel
from scenario_apply.model.steps import SetTags
from scenario_apply.state.state import KeptCaption, KeptLabels, Version

LONGEST_KEPT = 10_000
"""Characters of an answer beyond which it is not recorded: no service makes a text that much longer."""


def kept_caption(sent: str, said: str | None) -> KeptCaption | None:
    """said: the caption in the answer. None: it was kept as it was sent."""
    if said == sent:
        return None
    return KeptCaption(silent=True) if said is None or _is_endless(said) else KeptCaption(kept=said)


def kept_labels(name: str | None, description: str | None, model: RemoteModel) -> KeptLabels | None:
    """name, description: as sent, None where they were not. None: they were kept as they were sent."""
    kept = KeptLabels(name=_other(name, model.name), description=_other(description, model.short_description))
    return None if kept == KeptLabels() else kept


def _other(sent: str | None, said: str | None) -> str | None:
    if sent is None or not said or said == sent or _is_endless(said):
        return None
    return said


def _is_endless(said: str) -> bool:
    return len(said) > LONGEST_KEPT


def kept_tags(sent: Sequence[str], added: Sequence[str] | None) -> KeptLabels | None:
    """added: as in the answer. A tag that it leaves out was dropped, or was there before: it is kept as "".

    None: they were kept as they were sent, or the answer does not say.
    """
    if added is None:
        return None
    others = [tag for tag in added if tag not in sent]
    unmatched, kept = [], {}
    for tag in sent:
        if tag in added:
            continue
        alike = next((other for other in others if is_same_tag(tag, other)), None)
        if alike is None:
            unmatched.append(tag)
        else:
            others.remove(alike)
            kept[tag] = alike
    forms = others if len(unmatched) == len(others) else [""] * len(unmatched)
    kept |= dict(zip(unmatched, forms, strict=True))
    return KeptLabels(tags=kept) if kept else None


def tags_to_delete(step: SetTags, version: Version) -> tuple[str, ...]:
    """The tags of a step that are to go, as the service keeps them; never one that stays or comes."""
    forms = {} if version.kept is None else version.kept.tags
    staying = {forms.get(tag, tag) or tag for tag in version.tags if tag not in step.delete} | set(step.add)
    return tuple(form for tag in step.delete if (form := forms.get(tag, tag) or tag) not in staying)
