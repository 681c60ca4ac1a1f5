"""Requests for pictures from a trained model, its epochs, its weights and its card: GenerationApi over HTTP.

Source: the API contract, section 20, "Pictures from a trained model".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scenario_apply.api import loose, wire
from scenario_apply.api.answers import Answer
from scenario_apply.api.envelopes import read_as, unwrapped
from scenario_apply.api.exchange import Safety
from scenario_apply.api.job_answers import job_of, job_page_of
from scenario_apply.api.picture_requests import ORIGINALS, addressed_assets_of, signed_address
from scenario_apply.api.request_bodies import json_body
from scenario_apply.api.scoped_requests import (
    DRY_RUN,
    DRY_RUN_STATUS,
    Query,
    ScopedRequests,
    job_path,
    model_path,
    page_token,
)
from scenario_apply.api.urls import segment
from scenario_apply.errors import BadAnswer, NotFound
from scenario_apply.model.ports import Sending
from scenario_apply.model.remote import (
    BaseInputs,
    JobId,
    JobPage,
    Launch,
    ModelId,
    WeightsDownload,
)
from scenario_apply.model.samples import LARGEST_SCALE, MOST_PICTURES, Generation, GenerationPrice
from scenario_apply.model.secret import Secret

JOBS_PER_PAGE = 100
MOST_TYPES = 200
"""Of models that one input of a base takes."""


class GenerationRequests(ScopedRequests):
    """The part of the client that samples, epochs, weights and cards need."""

    # -- reads

    def get_base(self, base: ModelId) -> BaseInputs:
        """What a base model takes. Raises NotFound when it is unknown."""
        return self.read(model_path(base), f"read base model {base}", lambda answer: base_inputs_of(base, answer))

    def list_jobs(self, *, types: Sequence[str] = ("custom",), token: str | None = None) -> JobPage:
        """The project's jobs, newest first, 100 a page; one that is not the last may be empty. types (): of every type.

        The service filters by some types only, and not by model-download. Source: the API contract, JobTypeFilter.
        """
        of_types: Query = (("types", ",".join(types)),) if types else ()
        query: Query = (*of_types, ("pageSize", str(JOBS_PER_PAGE)), *page_token(token))
        return self.read("/jobs", "list the project's jobs", job_page_of, query=query)

    def quote_generation(self, base: ModelId, generation: Generation) -> GenerationPrice:
        """What a generation would cost, in CU, by a dry run. Raises BadAnswer for any answer but a 269 with a price."""
        request = self._request(
            "POST",
            _generate_path(base),
            Safety.READ,
            f"price a sample on {base}",
            query=DRY_RUN,
            body=json_body(generation_to_json(generation)),
            expect=DRY_RUN_STATUS,
        )
        return self._sender.call(request, generation_price_of)

    def quote_weights(self, model_id: ModelId, epoch: str | None = None) -> float:
        """What an export of weights would cost, in CU, by a dry run. Raises BadAnswer as quote_generation."""
        request = self._request(
            "POST",
            f"{model_path(model_id)}/download",
            Safety.READ,
            f"price the export of model {model_id}",
            query=DRY_RUN,
            body=json_body(_export_to_json(epoch)),
            expect=DRY_RUN_STATUS,
        )
        return self._sender.call(request, wire.quote_of)

    def get_weights(self, job_id: JobId) -> WeightsDownload:
        """How an export of weights is doing: by `GET /assets/download/{jobId}`, else by its job and what that made."""
        path = f"/assets/download/{segment('a job', job_id)}"
        try:
            told = self.read(path, f"read export {job_id}", lambda answer: download_of(job_id, answer))
        except NotFound:
            told = None
        if told is not None and (told.address is not None or told.status != "success"):
            return told
        return self._weights_by_job(job_id)

    def _weights_by_job(self, job_id: JobId) -> WeightsDownload:
        job, address = self.read(
            job_path(job_id), f"read job {job_id}", lambda answer: (job_of(answer), _output(answer))
        )
        if address is None and job.status == "success" and job.asset_ids:
            body = json_body({"assetIds": list(job.asset_ids)})
            found = self.read(
                "/assets/get-bulk", f"read what job {job_id} made", addressed_assets_of, query=ORIGINALS, body=body
            )
            address = next((asset.address for asset in found if asset.id in job.asset_ids and asset.address), None)
        return WeightsDownload(job_id=job_id, status=job.status, address=address)

    def get_card(self, model_id: ModelId) -> str | None:
        """The Markdown description of a model; None where it has none."""
        return self.read(f"{model_path(model_id)}/description", f"read the card of model {model_id}", card_of)

    # -- writes that may be repeated

    def set_card(self, model_id: ModelId, text: str, *, sending: Sending | None = None) -> None:
        """Replace the Markdown description of a model."""
        path, body = f"{model_path(model_id)}/description", json_body({"description": text})
        self._write("PUT", path, f"set the card of model {model_id}", body, sending, wire.ignored)

    # -- writes that must happen once

    def generate(self, base: ModelId, generation: Generation, *, sending: Sending | None = None) -> Launch:
        """Launch the drawing of pictures, which is charged."""
        body = json_body(generation_to_json(generation))
        request = self._request("POST", _generate_path(base), Safety.ONCE, f"draw a sample on {base}", body=body)
        return self._sender.call(request, wire.launch_of, sending)

    def export_weights(self, model_id: ModelId, epoch: str | None = None, *, sending: Sending | None = None) -> JobId:
        """Start the export of a model's weights; its job."""
        body = json_body(_export_to_json(epoch))
        doing = f"export the weights of model {model_id}"
        request = self._request("POST", f"{model_path(model_id)}/download", Safety.ONCE, doing, body=body)
        return self._sender.call(request, lambda answer: wire.launch_of(answer).job_id, sending)


def _export_to_json(epoch: str | None) -> dict[str, object]:
    return {} if epoch is None else {"modelEpoch": epoch}


def generation_to_json(generation: Generation) -> dict[str, object]:
    """The body of a generation; what is None is left out.

    Raises ValueError for what the service takes without a word: a LoRA without a scale or with one outside of 0 to 2,
    and a LoRA beside a composition. So no body has another number of scales than of LoRAs.
    """
    settings = generation.settings
    if generation.lora is not None and generation.composition is not None:
        raise ValueError("a sample is drawn with a LoRA or with a composition, not with both")
    if not 1 <= settings.count <= MOST_PICTURES:
        raise ValueError(f"a sample is 1 to {MOST_PICTURES} pictures, not {settings.count}")
    parts: dict[str, object] = {"prompt": generation.prompt}
    if generation.lora is not None:
        if settings.scale is None or not 0 <= settings.scale <= LARGEST_SCALE:
            raise ValueError(f"the scale of a LoRA is 0 to {LARGEST_SCALE:g}, not {settings.scale}")
        parts |= {"loras": [generation.lora], "lorasScale": [settings.scale]}
    given = {
        "modelId": generation.composition,
        "seed": generation.seed,
        "width": settings.width,
        "height": settings.height,
        "numOutputs": settings.count,
        "guidance": settings.guidance,
        "numInferenceSteps": settings.steps,
        "referenceImages": list(generation.references) or None,
    }
    return parts | {name: value for name, value in given.items() if value is not None}


class GenerationPriceAnswer(Answer, frozen=True, kw_only=True):
    job: object = None
    creative_units_cost: object = None
    cost_details: object = None


class DownloadAnswer(Answer, frozen=True, kw_only=True):
    """The address of an export, once its job has succeeded."""

    job_status: str | None = None
    download_url: object = None


class BaseAnswer(Answer, frozen=True, kw_only=True):
    inputs: object = None


def generation_price_of(value: object) -> GenerationPrice:
    """What a dry run says a generation costs."""
    answer = read_as(value, GenerationPriceAnswer)
    if answer.job is not None:
        raise BadAnswer("A PRICE WAS ASKED AND A SAMPLE MAY BE DRAWN: the answer names a job; look at the project")
    cost = loose.price(answer.creative_units_cost)
    if cost is None:
        raise BadAnswer("the service's answer has no creativeUnitsCost")
    return GenerationPrice(cu=cost, details=loose.cost_details(answer.cost_details) or {})


def download_of(job_id: JobId, value: object) -> WeightsDownload:
    """The answer to GET /assets/download/{jobId}."""
    answer = read_as(value, DownloadAnswer)
    if answer.job_status is None:
        raise BadAnswer("the service's answer has no jobStatus")
    return WeightsDownload(
        job_id=job_id, status=wire.status_of(answer.job_status), address=signed_address(answer.download_url)
    )


def card_of(value: object) -> str | None:
    """{"description": {"value": "..."}}, or the text itself."""
    inner = value.get("description") if isinstance(value, dict) else None
    text = inner.get("value") if isinstance(inner, dict) else inner
    return text if isinstance(text, str) and text else None


def base_inputs_of(base: ModelId, value: object) -> BaseInputs:
    """What the `inputs` of a base model say; an input in another form is none."""
    inputs = unwrapped(value, "model", BaseAnswer).inputs
    named = {one["name"]: one for one in inputs if _is_input(one)} if isinstance(inputs, list) else {}
    loras = named.get("loras", {})
    most = loose.count(loras.get("maxLength"))
    return BaseInputs(
        id=base,
        loras=_types(loras),
        compositions=_types(named.get("modelId", {})),
        most_loras=most or None,
        needs_reference=_is_required(named.get("referenceImages", {})),
    )


def _is_input(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str)


def _types(told: Mapping[str, object]) -> tuple[str, ...]:
    types = told.get("modelTypes")
    return tuple(one for one in types[:MOST_TYPES] if isinstance(one, str)) if isinstance(types, list) else ()


def _is_required(told: Mapping[str, object]) -> bool:
    """`required: true`, or `required: {"always": true}` as the service writes it."""
    required = told.get("required")
    return required.get("always") is True if isinstance(required, dict) else required is True


def _output(value: object) -> Secret | None:
    """Where a job says that its file is: an address in `metadata` or in its `output`."""
    job = value.get("job", value) if isinstance(value, dict) else None
    metadata = job.get("metadata") if isinstance(job, dict) else None
    places = [metadata, metadata.get("output") if isinstance(metadata, dict) else None]
    keys = ("downloadUrl", "url")
    found = (signed_address(place.get(key)) for place in places if isinstance(place, dict) for key in keys)
    return next((address for address in found if address is not None), None)


def _generate_path(base: ModelId) -> str:
    return f"/generate/custom/{segment('a base model', base)}"
