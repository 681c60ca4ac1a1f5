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


ONE_TEXT = "remove it: the service trains on one fixed text for each image"
_ONE_BEFORE = "remove it: a pair of Scenario has one before picture; write `before:` for its folder"
_CONTROLS = (
    *("control", "control_path", "control_image", "control_dir", "control_directory", "control_folder"),
    *("conditioning_image", "cond_image", "reference", "reference_image"),
)
_REGULARISATION = "remove it: Scenario trains without regularisation images"
_AS_THEY_ARE = "remove it: the service trains on the images as they are"
_OF_DATASETS: dict[str, tuple[str, ...]] = {
    ONE_TEXT: (
        *(
            "shuffle",
            "random_caption",
            "random_captions",
            "caption_shuffle",
            "tag_dropout_rate",
            "dropout",
        ),
        *("prompt_list", "prompt_file", "prompts_file", "random_prompts", "prompts", "captions_list"),
        *("randomize_captions", "shuffle_captions", "tag_shuffle", "enable_shuffle", "captions_per_image", "wildcards"),
        *(
            "shuffle_caption",
            "shuffle_tags",
            "shuffle_tokens",
            "keep_tokens",
            "keep_tokens_separator",
            "token_warmup_min",
        ),
        *("caption_dropout_rate", "caption_dropout", "caption_dropout_probability", "caption_dropout_every_n_epochs"),
        *("caption_tag_dropout_rate", "tag_dropout", "enable_wildcard", "caption_separator", "secondary_separator"),
        *("token_dropout_rate", "token_warmup_step", "weighted_captions", "tag_shuffling", "enable_tag_shuffling"),
        *("tag_delimiter", "tag_dropout_enable", "unconditional_prompt_probability"),
    ),
    _AS_THEY_ARE: (
        *("flip_aug", "color_aug", "random_crop", "face_crop_aug_range", "flip_x", "flip_y", "random_flip", "augments"),
        *("horizontal_flip", "enable_random_flip", "crop", "crop_aspect", "crop_style", "center_crop", "augmentations"),
        *("alpha_mask", "mask_path", "conditioning_data_dir", "masked_training"),
    ),
    _REGULARISATION: (
        *("is_reg", "reg_data_dir", "class_data_dir", "class_images", "class_prompt", "num_class_images"),
        *("reg", "reg_dir", "reg_images", "reg_image_dir", "regularization_images", "regularisation_images"),
        *("class_images_dir", "class_image_dir", "class_dir", "prior_loss_weight", "is_regularization", "prior_images"),
        *("is_regularisation_data", "is_regularization_data", "prior_preservation", "with_prior_preservation"),
    ),
    "remove it: it is the model's nbRepeats, under parameters; 1 means once": (
        *("num_repeats", "repeats", "n_repeats", "repeat", "dataset_repeats", "nbRepeats", "balancing"),
    ),
    "remove it: it is the model's batchSize, under parameters": ("batch_size", "train_batch_size", "batchSize"),
    "remove it: Scenario decides this itself": (
        *("resolution", "resolutions", "resolution_type", "target_size", "minimum_image_size", "maximum_image_size"),
        *("enable_bucket", "bucket_no_upscale", "bucket_reso_steps", "min_bucket_reso", "max_bucket_reso", "buckets"),
        *("ar_buckets", "enable_ar_bucket", "min_ar", "max_ar", "num_ar_buckets", "frame_buckets", "num_frames"),
        *("cache_latents", "cache_latents_to_disk", "cache_directory", "cache_dir", "cache_dir_vae", "vae_cache_clear"),
        *("network_weight", "loss_weight", "validation_split", "validation_seed", "probability"),
    ),
    "write `captions: { suffix: .txt }`": ("caption_extension", "caption_ext", "caption_suffix_ext", "text_extension"),
    "write `captions: ./FILE`": (
        *("metadata_file", "in_json", "caption_file", "captions_file", "metadata", "jsonl_file", "image_jsonl_file"),
    ),
    "write `captions: sidecar`, `captions: filename` or `captions: ./FILE`": ("caption_strategy", "caption_type"),
    "write `caption:`, one text for all images, or `trigger:`": (
        *("instance_prompt", "class_tokens", "default_caption", "concept_prompt", "prompt", "instanceprompt"),
        "default_prompt",
    ),
    "write `trigger:`": (
        *("trigger_word", "trigger_phrase", "token_string", "activation_text", "trigger_words", "instance_token"),
        *("concept_token", "placeholder_token"),
    ),
    "write `prefix:`": ("caption_prefix", "autocaption_prefix", "prepend_instance_prompt"),
    "write `suffix:`": ("caption_suffix", "autocaption_suffix"),
    "write `images:`": (
        *("image_dir", "image_directory", "train_data_dir", "instance_data_dir", "instance_data_root", "dataset_path"),
        *("folder_path", "data_dir", "dataset_dir", "path", "directory", "dataset", "folder", "image_folder"),
    ),
    "write `before:` for the one folder of the pictures to edit, and `after:` for the results": (
        *("control_path", "control_directory", "control_dir", "control_image_dir", "conditioning_data"),
    ),
    _ONE_BEFORE: (
        *(f"{word}_{number}" for word in _CONTROLS for number in range(1, 9)),
        *(f"{word}{'' if word.endswith('s') else 's'}" for word in _CONTROLS),
        *("num_controls", "num_control_images", "multi_control", "reference_image", "additional_images"),
        *(f"start{number}" for number in range(2, 9)),
    ),
    "write a dataset for each of them: a dataset has one `images:`, which may be a list": (
        *("subsets", "subset", "datasets"),
    ),
    "write `captions: auto`": ("autocaption", "auto_caption", "caption_model", "caption_with"),
}


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


_HINTS = {
    **{_plain(old): f"did you mean {new}?" for new, names in _RENAMED.items() for old in names},
    **{_plain(old): text for text, names in _PLACED_ELSEWHERE.items() for old in names},
    **{_plain(name): "remove it: Scenario decides this itself" for name in _DECIDED_BY_SCENARIO},
}


_NOWHERE_IN_SCENARIO = (ONE_TEXT, _REGULARISATION)
"""Hints for options that neither a dataset nor a model has."""
_DATASET_HINTS = {_plain(name): hint for hint, names in _OF_DATASETS.items() for name in names}


def foreign_dataset_key(name: str) -> str | None:
    """The hint for another trainer's option of a dataset; None for any other name."""
    return _DATASET_HINTS.get(_plain(name))


def hint_for_list(name: str) -> str | None:
    """The hint for a list where the manifest takes one text or one folder; None for any other key."""
    if name in ("caption", "captions", "instruction"):
        return f"write one: {ONE_TEXT[len('remove it: ') :]}; a map of them is `captions: {{ 01.png: a caption }}`"
    if name == "prompt":
        return "write a sample for each prompt, or count: for several pictures of one"
    if name in ("before", "after"):
        return "name one folder: a pair of Scenario has one before picture and one after picture"
    return None


def foreign_parameter(name: str) -> str | None:
    """The hint for another trainer's parameter name; None for any other name."""
    hint = _DATASET_HINTS.get(_plain(name))
    return _HINTS.get(_plain(name)) or (hint if hint in _NOWHERE_IN_SCENARIO else None)
