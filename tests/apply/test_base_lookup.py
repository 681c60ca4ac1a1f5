"""base_lookup.py: the base of a type is known, given and checked, or found by what bases say; it is never guessed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.apply.base_lookup import find_bases
from scenario_apply.errors import ApiError, Diagnostic, Refused
from scenario_apply.model.remote import BaseInputs, ModelId
from scenario_apply.model.sample_bases import KNOWN_BASES, SAMPLE_BASES, SampleBase, WantedBase
from scenario_apply.state.stores.base_notes import KEPT_S, NOTES_NAME, BaseNotes
from tests.fakes.clock import FakeClock
from tests.fakes.service import FakeScenario

KLEIN, QWEN = ModelId("model_bfl-flux-2-klein-9b"), ModelId("model_qwen-image-edit-2511")
ENDPOINT = "https://api.example/v1"


@pytest.fixture
def service() -> FakeScenario:
    return FakeScenario(FakeClock())


def found(service: FakeScenario | None, type: str, base: str | None = None) -> SampleBase | Diagnostic:
    wanted = WantedBase(type, None if base is None else ModelId(base))
    return find_bases(service, FakeClock(), [wanted])[wanted]


def test_a_type_of_the_table_asks_the_service_nothing(service: FakeScenario) -> None:
    for type, base in SAMPLE_BASES.items():
        assert found(service, type) == base
        assert found(service, type, base.id) == base
        assert found(None, type) == base
    assert service.log == []


def test_another_type_is_found_by_the_inputs_of_the_known_bases(service: FakeScenario) -> None:
    base = found(service, "flux.2-klein-9b-edit-lora")
    assert base == SampleBase(id=KLEIN)
    assert service.count("get_base") == len(KNOWN_BASES)


def test_each_base_is_read_once_for_all_types(service: FakeScenario) -> None:
    types = ("flux.2-klein-9b-edit-lora", "flux.2-dev-edit-lora", "sd-xl-lora", "sd-xl-composition")
    answers = find_bases(service, FakeClock(), [WantedBase(type) for type in (*types, *types)])
    assert len(answers) == 4
    assert service.count("get_base") == len(KNOWN_BASES)


def test_a_type_that_several_bases_take_has_to_be_said(service: FakeScenario) -> None:
    service.generation.bases[QWEN] = replace(service.generation.bases[QWEN], loras=("flux.2-klein-9b-edit-lora",))
    problem = found(service, "flux.2-klein-9b-edit-lora")
    assert isinstance(problem, Diagnostic)
    assert "several" in problem.message
    assert KLEIN in problem.message
    assert QWEN in problem.message
    assert "base:" in (problem.hint or "")
    assert found(service, "flux.2-klein-9b-edit-lora", QWEN) == SampleBase(id=QWEN)


def test_a_type_that_no_base_takes_has_to_be_said_and_what_was_looked_at_is_named(service: FakeScenario) -> None:
    for type in ("sd-xl-lora", "sd-xl-composition"):
        problem = found(service, type)
        assert isinstance(problem, Diagnostic)
        assert (problem.code, type in problem.message) == ("sample-base", True)
        assert all(base.id in problem.message for base in KNOWN_BASES)
        assert "base:" in (problem.hint or "")


def test_a_given_base_is_checked_by_its_inputs(service: FakeScenario) -> None:
    other = ModelId("model_other")
    service.generation.bases[other] = BaseInputs(id=other, loras=("sd-xl-lora",), most_loras=2, needs_reference=True)
    assert found(service, "sd-xl-lora", other) == SampleBase(id=other, most_loras=2, needs_reference=True)
    problem = found(service, "flux.1-lora", other)
    assert isinstance(problem, Diagnostic)
    assert "it takes sd-xl-lora" in problem.message
    composed = found(service, "sd-xl-composition", other)
    assert isinstance(composed, Diagnostic), "a base that takes its LoRAs does not take its compositions"
    missing = found(service, "flux.1-lora", "model_nowhere")
    assert isinstance(missing, Diagnostic)
    assert "no model of that ID" in missing.message
    assert found(None, "flux.1-lora", other) == SampleBase(id=other), "offline it counts unchecked"


def test_a_base_that_the_plan_of_the_account_does_not_include_is_no_candidate(
    service: FakeScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(base: ModelId) -> BaseInputs:
        raise Refused(f"read {base}: restricted", status=403)

    monkeypatch.setattr(service, "get_base", forbidden)
    assert isinstance(found(service, "flux.2-dev-edit-lora"), Diagnostic)
    problem = found(service, "sd-xl-lora", "model_other")
    assert isinstance(problem, Diagnostic)
    assert "restricted" in problem.message


def test_a_service_that_cannot_be_read_is_an_error_of_the_plan(
    service: FakeScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(base: ModelId) -> BaseInputs:
        raise ApiError("no answer")

    monkeypatch.setattr(service, "get_base", broken)
    with pytest.raises(ApiError):
        found(service, "sd-xl-lora")


def noted(root: Path, service: FakeScenario | None, clock: FakeClock) -> SampleBase | Diagnostic:
    wanted = WantedBase("flux.2-klein-9b-edit-lora")
    return find_bases(service, clock, [wanted], BaseNotes(str(root), ENDPOINT))[wanted]


def test_what_was_read_is_noted_for_some_days(tmp_path: Path, service: FakeScenario) -> None:
    clock = FakeClock()
    first = noted(tmp_path, service, clock)
    assert noted(tmp_path, service, clock) == first == noted(tmp_path, None, clock)
    assert service.count("get_base") == len(KNOWN_BASES)
    assert (tmp_path / ".scenario" / ".gitignore").read_text().endswith("*\n")
    clock.advance(KEPT_S)
    assert noted(tmp_path, service, clock) == first
    assert service.count("get_base") == 2 * len(KNOWN_BASES)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"https://api.example/v1": {"m": {"at": 1}}}', b"\xff"])
def test_notes_that_cannot_be_read_are_none(tmp_path: Path, service: FakeScenario, content: bytes) -> None:
    (tmp_path / ".scenario").mkdir()
    (tmp_path / ".scenario" / NOTES_NAME).write_bytes(content)
    assert noted(tmp_path, service, FakeClock()) == SampleBase(id=KLEIN)


def test_notes_are_not_written_through_a_link(tmp_path: Path, service: FakeScenario) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / ".scenario").symlink_to(outside)
    assert noted(root, service, FakeClock()) == SampleBase(id=KLEIN)
    assert os.listdir(outside) == []
