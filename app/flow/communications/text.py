"""The words of a message: what they are asked for by, and what is refused in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from app.flow.fields import AnswersRefused, Field, Text, Value

LONGEST_SUBJECT: Final = 200  # characters: what a mail's header holds uncut
MESSAGE_FIELDS: Final = (
    Field(id="subject", label={"en": "Subject", "de": "Betreff", "ar": "الموضوع"}, required=True),
    Field(id="body", label={"en": "Message", "de": "Nachricht", "ar": "الرسالة"}, type="long_text", required=True),
)
AS_WRITTEN: Final = "und"  # the language of what a person wrote: nobody has said which it is
_PLACEHOLDER: Final = re.compile(r"\{[a-z][a-z0-9_]*\}")
_LINES: Final = re.compile(r"\r\n?")
# What no header may hold: controls, line ends, and marks that turn the direction of what follows.
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def written_text(answers: Mapping[str, Value]) -> dict[str, Value]:
    """What a person wrote, as it goes out: line ends are plain, all else as it is. Raises AnswersRefused."""
    subject, body = str(answers["subject"]), _LINES.sub("\n", str(answers["body"]))
    errors = [("/answers/subject", reason) for reason in (_why_unfit(subject),) if reason]
    for name, text in (("subject", subject), ("body", body)):
        if found := left_open(text):
            errors.append((f"/answers/{name}", f"“{found}” still stands here; write what it is to say."))
    if errors:
        raise AnswersRefused(f"This message cannot be sent as it is: {errors[0][1]}", errors=errors)
    return {**answers, "subject": subject, "body": body}


def left_open(text: str) -> str | None:
    """A placeholder that nobody has filled, if there is one."""
    found = _PLACEHOLDER.search(text)
    return found.group() if found else None


def in_language(text: Text, language: str) -> str:
    """A text of the template in a language, else in English, else in whichever there is."""
    return text.get(language) or text.get("en") or next(iter(text.values()), "")


def _why_unfit(subject: str) -> str | None:
    if len(subject) > LONGEST_SUBJECT:
        return f"This is longer than {LONGEST_SUBJECT} characters."
    return "A subject is one line, without control characters." if _UNFIT.search(subject) else None
