"""samples copy: small copies of recorded samples in a folder that is to be published. Writes no state."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from scenario_apply.cli.named_files import untrusted_top
from scenario_apply.cli.sample_showing import download, recorded_pictures
from scenario_apply.cli.wiring import open_world, place_of, require_service
from scenario_apply.errors import ScenarioApplyError, UsageError
from scenario_apply.review.screen import counted
from scenario_apply.state.stores.own_files import hint_of, own_folder
from scenario_apply.state.stores.sample_store import SampleStore

if TYPE_CHECKING:
    from scenario_apply.cli.invocation import Invocation

_COPY = ("small copy", "small copies")


def copy(call: Invocation) -> int:
    """The folder has the copies of all recorded samples that can be had, and no other copies. 0, also if some lack."""
    asked = call.arguments
    if not asked.folder:
        raise UsageError("DIR is empty")
    if asked.download:
        require_service(call.settings)
    place = place_of(call.settings)
    path = os.path.abspath(os.path.join(call.settings.cwd, asked.folder))
    target = SampleStore(place.root, own_folder(path, within=untrusted_top(path, call.settings.cwd, place.root)))
    with open_world(place, call.settings, offline=not asked.download, read_only=True) as world:
        wanted = {one.thumbnail: one for one in recorded_pictures(world.store.load().state) if one.thumbnail}
        try:
            lacking = [one for digest, one in wanted.items() if not target.has(digest)]
            if asked.download:
                download(call, world, place.root, lacking)
            kept = SampleStore(place.root)
            found = [data for one in lacking if one.thumbnail and (data := kept.read(one.thumbnail)) is not None]
            for data in found:
                target.keep(data)
            target.delete(unused := [digest for digest in target.sizes() if digest not in wanted])
        except OSError as error:
            what = f"small copies cannot be put into {asked.folder}: {error.strerror or error}"
            raise ScenarioApplyError(what, code="unsafe-file", hint=hint_of(error)) from error
    there, added = len(wanted) - len(lacking) + len(found), counted(len(found), *_COPY)
    call.tell(f"{asked.folder}: {added} added, {len(unused)} deleted, {there} of {len(wanted)} there.")
    return 0
