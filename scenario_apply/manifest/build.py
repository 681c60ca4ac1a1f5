"""Builds a Manifest from parsed files, stage by stage.

1. the files become one document          documents.merged
2. variables get their values             variables.resolved
3. templates in text are rendered         templates.rendered
4. the shape is checked                   schema.check.check_shape
5. defaults, extends, matrix, references  datasets, models, compositions, blocks
Every stage reports its errors and continues; all of them are raised together at the end.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from functools import partial
from hashlib import sha256

from msgspec import Struct

from scenario_apply.manifest.blocks import imports, limits, moved, removed
from scenario_apply.manifest.compositions import Compositions
from scenario_apply.manifest.datasets import Datasets, with_repeats
from scenario_apply.manifest.documents import merged
from scenario_apply.manifest.expanded import expanded
from scenario_apply.manifest.expansion import Expansion
from scenario_apply.manifest.fields import child, flag, plain, service_id, text
from scenario_apply.manifest.model_lint import check_learning_rates
from scenario_apply.manifest.models import Models
from scenario_apply.manifest.positions import Map
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.sample_forms import unify_samples, with_default_samples
from scenario_apply.manifest.sample_specs import SampleSpecs
from scenario_apply.manifest.schema.check import check_matrix_fields, check_shape
from scenario_apply.manifest.secret_places import hide_written_secrets
from scenario_apply.manifest.shared_triggers import check_triggers
from scenario_apply.manifest.spec import CompositionSpec, Manifest, ModelSpec
from scenario_apply.manifest.templating.allowed_environment import AllowedEnvironment
from scenario_apply.manifest.templating.templates import Templates
from scenario_apply.manifest.variables import VariableInputs, resolved
from scenario_apply.model.secret import MASK


class ManifestSource(Struct, frozen=True, kw_only=True):
    """The files that were read. files: their names as the user would type them, in the order read.

    digests: (name relative to root, SHA-256 of the bytes) of each, which no working directory changes.
    """

    path: str
    root: str
    name: str
    is_folder: bool
    files: tuple[str, ...]
    digests: tuple[tuple[str, str], ...]


def build_manifest(
    documents: Sequence[Map],
    source: ManifestSource,
    *,
    given: VariableInputs,
    environment: AllowedEnvironment,
    schema: bytes,
    report: Report,
) -> Manifest:
    """The complete manifest. documents: one for each file; environment: variables read while loading them count too.

    Raises ManifestError with every error found.
    """
    document = merged(documents, report)
    hide_written_secrets(document, report)
    templates = Templates(environment, report)
    variables = resolved(document, given, templates, report)
    document = templates.rendered(document, variables)
    _allow_unknown_types(document)
    check_shape(document, schema, report)
    report.raise_errors_of_size()
    unify_samples(document)
    project = service_id(document, "project", report)
    defaults = child(document, "defaults") or Map(document.start)
    expansion = Expansion(report)
    datasets = Datasets(document, child(defaults, "datasets"), report, expansion)
    check_matrix = partial(check_matrix_fields, schema=schema, report=report)
    samples = SampleSpecs(templates, variables, report)
    models = Models(
        document, with_default_samples(defaults, "models"), datasets, samples, report, expansion, check_matrix
    )
    under = with_default_samples(defaults, "compositions")
    compositions = Compositions(document, under, models, samples, report, expansion)
    samples.check_prompts(defaults)
    _warn_of_same_names(models, compositions, report)
    check_triggers(models.specs, compositions.specs.values(), datasets.specs, report)
    check_learning_rates(models.specs, datasets.specs, report)
    blocks = moved(document, report), imports(document, report), removed(document, report)
    report.raise_errors()
    return Manifest(
        path=source.path,
        root=source.root,
        name=source.name,
        is_folder=source.is_folder,
        digest=_digest(source, given, environment, variables.secret),
        files=source.files,
        project=project,
        state=text(document, "state"),
        state_place=report.place(document.value_mark("state")) if "state" in document else None,
        variables=variables.plain(),
        datasets=with_repeats(datasets.specs, models.specs),
        models=models.specs,
        compositions=compositions.specs,
        limits=limits(document),
        moved=blocks[0],
        imports=blocks[1],
        removed=blocks[2],
        expanded=expanded(document, variables.plain(), datasets, models, compositions),
        problems=report.shown_problems(),
    )


def _allow_unknown_types(document: Map) -> None:
    """Copies allow_unknown_type of the manifest or of defaults.models into each model, where the schema expects it."""
    defaults = child(child(document, "defaults") or Map(document.start), "models")
    for holder in (defaults, document):
        if holder is not None and flag(holder, "allow_unknown_type", False):
            marks = holder.marks["allow_unknown_type"]
            for model in [defaults, *(child(document, "models") or {}).values()]:
                if isinstance(model, Map) and "allow_unknown_type" not in model:
                    model.put("allow_unknown_type", True, marks)


def _warn_of_same_names(models: Models, compositions: Compositions, report: Report) -> None:
    """After a lost response a model is found by name and type, so two equal ones could be confused."""
    seen: dict[tuple[str, str], ModelSpec | CompositionSpec] = {}
    named: list[ModelSpec | CompositionSpec] = [*models.specs.values(), *compositions.specs.values()]
    for spec in named:
        first = seen.setdefault((spec.name, spec.type), spec)
        if first is not spec:
            what = f"{spec.address} and {first.address} are both called {spec.name!r} and of type {spec.type}"
            report.warn("same-name", what, spec.place, "give one of them another `name:`")


def _digest(
    source: ManifestSource, given: VariableInputs, environment: AllowedEnvironment, secret: Collection[str]
) -> str:
    """Over names and bytes of the files, the variables given and the environment used, each only as a digest.

    Values of secrets are left out: with the files at hand, a short one could be guessed from the digest.
    """
    whole = sha256()

    def add(*parts: str) -> None:
        for part in parts:
            encoded = part.encode(errors="surrogateescape")
            whole.update(f"{len(encoded)}:".encode() + encoded)

    for name, digest in sorted(source.digests):
        add("file", name, digest)
    for name, value in sorted(given.command_line.items()):
        add("var", name, sha256(value.encode()).hexdigest())
    for file in given.files:
        values = {name: MASK if name in secret else plain(value) for name, value in file.items()}
        add("var-file", json.dumps(values, sort_keys=True))
    for name, value in environment.digested():
        add("env", name, sha256(value.encode(errors="surrogateescape")).hexdigest())  # bytes, whatever they are
    return f"sha256:{whole.hexdigest()}"
