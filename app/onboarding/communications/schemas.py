"""The message of a task on the wire."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Text = dict[str, str]  # by language


class SendsOut(Struct, frozen=True):
    """The message of a task that sends, with its policy.

    `by_itself`: it goes out when its turn has come, and nobody is asked. `approval` is the role that alone can send it
    now. Both are null, and `unclear` is true, where a rule cannot be judged: then nothing is sent. `subject` and `body`
    are the template's words by language; who completes the task sends their own under the same names.
    """

    communication: str
    kind: str
    mode: Literal["automatic", "draft"]
    to: str
    replies_to: str
    subject: Text
    body: Text
    may_promise: Text
    must_not_promise: Text
    by_itself: bool | None
    approval: str | None
    unclear: bool
