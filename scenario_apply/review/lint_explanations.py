"""What each lint rule catches, why it matters and how to fix it: `explain` prints it, the reference page lists it."""

from __future__ import annotations

from collections.abc import Mapping

from scenario_apply.review.caption_explanations import CAPTION_TEXTS, LintText

LINT_TEXTS: Mapping[str, LintText] = {
    # number of images
    "N01": LintText(
        "A dataset without a readable image: the folder is empty, a pattern matches nothing, or all files are damaged.",
        "Nothing can be uploaded, so the training could not start.",
        "Name a folder that holds .png, .jpg or .webp files. If they are in sub-folders, write `recursive: true`.",
    ),
    "N02": LintText(
        "A dataset with fewer images than the service advises.",
        "A model trained on very few images repeats them instead of learning what they have in common.",
        "Add images that show the subject from other sides, in other light or in other settings.",
    ),
    "N03": LintText(
        "A dataset with more images than usually trains best.",
        "Large sets cost more and often dilute the subject; 5 to 20 good images usually train better, up to 25 for a"
        " style (by the name or trigger of the dataset).",
        "Keep the best images. Nothing is wrong if the set is large on purpose.",
    ),
    "N04": LintText(
        "A dataset with more images or pairs than a training type or the service accepts.",
        "The service rejects the upload or the training, after part of the set has been uploaded.",
        "Keep the best images, or split the dataset between several models.",
    ),
    "N05": LintText(
        "A dataset of edit pairs with fewer complete pairs than an edit training accepts or the service advises.",
        "Without enough pairs the model cannot separate the edit from the pictures.",
        "Add pairs, and complete those that have only one side (P01).",
    ),
    "N06": LintText(
        "A model whose training would take more steps than its type allows: images x repeats x epochs / batch.",
        "The service refuses or cuts such a training, or it costs a multiple and learns the images by heart.",
        "Lower `nbRepeats` or `nbEpochs`, or train on fewer images. Numbers of other trainers are often per epoch.",
    ),
    "N08": LintText(
        "Images in sub-folders of a dataset folder that is read without its sub-folders.",
        "They look as if they belonged to the dataset and are not trained on.",
        "Write `recursive: true` to include them, or switch the rule off if they are meant to stay out.",
    ),
    "N09": LintText(
        "A pattern under `exclude:` that fits no file of the dataset.",
        "The picture that it was written for is trained on. Patterns are names, paths within the dataset, or globs.",
        "Write the name or path as `dataset show` prints it, or remove the pattern.",
    ),
    "N10": LintText(
        "A file in a zip that is not read: encrypted, a link, listed twice, over 256 MB, compressed by an unusual "
        "method, or with a path that leads out. A zip file within a zip is a warning.",
        "Pictures are read from the zip in place, so that what it says about itself has to hold.",
        "Make the zip again without such files, or unpack it into a folder.",
    ),
    "N11": LintText(
        "A numbered folder of sd-scripts and kohya_ss, such as `10_kael man`. Its images are read.",
        "There the number says how often each image is shown in an epoch. Scenario has one number for all images.",
        "Write it as `nbRepeats` in the parameters of the model. The name of the folder is not used as a caption.",
    ),
    # files
    "F01": LintText(
        "A file with the name of an image and content that is none: an empty file, a saved web page, a PDF, an SVG.",
        "The service would reject it in the middle of the run.",
        "Download or export it again, or remove it from the dataset.",
    ),
    "F02": LintText(
        "An image that is truncated or damaged and cannot be decoded completely.",
        "Trainers show damaged pixels as grey areas, or fail.",
        "Download or export it again.",
    ),
    "F03": LintText(
        "A file whose content is of another format than its extension says, such as a PNG named .jpg.",
        "It is uploaded with its real type, so this run is fine; other tools that trust the name may fail.",
        "Rename the file to the extension of its format.",
    ),
    "F04": LintText(
        "An image in a format other than JPEG, PNG or WebP.",
        "The service may refuse it, and other trainers do not read it.",
        "Set `convert: png` in the dataset, which sends a PNG made of it, or convert the file.",
    ),
    "F05": LintText(
        "An image with several frames: an animated GIF, WebP or PNG, or a TIFF with several pages.",
        "Only one frame is trained on, and not necessarily the one you see.",
        "Export the frame that you want as a PNG. `convert: png` in the dataset sends the first one.",
    ),
    "F06": LintText(
        "An image with transparent pixels. An alpha channel that is opaque everywhere is fine.",
        "Trainers drop the alpha channel: transparent areas turn black or show colours hidden underneath.",
        'Set `background:` in the dataset to the colour that you want behind it, such as "#ffffff".',
    ),
    "F07": LintText(
        "CMYK colours, more than 8 bits a channel, or a greyscale image in a set of coloured ones.",
        "Such images are converted on the way to the training and may change their colours.",
        "Set `convert: png` in the dataset, or save it as RGB with 8 bits a channel.",
    ),
    "F08": LintText(
        "An EXIF orientation tag that tells viewers to turn or mirror the image.",
        "Viewers follow the tag, trainers often do not: the image may be learned lying on its side.",
        "Nothing has to be done: the pixels are turned before they are sent. With `orient: keep` they are not: save "
        "the image upright, without the tag.",
    ),
    "F09": LintText(
        "A file that is too large for a single request.",
        "It is uploaded in parts, which takes more requests. Nothing else changes.",
        "Nothing has to be done. A smaller file uploads faster.",
    ),
    "F10": LintText(
        "An image with an extreme number of pixels or bytes. Twice the limit is an error.",
        "Trainings scale images to one or two megapixels; the rest costs time, memory and upload.",
        "Scale the image down.",
    ),
    "F11": LintText(
        "A file name with control characters, a name that is too long, or one that other systems write differently.",
        "Archives and other operating systems may lose or rename the file, and with it the link to its caption.",
        "Rename the file and its caption.",
    ),
    "F12": LintText(
        "Hidden files, caches of other tools and masks that were found in the dataset folder and skipped.",
        "This is a note, so that nothing is left out without a message.",
        "Nothing has to be done.",
    ),
    "F13": LintText(
        "Some pictures are Git LFS pointers: text files with the digest and the size of a picture that was not pulled.",
        "A plan needs only the pointers. The pixels, sizes and formats of these pictures cannot be checked, until an "
        "apply that uploads them pulls them. Then all rules apply, before anything is made.",
        "Run `git lfs pull` to check them now.",
    ),
    "F14": LintText(
        "Files that are pictures by content, but not by name: `06.png_large`, `07.png?w=1200`, or a name without an "
        "ending, as downloads leave them.",
        "They are not part of the dataset, which then trains on fewer pictures than it seems to have.",
        "Rename them, or list them under `exclude:` if they are to stay out.",
    ),
    "F15": LintText(
        "A picture named like the mask of another one: `01_mask.png` beside `01.png`. It is an error where the mask is "
        "grey and the picture is not.",
        "Scenario trains without masks: it would learn to draw them.",
        "Leave them out with `exclude:`, or switch the rule off if they are pictures.",
    ),
    # resolution
    "R01": LintText(
        "An image whose short side is below the recommended size. Below low-side the message is stronger, below"
        " floor-side it is an error.",
        "The service's dataset score asks for 1024 pixels; smaller images train a blurred result.",
        "Use a larger original. Enlarging a small image adds no detail.",
    ),
    "R02": LintText(
        "An image much longer than wide, or much wider than long.",
        "Trainings work on nearly square crops, so much of the image is cut away.",
        "Crop the image around its subject.",
    ),
    "R03": LintText(
        "An image whose size is far from that of the others in the set.",
        "It is often a thumbnail or a stray file.",
        "Check that the image belongs to the dataset, or replace it by a version of the usual size.",
    ),
    # quality
    "Q01": LintText(
        "A picture without a sharp edge, measured on a copy of 128 pixels: its strongest edges are small beside its"
        " contrast.",
        "Trainings learn the blur as a feature of the subject.",
        "Use a sharper original. Nothing is wrong where the blur is meant, as in fog.",
    ),
    "Q02": LintText(
        "A picture whose brightest parts are dark, whose darkest parts are bright, or that shows nearly one colour.",
        "There is little to learn from it, and it pulls the whole training towards its brightness.",
        "Correct its exposure, or leave it out. Nothing is wrong where it is meant, as in a scene at night.",
    ),
    # duplicates
    "D01": LintText(
        "Two files of a dataset with the same bytes.",
        "The image would count twice in training, and the service refuses the same asset twice.",
        "Delete one of them, with its caption, or write `lint: { D01: off }` if both are meant to count.",
    ),
    "D02": LintText(
        "An image that looks like a re-saved or resized copy of another one.",
        "The picture counts twice, and its flaws are learned as features.",
        "Keep the better one.",
    ),
    "D03": LintText(
        "An image that is nearly the same as another one of the dataset.",
        "Near-duplicates bias the training towards one picture and lower the service's dataset score.",
        "Keep the better one, or replace one by a different view.",
    ),
    "D04": LintText(
        "An image that looks like the mirror image of another one.",
        "Mirrored copies teach that text and asymmetric details may be reversed.",
        "Remove the copy if the subject has text, a parting, a scar or another asymmetric detail.",
    ),
    "D05": LintText(
        "An edit pair whose two sides show the same picture.",
        "There is no edit to learn from it; the model learns to change nothing.",
        "Replace the side that is wrong. Edits of a small part of the picture are not reported.",
    ),
    "D06": LintText(
        "A picture that two datasets send with different captions. `validate` looks for it.",
        "On the service a caption belongs to the uploaded asset, so the picture is uploaded once for each caption.",
        "This is a note. Give both datasets the same trigger and captions to upload the picture once.",
    ),
    "D07": LintText(
        "A picture whose brightness, place for place, is unlike that of almost all others: black among white ones.",
        "It is often a stray file; the service's dataset score says that its similarity with others is too low.",
        "Check that it belongs to the dataset. Variety is good where it is meant.",
    ),
    **CAPTION_TEXTS,
    # models
    "M01": LintText(
        "An edit type whose dataset has single images, or another type whose dataset has edit pairs.",
        "Edit types and flux.1-kontext-lora are trained on pairs, all others on images; the service refuses the"
        " training after everything was uploaded.",
        "Give the dataset `before:` and `after:`, or `images:`, or the model another type.",
    ),
    "M02": LintText(
        "A parameter that is written for a model whose type does not accept it, such as nbEpochs for sd-xl-lora. Of"
        " one that is inherited there is only a note.",
        "The service refuses or ignores it. Where the rule is lowered, the parameter is left out.",
        "Remove it, or use one of those that the hint lists.",
    ),
    "M03": LintText(
        "A learning rate that the type accepts, of another order of magnitude than those that train: 1, 0.01, 1e-8.",
        "A training at such a rate is paid for and is useless: it learns nothing, or noise.",
        "Check the exponent. Most trainings use 5e-5 to 4e-4.",
    ),
    # settings and safety
    "remote-dataset": LintText(
        "A dataset or caption file named by a URL, and no consent of the caller to read it.",
        "A pull request could otherwise make your machine send requests, with the credentials of your store.",
        "Run with --allow-remote, or name what may be read: SCENARIO_APPLY_ALLOW_REMOTE=s3://bucket/datasets.",
    ),
    "outside-root": LintText(
        "A file, folder or link that leads outside the manifest's folder.",
        "A repository could otherwise read and upload any file of the machine on which it is applied.",
        "Move the files inside, or write `allow_outside_root: true` and run with --allow-outside-root.",
    ),
    "hidden-path": LintText(
        "A path with a part that begins with a dot.",
        "Hidden folders hold settings and credentials; they are never read as data.",
        "Rename the file or folder, or use another one.",
    ),
    "lint-setting": LintText(
        "A key or value under `lint:` that does not match any rule or threshold.",
        "The setting has no effect, although it looks as if it had one.",
        "Use a code, a rule's name or a threshold's name, with off, info, warning, error or a number.",
    ),
}
