"""What a draft begins with: a small template that works, another version of a published one, or an adaptation. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.templates.document import read_yaml
from app.templates.merging import rewritten
from app.templates.overlays.versions import precedence
from app.templates.studio.editing.writing import respelled
from app.templates.workbench.files import LIBRARY

SKELETON = LIBRARY / "skeleton" / "template.yaml"
_PARTNER = re.compile(r"[^a-z0-9]+")
_OVERLAY = """\
# Your adaptation of {id} {version}. Write only what is different; lists are found by their ids.
slipway: "1"
overlay: {partner}-{id}
version: 1.0.0
partner: {partner}
base:
  id: {id}
  version: {version}
  digest: {digest}

patch:
  title: {title}
"""


def skeleton() -> str:
    """A small template of two stages that has no problems."""
    return SKELETON.read_text("utf-8")


def text_of_document(document: Mapping[str, Any]) -> str:
    """A published document as a person would write it."""
    return rewritten("slipway: x\n", dict(document))


def next_version_of(document: Mapping[str, Any], published: list[str], source: str = "") -> str:
    """The text of the next version of a published one: from the source that it was published from, if that is kept."""
    own = str(document["version"])
    major = precedence(own)[0][0]
    newest = max([own, *(each for each in published if precedence(each)[0][0] == major)], key=precedence)
    number = newest.partition("-")[0].split(".")
    raised = f"{number[0]}.{int(number[1]) + 1}.0"
    if not source:
        return text_of_document({**document, "version": raised})
    return respelled(source, {**read_yaml(source, "").document, "version": raised})


def adaptation_of(document: Mapping[str, Any], digest: str, partner: str) -> str:
    """The text of an adaptation that changes no more than the title, for its author to go on."""
    title = {str(name): f"{said}" for name, said in dict(document["title"]).items()}
    from_yaml = rewritten("title: x\n", {"title": title}).removeprefix("title: ").strip()
    named = _PARTNER.sub("-", partner.lower()).strip("-")
    words = {"digest": digest, "partner": named, "title": from_yaml}
    return _OVERLAY.format(id=document["id"], version=document["version"], **words)
