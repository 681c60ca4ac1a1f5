"""compare: show the sample pictures of versions, epochs or the children of a sweep side by side. Writes no state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from scenario_apply.apply.environment import Environment
    from scenario_apply.cli.compared_words import NamedWeights
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.state_location import StateLocation
    from scenario_apply.manifest.spec import Manifest
    from scenario_apply.model.remote import ModelId, RemoteModel
    from scenario_apply.review.comparison_view import Comparison, SampleSources
    from scenario_apply.review.drawing_weights import Weights
    from scenario_apply.state.state import State

EXAMPLES = """
  scenario-apply compare model.kael manifests/quickstart --local
  scenario-apply compare model.kael @previous manifests/quickstart --local --format html --out kael.html
  scenario-apply compare model.kael manifests/quickstart --local --format markdown
  scenario-apply compare model.kael@1 model.kael@2 manifests/quickstart --local --format json
  scenario-apply compare 'model.kael*' manifests/quickstart --local --no-refresh
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="+",
        metavar="ADDRESS",
        help="such as model.kael, which shows all its versions; model.kael@2, a version; model.kael#8, an epoch; "
        "model.kael-lr/*, the children of a sweep; @previous, the version before. A word that is no address is the "
        "MANIFEST",
    )
    options.manifest(parser, positional=False)
    options.reading(parser)
    parser.add_argument(
        "--epochs",
        action="store_true",
        help="a column for each epoch, with the pictures drawn while training, too",
    )
    parser.add_argument("--no-refresh", action="store_true", help="send no requests; needs no credentials")
    options.formats(parser, "text", "html", "markdown", "json")
    options.comments(parser)
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="the file of the page of --format html (default: stdout, unless that is a terminal)",
    )
    options.service(parser)
    options.state(parser)


def run(call: Invocation) -> int:
    """A table on stdout, or a page with the pictures."""
    from scenario_apply.cli.compared_words import chosen_weights, refuse_unknown_epochs, split_words
    from scenario_apply.cli.manifest_if_readable import place_and_manifest
    from scenario_apply.cli.plan_comment import refuse_comment_options
    from scenario_apply.cli.wiring import open_world
    from scenario_apply.review.epoch_samples import with_epochs

    named, given = split_words(call.arguments.words, call.settings.manifest, call.settings.cwd)
    call = replace(call, settings=replace(call.settings, manifest=given))
    _refuse_contradictions(call)
    refuse_comment_options(call.arguments, call.settings)
    place, manifest = place_and_manifest(call.settings, call.tell)
    offline = call.arguments.no_refresh or (not call.settings.local and call.settings.credentials is None)
    epochs = call.arguments.epochs or any(word.epoch is not None for word in named)
    needs_service = epochs or call.arguments.format == "html"
    asked_not_to = call.arguments.no_refresh
    if offline and (epochs or (needs_service and not asked_not_to)):
        what = "epochs are those that drew samples" if epochs else "pictures that are not here are only named"
        call.tell(f"Scenario was not asked ({'--no-refresh' if asked_not_to else 'there are no credentials'}): {what}")
    with open_world(place, call.settings, offline=offline or not needs_service, read_only=True) as world:
        state = world.store.load().state
        remote = _epochs(call, world, named, state) if epochs else {}
        state = with_epochs(state, remote)
        chosen = chosen_weights(named, state, epochs=call.arguments.epochs)
        refuse_unknown_epochs(chosen, state, remote)
        view = _compared(call, state, manifest, chosen)
        if call.arguments.format == "html":
            return _write_page(call, view, place, world, manifest)
    _show(call, view, place)
    return 0


def _epochs(
    call: Invocation, world: Environment, named: Sequence[NamedWeights], state: State
) -> Mapping[ModelId, RemoteModel]:
    """The epochs of the models that were named; none, and why, where Scenario cannot be asked."""
    from scenario_apply.cli.compared_words import epochs_of
    from scenario_apply.errors import ApiError

    try:
        return epochs_of(world, named, state)
    except ApiError as error:
        call.tell(f"Scenario could not be asked: {error}; epochs are those that drew samples")
        return {}


def _refuse_contradictions(call: Invocation) -> None:
    from scenario_apply.errors import UsageError

    if call.arguments.format != "html":
        if call.arguments.out is not None:
            raise UsageError("--out is an option of --format html")
    elif call.arguments.out is None and call.out.terminal:
        raise UsageError("the comparison is a page of HTML: name a file for it", hint="--out compare.html")


def _compared(call: Invocation, state: State, manifest: Manifest | None, chosen: Sequence[Weights]) -> Comparison:
    from scenario_apply.cli.comparing import title_of_weights
    from scenario_apply.review.comparison import compared

    return compared(title_of_weights(chosen), chosen, _known(call, state, manifest, chosen))


def _known(call: Invocation, state: State, manifest: Manifest | None, chosen: Sequence[Weights]) -> SampleSources:
    """With hashes of the pictures that these models declare, as far as an earlier scan decoded them."""
    from msgspec.structs import replace as with_fields

    from scenario_apply.cli.comparing import sources_of
    from scenario_apply.cli.wiring import open_datasets

    if manifest is None:
        return sources_of(state, None, ())
    models = {a: manifest.models[a] for a in {one.address for one in chosen} if a in manifest.models}
    wanted = {model.dataset: manifest.datasets[model.dataset] for model in models.values()}
    datasets = open_datasets(with_fields(manifest, datasets=wanted, models=models), call.settings)
    return sources_of(state, manifest, datasets.values())


def _show(call: Invocation, view: Comparison, place: StateLocation) -> None:
    from scenario_apply.cli.invocation import masked

    if call.arguments.format == "json":
        from scenario_apply.review.comparison_json import comparison_json

        text = comparison_json(view)
    elif call.arguments.format == "markdown":
        text = _comment(call, view, place)
    else:
        from scenario_apply.review.comparison_text import comparison_text

        text = comparison_text(view, call.out_now)
    call.show(masked(text, _secrets(call, place)))


def _comment(call: Invocation, view: Comparison, place: StateLocation) -> str:
    from scenario_apply.cli.command_lines import comparing
    from scenario_apply.cli.plan_comment import comment_options, sample_links
    from scenario_apply.review.markdown.comparison_markdown import comparison_markdown

    options = comment_options(call.arguments, call.settings, place.root, f"samples/{view.title}")
    links = sample_links(call.arguments, call.settings, place.root, options.links, [view])
    command = comparing(vars(call.arguments), call.settings, "samples.html")
    return comparison_markdown(view, options, links, command)


def _secrets(call: Invocation, place: StateLocation) -> tuple[str, ...]:
    return (*call.settings.secrets, *(secret.reveal() for secret in place.secrets))


def _write_page(
    call: Invocation, view: Comparison, place: StateLocation, world: Environment, manifest: Manifest | None
) -> int:
    from scenario_apply.cli.compared_pictures import compared_album, pictures_of
    from scenario_apply.cli.invocation import masked
    from scenario_apply.cli.page_file import PageFile
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.model.timestamps import iso
    from scenario_apply.review.html.comparison_section import comparison_section
    from scenario_apply.review.html.page import page_text
    from scenario_apply.version import VERSION

    out = call.arguments.out
    target = None if out in (None, "-") else PageFile(out, call.settings.cwd, option="--out", may_stream=True)
    if target is not None:
        target.begin(None if manifest is None else PlanRequest(manifest=manifest, datasets={}, place=place))
    asked = world if world.api is not None else None
    album = compared_album(pictures_of([view]), place.root, asked, call.settings)
    section = comparison_section([view], album)
    made = f"Made {iso(world.clock.now())} by scenario-apply {VERSION}."
    text = masked(page_text(f"Samples of {view.title}", [section], made=made), _secrets(call, place))
    if target is None:
        call.show_page(text)
    else:
        target.write(text)
        call.tell(f"The comparison is in {out}.")
    return 0
