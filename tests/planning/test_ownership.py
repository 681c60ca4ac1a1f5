"""planning/ownership.py: what a manifest names by id is the project's own, or it is not shown."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scenario_apply.apply.prepare import PlanOptions, make_plan
from scenario_apply.errors import Diagnostic, ManifestError, StateForeign
from scenario_apply.manifest.spec import Concept, Import, Manifest
from scenario_apply.model.address import Address
from scenario_apply.model.remote import ModelId, ModelPage, RemoteModel
from scenario_apply.planning.ownership import is_foreign, is_own
from scenario_apply.planning.plan import Plan
from scenario_apply.state.state import Record, State, Version
from tests.planning.manifests import HERE, composition, dataset, manifest, model, picture
from tests.planning.situations import NOW, Model, Service, world_of

SETS = {"set": dataset("set", [picture("01.png", "ash")])}
KAEL = Address("model", "kael")
THEIRS = "model_theirs"
SECRET_NAME, SECRET_CAPTION = "Project Hunter", "the unreleased hero hunter2"


class OwnedService(Service):
    """One model that the key can read by its id. listed: whether the project's own list has it, too."""

    def __init__(self, *, owner: str | None, privacy: str | None = "private", listed: bool = False) -> None:
        super().__init__()
        self.owner, self.privacy, self.listed = owner, privacy, listed
        theirs = Model(id=ModelId(THEIRS), type="flux.1-lora", name=SECRET_NAME, status="trained")
        self.models[theirs.id] = theirs
        self.captions["asset_1"] = SECRET_CAPTION  # type: ignore[index]
        theirs.images["asset_1"] = "hunter.png"  # type: ignore[index]

    def remote(self, model: Model) -> RemoteModel:
        return replace(super().remote(model), owner_id=self.owner, privacy=self.privacy)

    def list_models(self, *, token: str | None = None, status: str | None = None) -> ModelPage:
        page = super().list_models(token=token, status=status)
        return page if self.listed else replace(page, models=())


def plan(made: Manifest, asked: Service, *, project: str | None, state: State | None = None) -> Plan:
    world = replace(world_of(asked, state or State()), project=project)
    return make_plan(world, made, SETS, PlanOptions(), NOW).plan


def importing(type: str = "flux.1-lora") -> Manifest:
    return replace(manifest(model("kael", type=type)), imports=(Import(target=KAEL, model_id=THEIRS, place=HERE),))


def refusal(made: Manifest, asked: Service, project: str | None) -> Diagnostic:
    with pytest.raises(ManifestError) as raised:
        plan(made, asked, project=project)
    assert "hunter" not in str(raised.value.problems).lower()
    return raised.value.problems[0]


@pytest.mark.parametrize("type", ["flux.1-lora", "sd-xl-lora"])
@pytest.mark.parametrize(
    ("owner", "privacy", "project"),
    [
        ("proj_theirs", "private", "proj_ours"),
        ("proj_theirs", "public", "proj_ours"),
        ("theirs", "private", "ours"),
        (None, "private", "proj_ours"),
        (None, "public", None),
        ("proj_theirs", "private", None),
        ("team_theirs", "private", "proj_ours"),
        (None, None, None),
    ],
)
def test_a_model_that_is_not_the_projects_own_is_not_imported(
    owner: str | None, privacy: str | None, project: str | None, type: str
) -> None:
    """One error at the line of the import, which says neither its name nor its type nor its captions."""
    problem = refusal(importing(type), OwnedService(owner=owner, privacy=privacy), project)
    assert problem.code == "import-foreign"
    assert problem.location == HERE
    assert THEIRS in problem.message


def test_an_owner_of_another_project_counts_more_than_a_list() -> None:
    assert refusal(importing(), OwnedService(owner="proj_theirs", listed=True), "proj_ours").code == "import-foreign"


@pytest.mark.parametrize(
    ("owner", "listed", "project"),
    [
        ("proj_ours", False, "proj_ours"),
        ("proj_ours", True, "proj_ours"),
        ("team_ours", True, "proj_ours"),  # the owner may be a team: then the project's own list decides
        (None, True, "proj_ours"),
        (None, True, None),
        ("proj_ours", True, None),
    ],
)
def test_an_own_model_is_imported(owner: str | None, listed: bool, project: str | None) -> None:
    made = plan(importing(), OwnedService(owner=owner, listed=listed), project=project)
    assert THEIRS in str(made.changes[0].reasons)


PART = manifest(composition("ink", [Concept(model_id=THEIRS, scale=1, place=HERE)]))


def test_a_part_named_by_id_may_be_public_but_not_anothers_private_model() -> None:
    problem = refusal(PART, OwnedService(owner="proj_theirs"), "proj_ours")
    assert (problem.code, problem.location) == ("part-foreign", HERE)
    for asked in (
        OwnedService(owner="proj_theirs", privacy="public"),
        OwnedService(owner="proj_ours"),
        OwnedService(owner=None),
        OwnedService(owner="team_ours"),
    ):
        made = plan(PART, asked, project="proj_ours")
        assert "hunter" not in str(made).lower()


def test_a_state_that_records_anothers_model_shows_nothing_of_it() -> None:
    """A state lies in the repository: an id written into it is worth no more than one in the manifest."""
    record = Record(current=Version(number=1, id=ModelId(THEIRS), phase="trained", name="Kael", type="flux.1-lora"))
    with pytest.raises(StateForeign) as raised:
        plan(
            manifest(model("kael")),
            OwnedService(owner="proj_theirs", listed=True),
            project="proj_ours",
            state=State(records={KAEL: record}),
        )
    assert "hunter" not in str(raised.value.problems).lower()
    assert "state rm model.kael" in str(raised.value.problems[0].hint)


def test_only_ids_of_one_kind_are_compared() -> None:
    one = RemoteModel(id=ModelId("m"), type="flux.1-lora", status="trained", owner_id="team_a")
    assert not is_foreign(one, {"proj_a"})
    assert is_foreign(one, {"team_b"})
    assert not is_foreign(one, ())
    assert not is_own(one, {"proj_a"}, ())
    assert is_own(one, {"team_a"}, ())
