"""Names that the API and other tools use for the settings of a generation, and what samples call them."""

from __future__ import annotations

SIZE_HINT = "write 1024x768, a number, or [width, height]"
_RENAMED: dict[str, tuple[str, ...]] = {
    "count": (
        "numOutputs",
        "num_outputs",
        "numImages",
        "num_images",
        "num_images_per_prompt",
        "n",
        "batch",
        "numSamples",
    ),
    "steps": ("numInferenceSteps", "num_inference_steps", "inference_steps", "sampling_steps", "sample_steps"),
    "guidance": ("cfg", "cfg_scale", "guidance_scale", "guidanceScale", "true_cfg_scale"),
    "scale": (
        "lora_scale",
        "loraScale",
        "lorasScale",
        "loras_scale",
        "lora_strength",
        "strength",
        "weight",
        "lora_weight",
    ),
    "size": ("width", "height", "w", "h", "resolution", "image_size", "aspect_ratio", "aspectRatio", "dimensions"),
    "base": ("baseModel", "base_model", "baseModelId", "base_model_id", "checkpoint"),
    "reference": (
        *("referenceImages", "reference_images", "reference_image", "referenceImage", "image", "images", "input"),
        *("init_image", "source", "sampleSourceImages", "control_image", "ctrl_img", "before"),
    ),
    "seed": ("seeds", "random_seed", "noise_seed"),
}
_TEXTS = {
    "write size: 1024x768": _RENAMED.pop("size"),
    "remove it: these base models take no negative prompt": ("negative_prompt", "negativePrompt", "negative", "neg"),
    "remove it: a model is drawn with itself; mix several in a composition": ("loras", "lora", "modelId", "model"),
    "remove it: the service decides this itself": ("sampler", "scheduler", "sampler_name", "clip_skip", "sample_every"),
}
_PROMPTS = ("text", "caption", "positive", "positive_prompt")


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


_HINTS = {
    **{_plain(old): f"did you mean {new}?" for new, names in _RENAMED.items() for old in names},
    **{_plain(old): text for text, names in _TEXTS.items() for old in names},
}


def foreign_sample_key(name: str, *, has_prompts: bool) -> str | None:
    """The hint for another name of a setting of samples; None for any other. has_prompts: of a block of prompts."""
    plain = _plain(name)
    if plain in map(_plain, ("prompt", *_PROMPTS)):
        return "write prompts: with a list" if has_prompts else "did you mean prompt?"
    return _HINTS.get(plain)
