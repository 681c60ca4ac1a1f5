"""Placeholders of the SDK's tests made into what they stand for, between the SDK and the emulator.

The SDK's own tests are generated: they send "paginationToken" as a token, "image" as a picture, `dryRun` where the body
of a launch is expected. Each rule below says what it replaces and why; all else goes out exactly as the SDK made it,
and every answer is parsed by the SDK in the test's own mode.
"""

from __future__ import annotations

import json
import re
from typing import Any

import httpx

from scenario_apply.emulator.listing import encode_token

from .pictures import bare, data_url

REPLACED: dict[str, str] = {
    "paginationToken": "a token has to be one that was handed out",
    "createdAfter, createdBefore, updatedAfter, updatedBefore": "have to be dates",
    "dryRun": "left out, because the tests expect what a launch answers",
    "image, data, assetId with assetIds": "a picture, and one form of it",
    "url": "has to be absolute",
    "add and delete of the same tag, strict": "one tag is added, another deleted",
    "concepts of a model of type custom": "a composition has them",
    "epoch, thumbnail, pairs": "have to exist",
    "modelId of a generation, and its body": "a base model, and its inputs",
    "prompt of a score": "is required, as the SDK says itself",
    "destinationTeamId": "is the team that there is",
    "an upload of nothing, or of every form at once": "a multipart upload of ten bytes",
}

_DATES = ("createdAfter", "createdBefore", "updatedAfter", "updatedBefore")
_LAUNCHES = re.compile(r"/v1/(uploads|generate/.*|models/[^/]+/(train|download))$")
_GENERATION = "/v1/generate/custom/modelId"


def fixed(request: httpx.Request) -> httpx.Request:
    """The request as it is meant."""
    path = request.url.path
    query = {key: _query(path, key, value) for key, value in request.url.params.items() if not _left_out(path, key)}
    content = request.content
    if request.method in ("POST", "PUT") and content:
        content = json.dumps(_body(request.method, path, json.loads(content))).encode()
    headers = {key: value for key, value in request.headers.items() if key != "content-length"}
    if path.endswith("/scores/prompt"):
        query = {"prompt": "a fox", **query}
    if path == _GENERATION:
        path = "/v1/generate/custom/model_bfl-flux-1-dev"
    url = request.url.copy_with(path=path, params=query)
    return httpx.Request(request.method, url, headers=headers, content=content, extensions=request.extensions)


class Fixing(httpx.HTTPTransport):
    """A transport that sends what is meant."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One request."""
        request.read()
        return super().handle_request(fixed(request))


class AsyncFixing(httpx.AsyncHTTPTransport):
    """The same for the asynchronous client."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request."""
        await request.aread()
        return await super().handle_async_request(fixed(request))


def _left_out(path: str, key: str) -> bool:
    return key == "dryRun" and _LAUNCHES.search(path) is not None


def _query(path: str, key: str, value: str) -> str:
    if key in _DATES:
        return "2025-12-31T00:00:00Z" if key.endswith("After") else "2027-01-01T00:00:00Z"
    if key == "paginationToken":
        return encode_token([1 << 50] * (2 if path in ("/v1/models", "/v1/assets") else 1))
    return value


def _body(method: str, path: str, body: Any) -> Any:
    if path == "/v1/assets":
        return {**body, "image": bare(1)}
    if path == "/v1/uploads":
        kept = {key: body[key] for key in ("assetOptions",) if key in body}
        return kept | {
            "fileName": "a.glb",
            "contentType": "model/gltf-binary",
            "kind": "3d",
            "parts": 1,
            "fileSize": 10,
        }
    if path.endswith("/training-images/pairs"):
        return [one | {key: "trainingImageId" for key in ("sourceId", "targetId") if key in one} for one in body]
    if "/training-images" in path:
        return {"data": data_url(9), "name": "9.png"} | {key: body[key] for key in ("preset",) if key in body}
    if path.endswith("/tags") and set(body.get("add", [])) & set(body.get("delete", [])):
        return body | {"delete": ["official"]}
    if "webhook-endpoints" in path and "url" in body:
        return body | {"url": "http://127.0.0.1:9/hook"}
    if path == _GENERATION:
        return {"prompt": "a fox"}
    if "destinationTeamId" in body:
        return body | {"destinationTeamId": "teamId"}
    if "concepts" in body:
        return _composition(method, body)
    return body


def _composition(method: str, body: dict[str, Any]) -> dict[str, Any]:
    concepts = [{"modelId": "loraId", "scale": one["scale"]} for one in body["concepts"]]
    body = body | {"type": "flux.1-composition", "concepts": concepts}
    if method == "PUT":
        body |= {"thumbnail": "assetId"}
        del body["epoch"]
    return body
