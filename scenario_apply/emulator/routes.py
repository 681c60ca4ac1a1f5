"""Every path the server answers, in one place, beside the contract's own names."""

from __future__ import annotations

from scenario_apply.emulator import (
    account,
    admin,
    assets,
    captioning,
    generation,
    jobs,
    model_extras,
    model_list,
    model_sharing,
    models,
    page,
    parts,
    score,
    side,
    training,
    training_images,
    uploads,
    webhooks,
)
from scenario_apply.emulator.access import Access
from scenario_apply.emulator.router import Router


def api_router() -> Router:
    """The operations under /v1."""
    router = Router()
    for method, pattern, handler in (
        ("GET", "/models", model_list.list_models),
        ("POST", "/models", models.create),
        ("POST", "/models/get-bulk", models.get_bulk),
        ("GET", "/models/*", models.retrieve),
        ("PUT", "/models/*", models.update),
        ("DELETE", "/models/*", model_extras.delete_model),
        ("POST", "/models/*/restore", models.restore),
        ("POST", "/models/*/copy", model_extras.copy),
        ("PUT", "/models/*/tags", model_extras.update_model_tags),
        ("GET", "/models/*/description", model_extras.get_description),
        ("PUT", "/models/*/description", model_extras.put_description),
        ("POST", "/models/*/download", model_extras.download),
        ("DELETE", "/models/*/images", model_extras.delete_images),
        ("PUT", "/models/*/examples", model_sharing.update_examples),
        ("POST", "/models/*/transfer", model_sharing.transfer),
        ("GET", "/models/*/scores/prompt", model_sharing.score_prompt),
        ("GET", "/models/*/scores/training-dataset", score.training_dataset),
        ("GET", "/models/*/training-images", training_images.refuse_list),
        ("POST", "/models/*/training-images", training_images.add),
        ("PUT", "/models/*/training-images/pairs", training_images.replace_pairs),
        ("PUT", "/models/*/training-images/*", training_images.replace),
        ("DELETE", "/models/*/training-images/*", training_images.delete),
        ("PUT", "/models/*/train", training.train),
        ("POST", "/models/*/train/action", training.act),
        ("GET", "/jobs", jobs.list_jobs),
        ("GET", "/jobs/*", jobs.retrieve),
        ("POST", "/jobs/*/action", jobs.act),
        ("POST", "/generate/caption", captioning.caption),
        ("POST", "/generate/custom/*", generation.run_model),
        ("GET", "/usages", account.usages),
        ("GET", "/assets/download/*", jobs.download_status),
        ("POST", "/assets", assets.upload),
        ("GET", "/assets", assets.list_assets),
        ("DELETE", "/assets", assets.delete),
        ("POST", "/assets/get-bulk", assets.get_bulk),
        ("POST", "/assets/restore", assets.restore),
        ("GET", "/assets/*", assets.retrieve),
        ("PUT", "/assets/*", assets.update),
        ("POST", "/assets/*/copy", assets.copy),
        ("PUT", "/assets/*/tags", model_extras.update_asset_tags),
        ("POST", "/uploads", uploads.create),
        ("GET", "/uploads/*", uploads.retrieve),
        ("POST", "/uploads/*/action", uploads.act),
        ("GET", "/teams/*/limits", account.team_limits),
        ("GET", "/projects", account.list_projects),
        ("GET", "/projects/*", account.get_project),
        ("GET", "/projects/*/webhook-endpoints", webhooks.list_endpoints),
        ("POST", "/projects/*/webhook-endpoints", webhooks.create_endpoint),
        ("PUT", "/projects/*/webhook-endpoints/*", webhooks.update_endpoint),
        ("DELETE", "/projects/*/webhook-endpoints/*", webhooks.delete_endpoint),
        ("GET", "/projects/*/webhook-endpoints/*/events", webhooks.list_events),
        ("GET", "/projects/*/webhook-endpoints/*/events/*", webhooks.get_event),
    ):
        router.add(method, pattern, handler, Access.CREDENTIALS)
    return router


def side_router() -> Router:
    """What is served beside the API."""
    router = Router()
    router.add("PUT", "/parts/*/*", parts.put, Access.SIGNATURE)
    router.add("GET", "/cdn/assets/*", side.asset_bytes, Access.SIGNATURE)
    router.add("GET", "/cdn/exports/*", side.export_bytes, Access.SIGNATURE)
    admin.add_routes(router)
    page.add_routes(router)
    return router
