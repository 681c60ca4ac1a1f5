"""planning.pair_diff: pairs are compared by the bytes of both pictures and the instruction."""

from __future__ import annotations

from msgspec.structs import replace

from scenario_apply.dataset.types import Contents, Image, Pair
from scenario_apply.model.address import parse_address
from scenario_apply.model.remote import AssetId, ModelId, RemoteModel, RemotePair, TrainingImage
from scenario_apply.planning.changes import PairDiff
from scenario_apply.planning.pair_diff import compare_pairs, holds_pairs, pair_drift, pairs_as_sent
from scenario_apply.state.state import ImageRecord, PairRecord, Version

ADDRESS = parse_address("model.paint")


def contents(*pairs: tuple[str, str, str]) -> Contents:
    """Pairs of (before, after, instruction). The digest of a picture is its name without a *."""
    paths = {path for before, after, _ in pairs for path in (before, after)}
    images = [
        Image(
            path=path,
            file=f"set/{path}",
            sha256=path.replace("*", ""),
            size_bytes=1,
            mime="image/png",
            width=1,
            height=1,
            caption=None,
        )
        for path in sorted(paths)
    ]
    return Contents(images=tuple(images), pairs=tuple(Pair(before=b, after=a, instruction=t) for b, a, t in pairs))


def recorded(*pairs: tuple[str, str, str]) -> Version:
    """The version that holds such pairs; asset ids are the names in capitals."""
    held = contents(*pairs)
    return Version(
        number=1,
        id=ModelId("m"),
        phase="trained",
        name="Paint",
        type="flux.2-klein-9b-edit-lora",
        images=tuple(ImageRecord(i.path, i.sha256, AssetId(i.path.upper()), "") for i in held.images),
        pairs=tuple(PairRecord(AssetId(b.upper()), AssetId(a.upper()), t) for b, a, t in pairs),
    )


def shown(version: Version, *pairs: tuple[str, str, str]) -> RemoteModel:
    return RemoteModel(
        id=ModelId("m"),
        type="flux.2-klein-9b-edit-lora",
        status="trained",
        images=tuple(
            TrainingImage(id=image.asset_id, name=image.path, description="", automatic_caption="")
            for image in version.images
        ),
        pairs=tuple(RemotePair(source_id=AssetId(b), target_id=AssetId(a), instruction=t) for b, a, t in pairs),
    )


def test_a_rename_or_another_order_is_no_difference() -> None:
    version = recorded(("a", "b", "paint it"), ("c", "d", "draw it"))
    assert compare_pairs(contents(("c*", "d", "draw it"), ("a", "b*", "paint it")), version) == PairDiff()


def test_another_instruction_is_a_change_of_that_pair_alone() -> None:
    version = recorded(("a", "b", "paint it"), ("c", "d", "draw it"))
    diff = compare_pairs(contents(("a", "b", "paint it red"), ("c", "d", "draw it")), version)
    assert [(p.before, p.after, p.previous, p.instruction, p.replaced) for p in diff.change] == [
        ("a", "b", "paint it", "paint it red", ())
    ]
    assert not diff.add
    assert not diff.remove


def test_another_picture_under_the_same_name_is_named_with_its_side() -> None:
    version = recorded(("a", "b", "paint it"))
    images = tuple(replace(i, sha256="other") if i.path == "b" else i for i in contents(("a", "b", "x")).images)
    new = Contents(images=images, pairs=(Pair(before="a", after="b", instruction="paint it"),))
    (pair,) = compare_pairs(new, version).change
    assert (pair.replaced, pair.previous, pair.after_file) == (("after",), None, "set/b")


def test_pairs_that_come_and_go_are_listed_with_their_instructions() -> None:
    diff = compare_pairs(contents(("a", "b", "paint it")), recorded(("c", "d", "draw it")))
    assert [(p.before, p.instruction) for p in diff.add] == [("a", "paint it")]
    assert [(p.before, p.instruction, p.before_file) for p in diff.remove] == [("c", "draw it", None)]


def test_one_before_picture_may_have_several_results() -> None:
    version = recorded(("a", "b", "paint it"), ("a", "c", "draw it"))
    assert not compare_pairs(contents(("a", "b", "paint it"), ("a", "c", "draw it")), version)
    assert len(compare_pairs(contents(("a", "b", "paint it")), version).remove) == 1


def test_the_drift_of_each_pair_has_its_names_and_both_instructions() -> None:
    version = recorded(("a", "b", "paint it"), ("c", "d", "draw it"))
    remote = shown(version, ("A", "B", "erase it"), ("A", "D", "mix it"))
    assert not holds_pairs(version, remote)
    found = [(d.path, d.recorded, d.observed) for d in pair_drift(ADDRESS, version, remote)]
    assert found == [("a -> b", "paint it", "erase it"), ("c -> d", "draw it", None), ("a -> d", None, "mix it")]


def test_pairs_that_the_service_does_not_show_are_no_drift() -> None:
    version = recorded(("a", "b", "paint it"))
    silent = replace(shown(version), pairs=None)
    assert holds_pairs(version, silent)
    assert pair_drift(ADDRESS, version, silent) == []


def test_an_instruction_in_the_services_own_form_is_no_drift() -> None:
    version = recorded(("a", "b", "paint  it "))
    remote = shown(version, ("A", "B", "paint it"))
    assert holds_pairs(version, remote)
    assert pairs_as_sent(version, remote).pairs == shown(version, ("A", "B", "paint  it ")).pairs


def test_instructions_that_a_service_shows_all_in_lower_case_are_no_drift() -> None:
    version = recorded(("a", "b", "Paint it in KAEL style"), ("c", "d", "Draw it in KAEL style"))
    remote = shown(version, ("A", "B", "paint it in kael style"), ("C", "D", "draw it in kael style"))
    assert holds_pairs(version, remote)
    one = shown(version, ("A", "B", "paint it in kael style"), ("C", "D", "draw something else"))
    assert not holds_pairs(version, one)
