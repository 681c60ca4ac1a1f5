"""Is a version what the manifest asks for? By fingerprint where that answers, thing by thing where it does not."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.dataset.digest import digest_of
from scenario_apply.dataset.types import Contents
from scenario_apply.manifest.spec import CompositionSpec
from scenario_apply.model.picture_options import only_defaults
from scenario_apply.model.remote import ModelId
from scenario_apply.model.training_types import SECRET_PARAMETERS
from scenario_apply.planning.attributes import Spec, declared_parameters
from scenario_apply.planning.changes import CaptionDiff, ImageDiff
from scenario_apply.planning.composition_parts import are_known, part_reasons
from scenario_apply.planning.content_diff import ContentDiff, compare_contents, content_reasons, parameter_reasons
from scenario_apply.planning.desired import Desired
from scenario_apply.planning.ignore_changes import are_images_ignored, compared, compared_parameters, contents_to_send
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.own_captions import own_captions, without_own_captions, without_unsent_captions
from scenario_apply.planning.reasons import Reason, TypeChanged
from scenario_apply.state.fingerprint import fingerprint
from scenario_apply.state.state import ConceptRecord, Record, Version


def as_declared(spec: Spec, parts: tuple[ConceptRecord, ...]) -> tuple[ConceptRecord, ...]:
    """Parts as the manifest names them: a declared one by its address, whichever version it is at."""
    if not isinstance(spec, CompositionSpec) or len(parts) != len(spec.concepts):
        return parts
    return tuple(
        part if declared.model is None else replace(part, model_id=ModelId(str(declared.model)), trained_from=None)
        for declared, part in zip(spec.concepts, parts, strict=True)
    )


NO_DIFFERENCE = ContentDiff(images=ImageDiff(), captions=CaptionDiff())


class UpToDate(Struct, frozen=True):
    """What is declared, compared with versions of it."""

    desired: Desired
    observed: Observed = Observed()

    def contents_for(self, spec: Spec, version: Version, *, as_files: bool = False) -> Contents:
        """The images and pairs a version is to hold; without captions that are the service's own, written down.

        as_files: as if no picture were altered.
        """
        contents = contents_to_send(spec, self._contents(spec, as_files), version)
        return without_own_captions(contents, version, self.observed.models.get(version.id))

    def _contents(self, spec: Spec, as_files: bool) -> Contents:
        contents = self.desired.contents_of(spec)
        return replace(contents, images=tuple(replace(i, recipe="") for i in contents.images)) if as_files else contents

    def is_what_is_wanted(self, spec: Spec, version: Version, parts: tuple[ConceptRecord, ...]) -> bool:
        """Whether a version was trained on what the manifest asks for now."""
        if version.fingerprint is None or not are_known(parts):
            return False
        if self.fingerprint_of(spec, version, parts) == version.fingerprint:
            return True
        forms = self._forms(spec, version)
        if any(self.fingerprint_of(spec, version, parts, as_files=form) == version.fingerprint for form in forms):
            return True
        if any(self._differs_in_copies(spec, version, as_files=form) for form in forms):
            return True
        if any(self._differs_in_own_captions(spec, version, parts, as_files=form) for form in forms):
            return True
        # what is ignored is in the fingerprint: then the rest is compared by itself
        is_blurred = bool(spec.lifecycle.ignore_changes) or _held_a_secret(spec, version)
        return is_blurred and not all(self.differences(spec, version, parts, as_files=form)[0] for form in forms)

    def may_be_of_own_captions(self, spec: Spec, version: Version) -> bool:
        """Whether a version is what is wanted if the captions it was sent without are those that the service wrote.

        Its images have to be read to know it.
        """
        if isinstance(spec, CompositionSpec) or version.fingerprint is None or version.id in self.observed.models:
            return False
        return any(
            self._is_of(without_unsent_captions(self._contents(spec, form), version), spec, version)
            for form in self._forms(spec, version)
        )

    def _differs_in_copies(self, spec: Spec, version: Version, *, as_files: bool) -> bool:
        """Whether all that differs are copies of images, under other names: one with the same caption is one asset."""
        if isinstance(spec, CompositionSpec):
            return False
        contents = self._contents(spec, as_files)
        unique = {(image.content, image.caption): image for image in contents.images}
        if contents.pairs or len(unique) == len(contents.images):
            return False
        return self._is_of(replace(contents, images=tuple(unique.values())), spec, version)

    def _is_of(self, contents: Contents, spec: Spec, version: Version) -> bool:
        parameters, like = declared_parameters(spec), version.fingerprint
        made = fingerprint(type=spec.type, parameters=parameters, dataset=digest_of(contents), concepts=(), like=like)
        return made == version.fingerprint

    def is_held_against(self, spec: Spec, record: Record, parts: tuple[ConceptRecord, ...]) -> bool:
        """Whether the manifest asks for what it asked for when a rollback pinned the resource."""
        held, version = record.held, record.current
        forms = self._forms(spec, version)
        return any(
            self.fingerprint_of(spec, version, one, like=held, as_files=form) == held
            for form in forms
            for one in dict.fromkeys((as_declared(spec, parts), parts))  # pins of earlier releases name the parts' ids
        )

    def _forms(self, spec: Spec, version: Version) -> tuple[bool, ...]:
        """The values of as_files under which a version counts as up to date."""
        return (False, True) if self._may_be_of_files(spec, version) else (False,)

    def _may_be_of_files(self, spec: Spec, version: Version) -> bool:
        """Whether the version may be of a release that sent every picture as it was, and only that would change.

        What is done to pictures without being asked for is no reason to train again.
        """
        dataset = self.desired.dataset_of(spec)
        if dataset is None or not dataset.altered or version.picture_options or are_images_ignored(spec):
            return False
        if any(image.recipe for image in version.images):
            return False
        return all(only_defaults(image.recipe) for image in dataset.contents.images if image.recipe)

    def _differs_in_own_captions(
        self, spec: Spec, version: Version, parts: tuple[ConceptRecord, ...], *, as_files: bool
    ) -> bool:
        """Whether all that differs are captions that say what the service's own say."""
        if isinstance(spec, CompositionSpec) or not own_captions(version, self.observed.models.get(version.id)):
            return False
        return self.fingerprint_of(spec, version, parts, as_sent=True, as_files=as_files) == version.fingerprint

    def fingerprint_of(
        self,
        spec: Spec,
        version: Version,
        parts: tuple[ConceptRecord, ...],
        like: str | None = None,
        *,
        as_sent: bool = False,
        as_files: bool = False,
    ) -> str | None:
        """The desired fingerprint in the record's own algorithm; None when a part's id is not known yet.

        as_sent: of what would be sent for that version, which may be less than the dataset says. as_files: as if no
        picture were altered.
        """
        if not are_known(parts):
            return None
        dataset = None if are_images_ignored(spec) else self.desired.dataset_of(spec)
        digest = None if dataset is None else dataset.source_digest if as_files else dataset.digest
        if digest is not None and as_sent:
            digest = digest_of(self.contents_for(spec, version, as_files=as_files))
        elif digest is not None and "captions" in spec.lifecycle.ignore_changes:
            digest = digest_of(contents_to_send(spec, self._contents(spec, as_files), version))
        return fingerprint(
            type=spec.type,
            parameters=declared_parameters(spec),
            dataset=digest,
            concepts=parts,
            like=like or version.fingerprint,
        )

    def parameters_changed(self, spec: Spec, version: Version) -> list[Reason]:
        """One reason for each training parameter that differs."""
        return parameter_reasons(
            compared_parameters(spec, declared_parameters(spec)),
            compared_parameters(spec, version.parameters),
            as_shown=version.fingerprint is None,
        )

    def differences(
        self, spec: Spec, version: Version, parts: tuple[ConceptRecord, ...], *, as_files: bool = False
    ) -> tuple[list[Reason], ContentDiff]:
        """How a version differs from what is declared, thing by thing. as_files: as if no picture were altered."""
        reasons: list[Reason] = [] if version.type == spec.type else [TypeChanged(version.type, spec.type)]
        if isinstance(spec, CompositionSpec):
            return reasons + part_reasons(version, parts), NO_DIFFERENCE
        content = compared(spec, compare_contents(self.contents_for(spec, version, as_files=as_files), version))
        return reasons + self.parameters_changed(spec, version) + content_reasons(content), content


def _held_a_secret(spec: Spec, version: Version) -> bool:
    """Whether the fingerprint is of version 1, and of a secret, too: a new key is no other training."""
    is_first = version.fingerprint is not None and version.fingerprint.startswith("1:")
    return is_first and not SECRET_PARAMETERS.isdisjoint({*declared_parameters(spec), *version.parameters})
