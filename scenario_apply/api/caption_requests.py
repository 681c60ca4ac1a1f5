"""Bodies and answers of POST /generate/caption. Source: the API contract, "Captions by a model"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scenario_apply.api import loose
from scenario_apply.api.request_bodies import PictureBody, PlainBody, json_body
from scenario_apply.errors import BadAnswer
from scenario_apply.model.remote import GeneratedCaption, PictureToCaption


class CaptionBody:
    """{"images": [asset ids and data URLs], ...}; pictures are encoded while they are sent."""

    __slots__ = ("_parts",)

    def __init__(self, pictures: Sequence[PictureToCaption], details: str | None) -> None:
        parts: list[PlainBody | PictureBody] = [PlainBody(b'{"images":[')]
        for number, picture in enumerate(pictures):
            comma = b"," if number else b""
            if picture.asset_id is not None:
                parts.append(PlainBody(comma + b"".join(map(bytes, json_body(picture.asset_id)))))
            else:
                before = comma + f'"data:{picture.mime};base64,'.encode()
                parts.append(PictureBody(before=before, picture=picture.body, after=b'"'))
        level = b"" if details is None else b',"detailsLevel":' + b"".join(map(bytes, json_body(details)))
        self._parts = [*parts, PlainBody(b"]" + level + b"}")]

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __iter__(self) -> Iterator[bytes | memoryview]:
        for part in self._parts:
            yield from part


def caption_of(answer: object) -> GeneratedCaption:
    """The one caption of an answer. Raises BadAnswer."""
    captions = answer.get("captions") if isinstance(answer, dict) else None
    if not (isinstance(captions, list) and len(captions) == 1 and isinstance(captions[0], str)):
        raise BadAnswer("the service's answer has no caption for the image")
    cost = answer.get("creativeUnitsCost") if isinstance(answer, dict) else None
    return GeneratedCaption(text=captions[0], cu_cost=loose.price(cost))
