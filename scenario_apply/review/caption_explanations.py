"""What the rules about captions, triggers and pairs catch, why it matters and how to fix it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class LintText(NamedTuple):
    catches: str
    why: str
    fix: str


CAPTION_TEXTS: Mapping[str, LintText] = {
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
        "Captions beside the pictures, or in a folder above them, that are not read: a table under another "
        "name, a text that lists the pictures, caption files whose names fit no picture. It is an error "
        "where no picture has a caption, and a note where all have one.",
        "Scenario would write its own captions in place of those that exist.",
        "Write the `captions:` that the hint shows, rename the files, or delete them.",
    ),
    "C22": LintText(
        "A caption that is used for a picture whose name differs from its own in capitals or in the picture's ending.",
        "There is one picture it can belong to, so it is used. Other tools may not find it.",
        "Nothing has to be done. Naming them alike ends the note.",
    ),
    "C40": LintText(
        "A caption file begins with the line that marks a draft: a model wrote the caption, with `captions draft`, and "
        "it has not been reviewed. The line itself is never sent.",
        "A caption that is wrong teaches what is wrong, and drafts tend to name everything alike.",
        "Read the caption, correct it, and delete the first line.",
    ),
    "C30": LintText(
        "A table that the manifest does not name and whose captions are used: captions.json, .yaml, .csv or .jsonl or "
        "metadata.tsv beside the pictures, metadata.jsonl or .csv one folder up. They are read for pictures that have "
        "no caption of another kind.",
        "The dataset depends on a file that the manifest does not show.",
        "Write the `captions:` that the hint shows. Then it is an error when the file is gone.",
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
}
