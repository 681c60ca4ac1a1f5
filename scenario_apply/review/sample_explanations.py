"""A paragraph for each code of a diagnostic about samples, epochs and versions."""

from __future__ import annotations

from collections.abc import Mapping

SAMPLE_TEXTS: Mapping[str, str] = {
    "control-character": "The prompt of a sample contains a character that cannot be seen and that no prompt needs, "
    "such as an escape or a null. Remove it; it often comes with text that was copied.",
    "best-of-matrix": "`best:` of a model with a matrix does not say which child it means: each has versions of its "
    "own. Write it in the entry of that child below `include:` of the matrix.",
    "best-unknown": "`best:` of a model names a version or an epoch that does not exist: it was deleted, or mistyped. "
    "Nothing is changed on Scenario because of it. `promote` writes it; remove it where the version is gone.",
    "epoch-range": "A model uses an epoch beyond those that it is trained for, by its `nbEpochs`. Use a smaller one.",
    "epoch-type": "A model uses an epoch, and the service documents that choice for other types only. It may be "
    "refused once the model is trained. Without `epoch:` the last one is used.",
    "not-promoted": "`promote` did not write the choice, because the manifest cannot say it: the entry is a template "
    "or a child of a matrix, or the version was trained on other images or captions. The hint says what to write by "
    "hand, or how `rollback` brings the version back.",
    "sample-name": "Two samples of a model or composition have the same name. Names are the numbers of a list, those "
    "of sets, or what `name:` says. Give one of them another name.",
    "sample-reference": "Some base models edit a picture, and a sample says with `reference:` which: a picture of the "
    "dataset by its path there, or a file below the manifest's folder. Left out, it is the first before picture, which "
    "is noted. It is an error where there is none, or where the path is not that of one picture, and for compositions, "
    "which are drawn without.",
    "sample-scale": "A sample of a composition has a scale. A composition is drawn as it is: how much each of its "
    "parts counts is the `scale:` of its concepts. Remove the scale of the sample.",
    "sample-size": "The size of a sample is not one that base models draw. Write 1024x768, one number for a square, or "
    "[width, height]; each side has 256 to 2048 pixels and is a multiple of 8.",
    "version-unknown": "`promote` names a version that is not recorded, or is not trained. The hint lists those that "
    "are; `status` shows them, too.",
    "sample-undecided": "The launch of a sample got no response, and Scenario does not tell whether it was carried "
    "out: its jobs cannot be listed, or one of them does not say what it draws. The sample alone is held back, since "
    "it may be paid already. Each apply asks again: it is adopted, or drawn where there is no such job. Use a key that "
    "may list jobs; or give the sample another `seed:`, which has it drawn as another one.",
    "sample-twice": "Two samples of a model or composition ask for the same: prompt, seed, settings, base and "
    "reference. They are drawn and charged once, under the first name. Give one of them another seed, or write "
    "`count: 2` for two pictures of one prompt.",
    "samples-empty": "`samples:` of a model, a composition or of defaults says how pictures are drawn, and nothing "
    "says which: there are no `prompts:`. Add them, as a list or as named sets. `samples: []` says that none are owed.",
    "samples-untrained": "`samples draw` draws with versions that are trained. This resource has none yet: apply "
    "trains it and draws its samples then, unless they say `on: manual`.",
}
