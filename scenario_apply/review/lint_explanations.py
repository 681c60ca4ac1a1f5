"""What each lint rule catches, why it matters and how to fix it: `explain` prints it, the reference page lists it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class LintText(NamedTuple):
    catches: str
    why: str
    fix: str


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
        "Large sets cost more and often dilute the subject; 5 to 25 good images usually train better.",
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
        "A file in a zip that is not read: encrypted, a link, there twice, over 256 MB, compressed by an unusual "
        "method, or with a path that leads out. A zip file within a zip is a warning.",
        "Pictures are read from the zip in place, so that what it says about itself has to hold.",
        "Make the zip again without such files, or unpack it into a folder.",
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
        "Convert it to PNG.",
    ),
    "F05": LintText(
        "An image with several frames: an animated GIF, WebP or PNG, or a TIFF with several pages.",
        "Only one frame is trained on, and not necessarily the one you see.",
        "Export the frame that you want as a PNG.",
    ),
    "F06": LintText(
        "An image with transparent pixels. An alpha channel that is opaque everywhere is fine.",
        "Trainers drop the alpha channel: transparent areas turn black or show colours hidden underneath.",
        "Flatten the image onto the background that you want.",
    ),
    "F07": LintText(
        "CMYK colours, more than 8 bits a channel, or a greyscale image in a set of coloured ones.",
        "Such images are converted on the way to the training and may change their colours.",
        "Save it as RGB with 8 bits a channel.",
    ),
    "F08": LintText(
        "An EXIF orientation tag that tells viewers to turn or mirror the image.",
        "Viewers follow the tag, trainers often do not: the image may be learned lying on its side.",
        "Save the image upright, without the tag. The bytes are uploaded unchanged.",
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
        "A plan that uploads none of them needs only the pointers. Their pixels cannot be checked, and a plan that "
        "would upload one of them stops.",
        "Run `git lfs pull`.",
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
        "Replace the side that is wrong. Subtle edits are not reported.",
    ),
    # captions
    "C01": LintText(
        "An image without a caption in a dataset where other images have one.",
        "A mixture of written and automatic captions trains badly, and usually a file was forgotten or misnamed.",
        "Write the caption, or `captions: { missing: auto }` to let the service write it.",
    ),
    "C02": LintText(
        "A dataset without any captions.",
        "This is allowed: the service writes its own captions, but they do not contain the trigger.",
        "Add a .txt file beside each image, or write `captions: auto` to confirm it.",
    ),
    "C03": LintText(
        "A caption without a letter or digit: empty, blanks, invisible characters, a comma, three dots.",
        "The service refuses empty captions.",
        "Write the caption, or delete its file.",
    ),
    "C04": LintText(
        "A caption, or a row of a caption table, whose image does not exist.",
        "Usually a file was renamed or deleted and its caption was not.",
        "Delete the caption, restore the image, or correct the name.",
    ),
    "C05": LintText(
        "A caption that fits several images, such as a.txt beside a.jpg and a.png.",
        "There is no safe way to choose, and a wrong caption trains the wrong thing.",
        "Rename one of the images, or name images with their extension in a caption table.",
    ),
    "C06": LintText(
        "A caption file or table that is neither UTF-8 nor UTF-16.",
        "Decoding it with a guess would put wrong letters into the captions.",
        "Save it as UTF-8, or name its encoding: `encoding: cp1252`. Files in UTF-8 are read as UTF-8 even then.",
    ),
    "C07": LintText(
        "A caption file with several lines.",
        "The service takes one text, so the lines are joined: with commas if most of them are as short as tags, with"
        " spaces otherwise.",
        "Write one line, or say what is meant: `captions: { lines: comma }`, `space`, or `first` for only the first.",
    ),
    "C08": LintText(
        "A caption longer than the text encoder of the training type reads: about 55 words for SDXL, 350 for others.",
        "The rest is cut off and not learned.",
        "Shorten the caption; put what matters first.",
    ),
    "C09": LintText(
        "A caption of very few words besides the trigger.",
        "What the caption does not name is attributed to the trigger: background, pose and light included.",
        "Describe what is visible and should stay changeable.",
    ),
    "C10": LintText(
        "Several images with exactly the same caption.",
        "The training cannot tell the images apart; the service's dataset score reports it, too.",
        "Describe what differs between the images.",
    ),
    "C11": LintText(
        "Captions that are nearly identical.",
        "They carry little information about the images; the service's dataset score reports it, too.",
        "Describe what differs between the images.",
    ),
    "C12": LintText(
        "Phrases that captioning models put around or into every caption, such as “Sure! Here's a caption:”, “the image"
        " shows” or “stunning”.",
        "They say nothing about the picture and become part of what triggers the model.",
        "Remove the phrase.",
    ),
    "C13": LintText(
        "What a captioning model or a conversion left: a refusal (“I'm sorry, but I can't …”), an error message, `nan`,"
        " `</s>`, `<think>`, Markdown, `&amp;`, letters broken by a wrong encoding, quotes around the whole caption.",
        "It is trained literally, and such a caption is worse than none.",
        "Remove it, or write the caption again.",
    ),
    "C14": LintText(
        "Syntax of prompts and of other training tools: `|||`, `{a|b}`, `(word:1.2)`, `((word))`, `[word]`,"
        " `\\(word\\)`, `BREAK`, `__word__`, `--ar 16:9`, `<lora:…>`.",
        "Scenario takes it literally.",
        "Write plain text.",
    ),
    "C15": LintText(
        "Lists of tags with underscores for a training type that reads natural language.",
        "Current models were trained on sentences and learn less from tags.",
        "Write sentences, or at least replace underscores by spaces.",
    ),
    "C16": LintText(
        "A phrase that most captions share.",
        "For a character this is what the service advises; for a style it ties the style to that phrase.",
        "This is a note. Remove the phrase if it should not belong to the concept.",
    ),
    "C17": LintText(
        "An image with two different captions from two sources, such as a .txt file and a table.",
        "There is no safe way to choose between them.",
        "Remove one, or name the source with `captions:`.",
    ),
    "C18": LintText(
        "A caption file or table that cannot be read: it is missing, broken, has no column for captions, is JSON where"
        " text is expected, or is what Git left: an LFS pointer or a merge conflict.",
        "Its captions would be lost without a message, or rubbish would be trained.",
        "Correct the file at the reported place.",
    ),
    "C19": LintText(
        "A caption in YAML without quotes that continues after ` #`: `robot, model #7 of the line`.",
        "YAML takes the rest of the line for a comment, so half of the caption would be trained.",
        "Put the caption in quotes. If it is a comment, write a blank after the #.",
    ),
    "C20": LintText(
        "Control characters, line separators, terminal colours or invisible characters inside a caption.",
        "They are not sent: line separators and control characters become blanks, invisible ones are removed.",
        "Delete them from the file.",
    ),
    "C21": LintText(
        "Captions that lie beside the pictures, or in a folder above them, and are not read: a table under another "
        "name, a text that lists the pictures, .json files, caption files whose names fit no picture. It is an error "
        "where no picture has a caption, and a note where all have one.",
        "Scenario would write its own captions in place of those that exist.",
        "Write the `captions:` that the hint shows, rename the files, or delete them.",
    ),
    "C22": LintText(
        "A caption that is used for a picture whose name differs from its own in capitals or in the picture's ending.",
        "There is one picture it can belong to, so it is used. Other tools may not find it.",
        "Nothing has to be done. Naming them alike ends the note.",
    ),
    # triggers and templates
    "T01": LintText(
        "A trigger that is in some captions of a dataset and not in others.",
        "The model learns the concept without the trigger as well, and the trigger loses its effect.",
        "Write `trigger: WORD` in the dataset: it is added to every caption that does not contain it.",
    ),
    "T02": LintText(
        "What is nearly the trigger: another case, another separator, two blanks, or one different letter.",
        "A trigger works only when it is spelled the same way everywhere.",
        "Correct the spelling in the caption.",
    ),
    "T03": LintText(
        "A placeholder such as `[trigger]`, `{trigger}` or `${name}` that nothing replaces.",
        "It would be trained literally.",
        "Give the dataset a `trigger:`, or remove the placeholder.",
    ),
    "T04": LintText(
        "A trigger that is an ordinary word or has only one or two letters.",
        "The base model already connects it with something else.",
        "Invent a word, such as KAEL_07.",
    ),
    "T05": LintText(
        "A caption that contains the trigger more than once. Twice in a row is a warning.",
        "It is usually an accident of a template and wastes words.",
        "Remove the second one.",
    ),
    "T06": LintText(
        "A sample prompt without the trigger of the model's dataset.",
        "The sample images then do not show what was trained.",
        "Add the trigger to the prompt.",
    ),
    "T07": LintText(
        "A trigger that two datasets share whose models are composed.",
        "A composition cannot tell the two concepts apart.",
        "Give each dataset a trigger of its own.",
    ),
    "T08": LintText(
        "A caption template that cannot be rendered for an image.",
        "The caption of that image would be missing or wrong.",
        "Correct the template. `trigger`, `caption`, `stem` and `path` are known in captions.",
    ),
    # pairs
    "P01": LintText(
        "An image of an edit pair whose other side is missing.",
        "Other tools skip such pairs silently; here nothing is left out without a message.",
        "Add the missing image, or give both the same file stem.",
    ),
    "P02": LintText(
        "An edit pair without an instruction.",
        "The service needs one for each pair.",
        "Write it for the pair, or `instruction:` for the whole dataset.",
    ),
    "P03": LintText(
        "An instruction that reads like a description of the result.",
        "Edit models are trained and used with commands.",
        "Start with a verb: turn, make, replace, remove, add.",
    ),
    "P04": LintText(
        "Instructions of one dataset that start with different verbs.",
        "One wording for one edit makes the model follow it more reliably.",
        "Use one verb, unless the dataset teaches several edits.",
    ),
    "P05": LintText(
        "An edit pair whose two sides have different sizes. Another aspect ratio is a warning, another size a note.",
        "One side is cropped to the other, so the pixels no longer match.",
        "Crop both sides to the same shape.",
    ),
    "P06": LintText(
        "Folder names that suggest that before and after are swapped.",
        "The model would learn the reverse edit.",
        "Swap `before:` and `after:`, or switch the rule off if the names mislead.",
    ),
    # settings and safety
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
