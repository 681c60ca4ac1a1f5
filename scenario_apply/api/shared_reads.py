"""A client for planning several manifests of one project: what all of them ask for is read once, fifty a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from scenario_apply.api.client import Client
from scenario_apply.errors import Refused
from scenario_apply.model.limits import MODELS_PER_BULK_READ
from scenario_apply.model.remote import ModelId, ModelPage, RemoteModel


class SharedReads(Client):
    """A Client with the answers of read_ahead(): as old as that call, so it serves one round of plans.

    The first page of the project's models is asked for once, too.
    """

    _ahead: dict[ModelId, RemoteModel | None]
    _pages: dict[tuple[str | None, str | None], ModelPage]

    @classmethod
    def of(cls, client: Client) -> SharedReads:
        """With the connection and the budget of another client."""
        shared = cls(client._sender, client._project_id)
        shared._ahead, shared._pages = {}, {}
        return shared

    def read_ahead(self, ids: Iterable[ModelId]) -> None:
        """Read these models with their images. Whatever the service refuses is left to those who ask for it."""
        unique = list(dict.fromkeys(ids))
        for start in range(0, len(unique), MODELS_PER_BULK_READ):
            part = unique[start : start + MODELS_PER_BULK_READ]
            try:
                found = super().get_models(part, images=True)
            except Refused as refused:
                if refused.status not in (400, 404):
                    raise
                continue
            self._ahead.update((model_id, found.get(model_id)) for model_id in part)

    def get_models(self, model_ids: Sequence[ModelId], *, images: bool) -> Mapping[ModelId, RemoteModel]:
        """As Client does; nothing is sent for models that were read ahead."""
        if not all(model_id in self._ahead for model_id in model_ids):
            return super().get_models(model_ids, images=images)
        known = {model_id: self._ahead[model_id] for model_id in model_ids}
        return {model_id: model for model_id, model in known.items() if model is not None}

    def list_models(self, *, token: str | None = None, status: str | None = None) -> ModelPage:
        page = self._pages.get((token, status))
        if page is None:
            page = self._pages[token, status] = super().list_models(token=token, status=status)
        return page
