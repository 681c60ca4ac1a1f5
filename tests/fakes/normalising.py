"""A service that keeps texts in a form of its own, and says so in its answers, or says nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scenario_apply.model.ports import Clock, Sending
from scenario_apply.model.remote import AssetId, ModelId, RemoteConcept, RemoteModel
from tests.fakes.service import FakeScenario

Form = Callable[[str], str]


class NormalisingScenario(FakeScenario):
    """form: what becomes of every name, description, tag and caption. is_silent: answers to captions and tags say
    nothing of it."""

    def __init__(self, clock: Clock, form: Form, *, is_silent: bool = False) -> None:
        super().__init__(clock)
        self.form = form
        self.is_silent = is_silent

    def _formed(self, text: str | None) -> str | None:
        return None if text is None else self.form(text)

    def create_model(
        self,
        *,
        name: str,
        type: str,
        short_description: str | None = None,
        concepts: Sequence[RemoteConcept] | None = None,
        sending: Sending | None = None,
    ) -> RemoteModel:
        description = self._formed(short_description)
        return super().create_model(
            name=self.form(name), type=type, short_description=description, concepts=concepts, sending=sending
        )

    def update_model(
        self,
        model_id: ModelId,
        *,
        name: str | None = None,
        short_description: str | None = None,
        concepts: Sequence[RemoteConcept] | None = None,
        epoch: str | None = None,
        sending: Sending | None = None,
    ) -> RemoteModel:
        named, described = self._formed(name), self._formed(short_description)
        return super().update_model(
            model_id, name=named, short_description=described, concepts=concepts, epoch=epoch, sending=sending
        )

    def update_tags(
        self, model_id: ModelId, *, add: Sequence[str], delete: Sequence[str], sending: Sending | None = None
    ) -> tuple[str, ...] | None:
        added = super().update_tags(model_id, add=[self.form(tag) for tag in add], delete=delete, sending=sending)
        return None if self.is_silent else added

    def set_caption(self, asset_id: AssetId, caption: str, *, sending: Sending | None = None) -> str | None:
        kept = super().set_caption(asset_id, self.form(caption), sending=sending)
        return None if self.is_silent else kept
