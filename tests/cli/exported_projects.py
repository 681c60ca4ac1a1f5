"""Models on the embedded Scenario as people make them elsewhere, for the tests of import and export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scenario_apply.api import connect
from scenario_apply.api.client import Client
from scenario_apply.emulator.thread import EmulatorThread
from scenario_apply.model.remote import AssetId, ModelId, RemoteConcept, RemotePair
from tests.emulator.pictures import png
from tests.fakes.clock import FakeClock


@dataclass
class WebApp:
    """Makes models, as the web app or a script would."""

    emulator: EmulatorThread
    api: Client
    pictures: int = 0

    def model(
        self,
        name: str,
        images: Mapping[str, str | None] | Sequence[tuple[str, str | None]],
        *,
        type: str = "flux.1-lora",
        pairs: Sequence[tuple[int, int, str]] = (),
        parameters: Mapping[str, object] | None = None,
        trained: bool = True,
        description: str | None = None,
        tags: Sequence[str] = (),
    ) -> tuple[ModelId, list[AssetId]]:
        """images: name and caption of each, None for Scenario's own. pairs: of their places, with instructions."""
        model = self.api.create_model(name=name, type=type, short_description=description)
        assets = []
        for image, caption in images.items() if isinstance(images, Mapping) else images:
            self.pictures += 1
            added = self.api.add_image(model.id, name=image, mime="image/png", body=png(self.pictures))
            if caption is not None:
                self.api.set_caption(added.id, caption)
            assets.append(added.id)
        if pairs:
            both = [RemotePair(source_id=assets[a], target_id=assets[b], instruction=text) for a, b, text in pairs]
            self.api.replace_pairs(model.id, both)
        if tags:
            self.api.update_tags(model.id, add=tags, delete=())
        if trained:
            self.train(model.id, parameters or {})
        return model.id, assets

    def composition(self, name: str, *parts: tuple[ModelId, float]) -> ModelId:
        concepts = [RemoteConcept(model_id=part, scale=scale) for part, scale in parts]
        made = self.api.create_model(name=name, type="flux.1-composition", concepts=concepts)
        self.train(made.id, {})
        return made.id

    def train(self, model_id: ModelId, parameters: Mapping[str, object]) -> None:
        self.api.train(model_id, parameters)
        self.emulator.advance(100_000)


def web_app(emulator: EmulatorThread) -> WebApp:
    api, _ = connect(
        base_url=emulator.url,
        api_key="key-1234",
        api_secret="secret-1234",
        project_id=None,
        rate_limit_per_minute=0,
        clock=FakeClock(),
    )
    return WebApp(emulator, api)


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file but our own notes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") or part == "state" for part in path.parts)
    }
