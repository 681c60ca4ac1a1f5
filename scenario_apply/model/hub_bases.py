"""Which model of the Hugging Face Hub a training type is an adapter of, as data for model cards.

Source: the page of each model, https://huggingface.co/<id>, seen in November 2026; a type's own name says which it is.
What is not in the table is left out of a card: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping

HUB_BASES: Mapping[str, str] = {
    "sd-xl-lora": "stabilityai/stable-diffusion-xl-base-1.0",
    "flux.1-lora": "black-forest-labs/FLUX.1-dev",
    "flux.1-krea-lora": "black-forest-labs/FLUX.1-Krea-dev",
    "flux.1-kontext-lora": "black-forest-labs/FLUX.1-Kontext-dev",
    "flux.2-dev-lora": "black-forest-labs/FLUX.2-dev",
    "flux.2-dev-edit-lora": "black-forest-labs/FLUX.2-dev",
    "flux.2-klein-4b-lora": "black-forest-labs/FLUX.2-klein-4B",
    "flux.2-klein-4b-edit-lora": "black-forest-labs/FLUX.2-klein-4B",
    "flux.2-klein-9b-lora": "black-forest-labs/FLUX.2-klein-9B",
    "flux.2-klein-9b-edit-lora": "black-forest-labs/FLUX.2-klein-9B",
    "flux.2-klein-base-9b-lora": "black-forest-labs/FLUX.2-klein-base-9B",
    "flux.2-klein-base-9b-edit-lora": "black-forest-labs/FLUX.2-klein-base-9B",
    "qwen-image-lora": "Qwen/Qwen-Image",
    "qwen-image-edit-lora": "Qwen/Qwen-Image-Edit",
    "qwen-image-edit-2509-lora": "Qwen/Qwen-Image-Edit-2509",
    "qwen-image-edit-2511-lora": "Qwen/Qwen-Image-Edit-2511",
    "zimage-lora": "Tongyi-MAI/Z-Image",
    "zimage-turbo-lora": "Tongyi-MAI/Z-Image-Turbo",
    "zimage-de-turbo-lora": "ostris/Z-Image-De-Turbo",
}
"""Training type -> id of its base model on the Hub."""

HUB_LICENSES = frozenset(
    {
        *("apache-2.0", "mit", "openrail", "openrail++", "bigscience-openrail-m", "creativeml-openrail-m"),
        *("afl-3.0", "bsd-2-clause", "bsd-3-clause", "bsl-1.0", "unlicense", "gpl-3.0", "agpl-3.0", "lgpl-3.0"),
        *("cc", "cc0-1.0", "cc-by-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-3.0"),
        *("cc-by-nc-2.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0"),
        *("cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "pddl", "wtfpl", "zlib", "isc", "mpl-2.0", "unknown", "other"),
    }
)
"""Identifiers that a card's `license:` may have; any other is `other` with a name of its own.

Source: huggingface.co/docs/hub/repositories-licenses.
"""
