"""Names that other trainers use, and what to write instead: data for the hints."""

from __future__ import annotations

_RENAMED: dict[str, tuple[str, ...]] = {
    # Scenario's parameter: names of it in sd-scripts, musubi-tuner, ai-toolkit, SimpleTuner, OneTrainer, diffusers ...
    "learningRate": ("lr", "learning_rate", "unet_lr", "base_lr", "learningrate", "train_lr"),
    "learningRateTextEncoder": ("text_encoder_lr", "te_lr", "learning_rate_te", "text_encoder_learning_rate"),
    "maxTrainSteps": ("steps", "max_train_steps", "train_steps", "max_steps", "num_train_steps", "iterations"),
    "nbEpochs": ("epochs", "epoch", "num_epochs", "max_train_epochs", "num_train_epochs", "n_epochs"),
    "nbRepeats": ("repeats", "repeat", "num_repeats", "n_repeats", "dataset_repeats"),
    "batchSize": ("batch_size", "train_batch_size", "batch", "per_device_train_batch_size"),
    "rank": ("network_dim", "lora_rank", "lora_dim", "dim", "linear", "network_rank", "lora_r", "r"),
    "samplePrompts": ("sample_prompts", "validation_prompts", "validation_prompt", "prompts", "wandb_sample_prompts"),
    "conceptPrompt": ("instance_prompt", "concept_prompt"),
    "wandbKey": ("wandb_api_key", "wandb_key"),
}
_PLACED_ELSEWHERE: dict[str, tuple[str, ...]] = {
    "use the dataset's `trigger:`": ("trigger_word", "trigger", "token_string", "trigger_phrase", "activation_text"),
    "use the model's `name:`": ("output_name", "run_name", "model_name"),
    "use the dataset's `images:`": (
        "train_data_dir",
        "image_dir",
        "instance_data_dir",
        "dataset_path",
        "folder_path",
    ),
    "write `captions: { suffix: .txt }` in the dataset": ("caption_extension", "caption_ext"),
    "use the dataset's `prefix:`": ("caption_prefix", "autocaption_prefix"),
    "use the dataset's `suffix:`": ("caption_suffix", "autocaption_suffix"),
    "use the model's `type:`, which implies the base model": (
        "base_model",
        "base_model_name",
        "pretrained_model_name_or_path",
        "model_family",
        "baseModelId",
    ),
    "Scenario keeps every epoch; a concept selects one with `epoch:`": (
        "save_every",
        "save_every_n_epochs",
        "checkpointing_steps",
    ),
}
_DECIDED_BY_SCENARIO = (
    "alpha",
    "network_alpha",
    "lora_alpha",
    "linear_alpha",
    "optimizer",
    "optimizer_type",
    "optimizer_args",
    "resolution",
    "precision",
    "mixed_precision",
    "dtype",
    "save_precision",
    "cache_latents",
    "enable_bucket",
    "bucket_no_upscale",
    "gradient_checkpointing",
    "gradient_accumulation_steps",
    "network_module",
    "warmup_steps",
    "lr_warmup_steps",
    "noise_offset",
    "min_snr_gamma",
    "weight_decay",
    "ema",
    "xformers",
    "clip_skip",
)


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


_HINTS = {
    **{_plain(old): f"did you mean {new}?" for new, names in _RENAMED.items() for old in names},
    **{_plain(old): text for text, names in _PLACED_ELSEWHERE.items() for old in names},
    **{_plain(name): "remove it: Scenario decides this itself" for name in _DECIDED_BY_SCENARIO},
}


def foreign_parameter(name: str) -> str | None:
    """The hint for another trainer's parameter name; None for any other name."""
    return _HINTS.get(_plain(name))
