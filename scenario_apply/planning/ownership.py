"""Who owns a model, as far as the service reports it: a manifest names models by id, and the key may read others'.

The owner of a model is a project or a team (the contract has examples of both), so an id is compared only with ids of
its own kind: `proj_b` is not `proj_a`, and `team_x` says nothing about either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from scenario_apply.model.remote import RemoteModel


def reference_owners(project: str | None, known: Iterable[RemoteModel]) -> frozenset[str]:
    """Ids an own model may be owned by: the manifest's project; without one the owners of models known to be own."""
    if project is not None:
        return frozenset({project})
    return frozenset(model.owner_id for model in known if model.owner_id is not None)


def is_foreign(model: RemoteModel, owners: Collection[str]) -> bool:
    """Whether the answer says that it is owned by another project or team. False where it says nothing of that."""
    owner = model.owner_id
    if owner is None or owner in owners:
        return False
    return any(_kind(owner) == _kind(other) for other in owners)


def is_own(model: RemoteModel, owners: Collection[str], listed: Iterable[RemoteModel]) -> bool:
    """Whether it is known to be the project's own. listed: the models of the project's own list."""
    if model.owner_id is not None and model.owner_id in owners:
        return True
    return not is_foreign(model, owners) and any(other.id == model.id for other in listed)


def _kind(owner: str) -> str:
    """proj of proj_23tl; empty for an id without such a beginning."""
    kind, underscore, _ = owner.partition("_")
    return kind if underscore else ""
