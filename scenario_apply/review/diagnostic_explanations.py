"""A paragraph for each code of a diagnostic that is no lint rule: what it means and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

from scenario_apply.review.fleet_explanations import FLEET_TEXTS
from scenario_apply.review.pipeline_explanations import PIPELINE_TEXTS
from scenario_apply.review.sample_explanations import SAMPLE_TEXTS

_MANIFEST = {
    "address": "An address in a moved, removed or import block cannot be read. Addresses look like model.kael, "
    "composition.ink or model.kael-lr/fast for a child of a matrix.",
    "alias-bomb": "YAML aliases of aliases repeat a very large number of values. The manifest is refused before it "
    "fills the memory. Use fewer aliases, `defaults:` or `extends:`.",
    "alias-loop": "A YAML alias stands inside the value that its anchor names, so the value would contain itself. "
    "Remove the alias or move the anchor.",
    "captions": "The `captions:` of a dataset contradict themselves: options and file names are mixed, or two sources "
    "are named. Write either a map of files to captions or the options file, map, suffix and missing.",
    "composition-of-composition": "A composition names another composition as a part. Only trained models can be "
    "composed. Name the models themselves.",
    "composition-of-itself": "A composition names itself as a part. Name the models that it is made of.",
    "concept": "A concept of a composition does not name exactly one model. Give exactly one of `model` (declared in "
    "the manifest), `modelId` (an id on the service) and `find` (a name and a type), and at most one epoch.",
    "concept-twice": "A composition uses the same model twice. The service adds both scales. Keep one of them and set "
    "its scale.",
    "curly-quotes": "A value stands in typographic quotes, which quote nothing in YAML and would become part of a name "
    "or trigger. Write straight quotes; around them where the curly ones are meant.",
    "dataset-shape": "A dataset must have one shape: `images`, or `before` and `after`, or `pairs`. Keep one of them "
    "and complete it.",
    "declared-twice": "Two files of a manifest declare the same resource or setting. Remove one of them, or use "
    "another key.",
    "duplicate-key": "A key occurs twice in the same map. Most YAML readers silently keep the last value; here it is "
    "an error, because the other one would be lost.",
    "duplicate-value": "A list that must not repeat values contains one twice. Remove it.",
    "empty": "A manifest or variable file is empty. A manifest begins with `version: 1`.",
    "empty-value": "A value that needs content is empty: a text, a list or a map. Give it a value or remove the key.",
    "encoding": "The `encoding:` of a dataset is not the name of an encoding that Python knows. Examples: utf-8, "
    "latin-1, cp1252.",
    "env-not-allowed": "A template reads an environment variable that manifests may not read. SCENARIO_* variables "
    "are readable, except credentials. The caller allows others with --allow-env NAME or SCENARIO_APPLY_ENV=NAME; a "
    "manifest cannot do so itself, because it may come from someone else.",
    "extends-cycle": "Models extend each other in a circle, or the chain is too long. Remove one `extends:`.",
    "git-lfs": "A manifest is a Git LFS pointer. Run git lfs pull, and keep text files out of LFS: its filter is "
    "set in .gitattributes.",
    "id": "A text that must be an id of the service is not one. Ids consist of at most 128 letters, digits, dots, "
    "hyphens and underscores. Copy the id from the service's page of the model.",
    "import": "An import block names an address or a model that another import block uses already. Keep one of them.",
    "include-cycle": "Files include each other in a circle, or the chain is too long. Remove one `include:`.",
    "key": "A key cannot be the name of a resource. Keys consist of letters, digits, underscores and hyphens. The "
    "key is the identity of the resource; `name:` takes any text.",
    "lease-lost": "The lease on a state in a store was broken or has passed to another run. Nothing that costs is "
    "started any more, and what is in flight is recorded. See who holds it with status, then run the command again.",
    "legacy-type": "The training type is retired. The live service may answer 410 and refuse it. Use the named "
    "successor; changing the type of a trained model trains a new one.",
    "looks-renamed": "A resource that would be created is declared exactly as one was trained that is no longer "
    "declared and would be deleted. If the key was renamed, a moved block keeps the model: nothing is trained.",
    "manifest": "The manifest or something it refers to is wrong. The message names the file and the reason.",
    "many-concepts": "A composition has more concepts than Scenario's web app merges, which takes two to five. The API "
    "names no limit; the service may refuse the composition, or each part may show less.",
    "matrix-empty": "The `exclude:` of a matrix leaves no combination. Exclude less, or remove the model.",
    "matrix-exclude": "`exclude:` names a key that the matrix does not have, so the entry would never match.",
    "matrix-label": "A value of a matrix needs a label, because the label becomes a part of the address: lists and "
    "maps have no short form, and a secret must not become a name. Write a map of labels to values.",
    "matrix-too-large": "A matrix makes more models than one model entry may. Cross fewer values.",
    "missing-key": "A required key is missing. The message names it and the map that needs it.",
    "merge-conflict": "A file has the conflict markers of a Git merge (<<<<<<<, =======, >>>>>>>). Keep one version "
    "and delete the markers.",
    "moved": "A moved block is contradictory: it moves a resource to itself, to another kind, or an address that "
    "another block moves. Keep one move for each resource.",
    "moved-circle": "Moved blocks lead back to where they began, and both ends are recorded. Carried out again by "
    "every plan, they would swap the two without end. Delete the entry that no longer holds, or swap with state mv.",
    "moved-source": "A moved block names an address that is not recorded, while one of a similar name is about to be "
    "deleted and the target of the block to be created. Correct the address, or delete the entry.",
    "moved-taken": "A moved block cannot be carried out: its target is recorded already. The record at its source is "
    "no longer declared and would be deleted. Delete the entry, or forget one of the two records.",
    "moved-target": "A moved block leads to an address that is not declared, so the record stays where it is and what "
    "is declared would be created and trained. Name the address that the resource has now.",
    "name-too-long": "A name is longer than the service accepts. For children of a matrix the label counts, too. "
    "Shorten `name:`.",
    "no-concepts": "A composition has no `concepts:`. Add at least one, with a model and a scale.",
    "no-dataset": "A model has no `dataset:`. Name a key of `datasets:`, a folder, or write the dataset in place.",
    "no-file": "A file that the manifest or the command line names does not exist. Paths are relative to the file "
    "that names them.",
    "no-manifest": "No manifest was found. Without MANIFEST, scenario.yaml and then manifests/ are used. "
    "`scenario-apply init FOLDER` writes a first one from a folder of images.",
    "no-type": "A model has no `type:`. Add it to the model or under `defaults: models:`.",
    "not-a-file": "A path that must be a regular file is something else, such as a folder or a device.",
    "not-a-manifest": "A file in the folder of a manifest contains none of its sections. All .yaml files of the "
    "folder are read as one manifest; move other files elsewhere.",
    "not-a-map": "The top level of the file is a list or a single value. It must be a map of keys.",
    "not-a-number": "The value is infinite or not a number (.inf, .nan). Write a finite number.",
    "not-composable": "A composition names a model of a type that cannot be a part of it. All parts must be of the "
    "types that the composition's own type accepts.",
    "not-text": "The file is binary, not YAML. Name the manifest, or the folder it is in.",
    "not-utf-8": "A file, file name or value is not UTF-8. Save or rename it as UTF-8.",
    "odd-key": "A list or a map stands where a key is expected. Often a text that begins with { or [ needs quotes.",
    "out-of-range": "A number is outside its range. The hint names the range.",
    "parameter-left-out": "A parameter from `defaults:`, `extends:` or a matrix was left out for a model whose type "
    "does not accept it. This is a note; nothing has to be done.",
    "parameter-legacy": "The service still accepts this parameter, but marks it as deprecated. Remove it.",
    "parameter-lengths": "Two lists must have the same number of entries, such as samplePrompts and "
    "sampleSourceImages. Add or remove entries.",
    "parameter-range": "A training parameter is outside the range of its type. The service would refuse the training.",
    "same-name": "Two resources of the same type have the same display name. That is allowed, but `find` and "
    "recovery after a lost response use names. Give one another `name:`.",
    "scale-range": "The scale of a concept, or of a sample, is outside the range that the service accepts.",
    "scale-unusual": "The scale of a concept is accepted, but outside 0 to 1, which the service's guides use.",
    "schema": "The manifest breaks a rule of the JSON Schema. `scenario-apply schema manifest` prints the schema.",
    "secret-in-clear": "A secret stands where it would be stored or shown: in a manifest, on the command line, in a "
    'name or a caption. Use "{{ env.NAME }}" alone, as the value of a parameter that takes a secret.',
    "several-documents": "The file contains a second YAML document. Remove the `---`, or make it a second file of "
    "the manifest's folder.",
    "steps-twice": "A model has maxTrainSteps and also nbEpochs or nbRepeats, perhaps from `defaults:`. The service "
    "does not document which of them decides. Plans count maxTrainSteps. Keep one form: `nbEpochs: null` removes an "
    "inherited value. `scenario-apply dataset show NAME` prints the steps of each model and where the "
    "numbers come from.",
    "single-images": "The type is trained on pairs of pictures, before and after, but the dataset contains single "
    "images. They are accepted for now; the service may refuse them, or the training may learn nothing of use. Give "
    "the dataset `before:` and `after:`, or use a type for single images such as flux.1-lora.",
    "template-endless": "A template was stopped because it does too much work. Compute less in the manifest.",
    "template-failed": "A template fails when it is rendered. The message is that of Jinja2.",
    "template-refused": "A template uses something that is not allowed in manifests, such as attributes of Python "
    "objects. Templates run in a sandbox: values, filters and conditions work, access to Python does not.",
    "template-syntax": "A template is not valid Jinja2. The message is that of Jinja2.",
    "template-too-large": "A template, or all templates together, are larger than is read.",
    "too-deep": "The YAML is nested deeper than any manifest needs. It is refused to protect the reader.",
    "too-large": "The file is larger than 10 MB, or its globs, extensions or moves ask for too much work. "
    "Split it into several files or manifests, or delete what is no longer needed.",
    "text-cut": "A caption, trigger, prefix, suffix or instruction continues after ` #`, where YAML begins a comment, "
    "so only a part of it would be used. Put it in quotes; write a blank after the # of a comment.",
    "too-long": "A text or a list is longer than the service accepts.",
    "too-many": "The manifest has so many errors that the rest is not reported. Fix the first ones and run again.",
    "too-many-files": "The manifest consists of more files than are read. Check that the right folder is named.",
    "type-shape": "A composition type is used for a model. Models are trained on images; move the entry to "
    "`compositions:`.",
    "undefined-variable": "A template uses a name that is not defined. Declare it under `variables:`, set the "
    "environment variable, or correct the name. stem, path and caption are only known in captions.",
    "unknown-anchor": "A YAML alias (*name) has no anchor (&name) above it. If it is text, put it in quotes.",
    "unknown-key": "A key is not known at this place. The hint names the nearest known key, or the place where the "
    "key belongs.",
    "unknown-parameter": "No training type has such a parameter. The names are those of the Scenario API; the hint "
    "translates names of other trainers.",
    "unknown-reference": "A model, composition or dataset is used that no manifest declares. The hint names the "
    "nearest declared one. Write ./NAME if a folder is meant.",
    "unknown-type": "The training type is not known to this release. If the service has a newer type, "
    "`allow_unknown_type: true` sends it unchecked.",
    "unquoted-template": 'A template without quotes is a map to YAML. Write key: "{{ name }}".',
    "unreadable": "A file exists and cannot be read. The message has the reason of the operating system.",
    "variable-missing": "A variable has neither a default nor a value. Give it with --var, --var-file or its default.",
    "variable-name": "A variable has a name that already has a meaning in templates. Use another name.",
    "variable-unknown": "A value was given for a variable that the manifest does not declare. Correct the name or "
    "declare the variable.",
    "wrong-type": "A value is of the wrong type, such as a text where a number is expected. The hint shows the right "
    "form.",
    "wrong-value": "A value is not among those that are allowed here, or does not have the required form.",
    "yaml-merge": "The YAML merge key << takes a map or a list of maps. It was given something else.",
    "odd-character": "A character that looks like a blank, or like nothing, stands where YAML wants a space: a "
    "no-break space pasted from a web page, or a full-width colon. Replace it with a space, or put the text in quotes.",
    "yaml-syntax": "The file is not valid YAML. The marker shows where the error begins; it is often a missing quote "
    "around a text with `: `, `#`, `{` or `[`, or a wrong indentation.",
    "yaml-tab": "YAML does not allow tabs for indentation. Use two spaces for each level.",
    "yaml-tag": "YAML tags such as !!python or !Ref have no meaning in a manifest. Remove the tag, or put the text in "
    "quotes.",
}

_DATASET = {
    "dataset-changed": "A dataset changed while the command was reading it. Run the command again.",
    "dataset-url": "A URL in a dataset that cannot be read: of a kind other than s3://, gs://, az:// and https://, a "
    "zip file, or one with a password or a query. Credentials of a store belong in the environment.",
    "remote": "A store or web server refused a file of a dataset, did not answer, or leads to an address that is not "
    "read. Nothing was changed. Check the URL and the store's variables, and run the command again.",
    "image-changed": "An image changed after it was planned, so it is not the picture that was approved. Plan again.",
    "image-damaged": "An image cannot be decoded. It is checked again immediately before its upload. Export it again.",
    "image-missing": "An image disappeared after it was planned, or can no longer be read. Restore it or plan again.",
    "lfs-pointer": "The file is a Git LFS pointer, not the picture itself. A plan can use the pointer; an upload "
    "needs the picture. An apply looks for it in .git/lfs, then lets git-lfs download it: with your own access to the "
    "server if --lfs-pull or SCENARIO_APPLY_LFS_PULL=1 allows it, without credentials if only --auto-approve is given. "
    "Where that fails, nothing is made, and the hint gives the command that pulls exactly these images. "
    "Git may list a pulled image as modified until `git add IMAGE`; its content is unchanged.",
    "too-many-images": "The datasets contain more images than a command reads. No training takes that many; select "
    "the best, or split the manifest.",
}

_PLAN = {
    "asset-gone": "Images that an earlier run uploaded were deleted on Scenario, perhaps in the web app. The models "
    "trained on them are unaffected. New models cannot use the deleted assets, so the images are uploaded again.",
    "find-ambiguous": "A concept with `find:` matches several models of the project. Name one of them with `modelId:`.",
    "epoch-unknown": "A model asks for an epoch, or a composition for one of a part, that the training does not have, "
    "or will not have with its nbEpochs. Choose one that the message names. The training itself stays as it is.",
    "find-nothing": "A concept with `find:` matches no model of the project with this exact name and type. The hint "
    "lists the nearest ones. Public models of others are named with `modelId:`.",
    "plan": "The sum of a plan, as `plan --format github` annotates it. `plan create`, `plan replace` and others "
    "beside it name what is paid for or deleted. An annotation `and 12 more` counts what GitHub would not show.",
    "plan-partial": "An apply of this plan would leave something of the manifest undone: deletes that were not "
    "allowed (--allow-destroy), or resources that --select or --exclude leaves out. `plan --format github` annotates "
    "it.",
    "gate": "A limit of the manifest (`limits:`) or of the command line (--limit) stops the plan. Nothing was "
    "changed. Review the plan; raise the limit for this run with --limit KEY=N if the change is intended.",
    "export": "Models cannot be written into this manifest or folder. The message gives the reason: the place is "
    "taken, a block of the manifest is written on one line, or a model is not what its address says. Nothing was "
    "changed.",
    "import-foreign": "The model to import does not belong to this project. Only models of the project can be managed; "
    "public ones can be parts of a composition.",
    "import-nothing": "The service has no model with this id. Check the id and the project.",
    "import-recorded": "The model to import is already recorded under another address. Use a moved block instead.",
    "import-taken": "The address of an import block already records another model. Import to another address.",
    "import-type": "The model to import has another type than its declaration. Declare the type it has.",
    "import-undeclared": "An import block names a resource that the manifest does not declare, so nothing is "
    "imported. Declare it, or let `scenario-apply import --blocks MANIFEST` write its part of the manifest from what "
    "Scenario holds.",
    "import-unseen": "An import needs the service to be asked. Run the plan without --no-refresh.",
    "part-foreign": "A composition uses a model that is neither public nor a model of this project.",
    "part-nothing": "A composition names a model by its id, and the service shows none with that id: it was mistyped, "
    "the model was deleted, or it is a private model of another project. Check the id in the web app. A composition "
    "that was trained with it before stays as it is.",
    "plan-differs": "A saved plan does not contain the steps that planning again from the same inputs gives. The file "
    "was changed or made by another release; it is not applied. Make a new one with plan --out FILE.",
    "plan-file": "A file is not a saved plan that this release can read, or a plan cannot be saved there.",
    "plan-stale": "Something changed after the plan was saved: the manifest, a picture, a caption, the state or the "
    "service. The message names it. Plan again, review, and apply the new file.",
    "protected": "A resource with lifecycle.prevent_destroy would be deleted, or would lose a model that "
    "it is made of. The protection is recorded in the state, so that removing the entry does not remove it. Apply "
    "prevent_destroy: false first.",
    "queued-long": "A training has been queued unusually long. The service may be busy; check its status page, or "
    "cancel the training there.",
    "unrecorded-model": "The service holds a model of the name and type that a resource is about to be created with, "
    "and no record names it: the state may be another one, or it was made by hand. An import block takes it over.",
    "untrained-part": "A composition waits for a model that this plan does not train, because it is set to manual, "
    "disabled or not selected. Train it with --train ADDRESS, or select it.",
}

_STATE = {
    "address-taken": "The target of state mv is already recorded. Remove it with state rm first; the service keeps it.",
    "journal-left": "An earlier run did not end properly and left its journal. `scenario-apply apply` recovers what "
    "it did; afterwards the command can be used again.",
    "no-previous-version": "The resource has no trained previous version. lifecycle.keep_versions sets how many "
    "versions are kept when a new one is trained.",
    "no-state": "There is no state file yet. The first apply creates it. Check --state if one should exist.",
    "not-held": "rollback --lift was used for a resource that no rollback holds.",
    "not-recorded": "The state contains no such resource. `scenario-apply state list` shows what it contains.",
    "same-training": "Several resources are trained on the same images, captions and parameters, or one like a model "
    "that exists. Each is paid for. This may be meant, for example to compare seeds.",
    "state": "The state cannot be used. The message has the reason. A state is never overwritten after an error.",
    "state-alone": "The manifest cannot be read, but this command needs only the state. Name it with --state FILE.",
    "state-conflict": "The state holds the conflict markers of Git: two branches recorded different things. state "
    "merge joins both sides, unless they contradict each other. A backup holds one side only: what the other made "
    "would be paid for again.",
    "state-contradiction": "Two states that are merged record different things at one address, and nothing tells which "
    "is the later one. Remove the record from a copy of one of them with state rm, then merge again.",
    "state-damaged": "The state file cannot be read as a state. Nothing was changed. The hint names the way back: a "
    "backup that holds what was last recorded here, or version control where that is newer. What a restored state does "
    "not know would be made and paid for again, unless import blocks adopt it.",
    "state-elsewhere": "The state that is asked for is not there, while another one records what the manifest "
    "declares. With an empty state everything is created and trained again. The hint names the other one.",
    "state-foreign": "The state belongs to another endpoint, project or lineage, or is older than the recorded one. "
    "Applying it would delete or duplicate the wrong models. Check --state and the credentials.",
    "state-host": "The manifest names a server or database for its state that the caller did not name. A manifest may "
    "come from someone else, so no request, and none of your credentials, is sent to a host that it alone chose. Name "
    "the state with --state, or the host in SCENARIO_APPLY_ALLOW_REMOTE.",
    "state-link": "The state is a link that is not followed: it leads out of the Git checkout it lies in, to something "
    "that is not named like a state, in a circle, or to a folder that is not there. Name the file itself with --state.",
    "state-locked": "Another run holds the lock of the state. The message names it. Wait with --lock-timeout S; if "
    "that run no longer exists, break the lock with force-unlock.",
    "state-moved": "The state was moved to another place with state migrate, and what is left here is only its last "
    "copy. Recording in both would make two states of one. Name the new place, as the hint says.",
    "state-newer": "The state was written by a newer release with fields that this one would lose. Upgrade.",
    "state-not-saved": "The state could not be written: the disk is full, or the folder cannot be written. The journal "
    "or an emergency copy has everything that was done; the message names the commands that restore it.",
    "state-shared": "Two manifests have the same state, because their names differ in the ending only. Each would "
    "delete what only the other declares. Rename one, or give one a state of its own.",
    "state-twin": "The same manifest was applied before under another name (file or folder), and has a state of its "
    "own. Continuing would create everything twice. Name the manifest as before, or use --state.",
    "version-gone": "The previous version no longer exists on the service, or is not trained.",
}

_API = {
    "answer-lost": "A request was sent and its response was lost, so it is unknown whether it was carried out. Apply "
    "again: what was created is found on the service and adopted, nothing is repeated blindly.",
    "api": "The service could not be used as expected. The message has the reason.",
    "sample-base": "The base model that draws the samples of a type is not known, or the given one does not take that "
    "type. It is never guessed: write `samples: { base: MODEL_ID, prompts: [...] }` with the id of a base model whose "
    "inputs take it.",
    "bad-answer": "The response of the service does not have the documented form. Check SCENARIO_BASE_URL and proxies; "
    "if both are right, report it.",
    "bad-id": "An id contains characters that no id of the service has, and would change the URL of the request.",
    "base-url": "SCENARIO_BASE_URL cannot be used: it is not a URL, or would send credentials unencrypted. Use "
    "https://; --allow-http permits http:// in a network that you trust.",
    "cooldown": "The service asks to wait between two launches of trainings. apply waits by itself.",
    "no-answer": "A read request got no complete response after several attempts. Nothing was changed. Try again.",
    "drafts-not-kept": "The record of requests for drafts that may have been charged, .scenario/caption-drafts.json, "
    "cannot be read or written. Without it a draft might be paid twice, so none is requested. Repair or delete it.",
    "nothing-recorded": "The command needs the captions that Scenario has, and no model of the dataset exists yet. Run "
    "apply first.",
    "no-credentials": "SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET are not set. Set them, or use --local to run "
    "against the embedded Scenario, which needs no account.",
    "not-found": "The service has no such object, or the credentials may not see it (404).",
    "plan-ceiling": "A limit of the account's subscription is reached. Waiting does not lift it. Parallel trainings "
    "are retried when others of the run end; other limits stop the run.",
    "price-unknown": "The price of a training could not be asked for: the dry run failed or got no answer. The plan is "
    "made without it, with an estimate where the state has a training of that type. A limit on cost stops the launch "
    "of a training without a price.",
    "rate-limited": "The service refused requests because there were too many. apply slows down and retries; the error "
    "appears only when that did not help. Lower --rate-limit if other programs use the same project.",
    "refused": "The service refused a request. The message has its own reason.",
    "unauthorized": "The service did not accept the credentials (401). Check the key, the secret and the project.",
    "unreachable": "No connection to the service: the host was not found, refused the connection, or TLS failed. The "
    "request was not carried out. Check the network, proxies and SCENARIO_BASE_URL.",
    "weights": "Trained weights cannot be exported, or not into that folder. The message gives the reason. What was "
    "downloaded is kept in a .part file, and the same command continues it; nothing in the folder is overwritten.",
    "write-in-plan": "A plan tried to write to the service. This is a bug; the request was not sent. Please report it.",
}

_RUN = {
    "ambiguous-adoption": "The response to a create request was lost, and several objects on the service could be its "
    "result. Check them there and name the right one with --adopt ID.",
    "apply": "The run could not be completed. Completed steps are recorded; the ledger names the next command.",
    "engine-unusable": "The engine of --engine cannot be used: its package is not installed, no scheduler answers at "
    "the address, or its workers lack scenario-apply in this version. Nothing was done; the hint says what to check.",
    "error": "An error without a more specific code. The message has the reason.",
    "events": "The event log of --events cannot be written. Nothing was applied. Use another file.",
    "page": "The page of `report --out` or `apply --report` cannot be written. Nothing was applied. Name a file in a "
    "folder that exists.",
    "init": "No manifest can be written there, or from that folder. The message has the reason.",
    "internal": "An error that was not foreseen. It is a bug; --debug shows where. What was done is recorded, and "
    "apply can be run again.",
    "interrupted": "The run was stopped with Ctrl-C. Requests in flight were finished and recorded; trainings continue "
    "on the service. Run the same command to resume.",
    "local-service": "The embedded Scenario of --local did not start. The message has its last output.",
    "no-approval": "The command needs approval and no terminal is attached. Use --auto-approve, or apply a plan that "
    "was saved and reviewed.",
    "no-consent-to-deletes": "A saved plan deletes models, and deletes need consent of their own. Add --allow-destroy.",
    "output-clash": "Two addresses give the same name of an environment variable. Use --format json, or rename one.",
    "output-unsafe": "An id is not safe in a file of environment variables. The state was not written by this tool; "
    "check it. --format json escapes such values.",
    "store-unavailable": "The store of the state does not answer, or refuses: no credentials, no such bucket, no "
    "permission, or a package that is not installed. Nothing was changed; the hint says what to check.",
    "system": "The operating system refused something. The message has its reason and the file.",
    "target-taken": "A file exists where an option would write, and it is not of the kind that the option writes. It "
    "is not overwritten. Use another name or move the file. Or there is no folder for the file: create it first.",
    "unsafe-file": "A file that the tool would use is a link, or others may change it. It is not used, because the "
    "repository could redirect the tool. Delete it.",
    "usage": "The command line is wrong. The message names the option; COMMAND --help lists all of them.",
}

DIAGNOSTIC_GROUPS: Mapping[str, Mapping[str, str]] = {
    "The manifest": _MANIFEST,
    "Images and captions": _DATASET,
    "Planning": _PLAN,
    "The state": _STATE,
    "The service": _API,
    "Runs and the command line": _RUN,
    "Samples, epochs and versions": SAMPLE_TEXTS,
    "Pipelines": PIPELINE_TEXTS,
    "Fleets": FLEET_TEXTS,
}
DIAGNOSTIC_TEXTS: Mapping[str, str] = {
    code: text for group in DIAGNOSTIC_GROUPS.values() for code, text in group.items()
}
