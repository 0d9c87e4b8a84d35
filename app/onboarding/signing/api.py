"""The JSON door through which people sign. Declining is the answer `signed: false` to the step, with a comment."""

from functools import partial

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from app.access.permissions import Permission
from app.flow.fields import AnswersRefused
from app.flow.kinds.refusing import NotTheSigner
from app.flow.kinds.signing import AlreadySigned, TextChanged
from app.flow.steps.draft import NotOpen
from app.flow.steps.work import NotYourTask
from app.kernel.work import Work
from app.onboarding.api.answers import ASKED, Asked
from app.onboarding.api.described import ITEM_SHOWN, sent, step
from app.onboarding.api.doors import ONBOARDING
from app.onboarding.queries.wire.items import get_item
from app.onboarding.signing.operations import Signed, sign_text
from app.onboarding.signing.rules import NotConfirmed, OnlyAPerson
from app.onboarding.signing.schemas import SignatureWish
from app.web.wire.doors import commands

_DIGEST = "6a8a3dff6be1bd1f55d1ee8b1a1e1f0b0c9a5f8e7d6c5b4a39281706f5e4d3c2"
_DONE = {"key": "task.accept_risks", "title": {"en": "Accept the remaining risks"}, "state": "done", "questions": []}
SIGN = sent(
    step("The task, done with the last of those who sign.", ITEM_SHOWN | _DONE),
    SignatureWish,
    {"name": "Maria Lopez", "locale": "en", "digest": _DIGEST, "confirmed": True},
    Permission.TASK_COMPLETE,
    *(NotOpen, NotYourTask, NotTheSigner, OnlyAPerson, NotConfirmed, TextChanged, AlreadySigned, AnswersRefused),
)


class SignatureDoors(Controller):
    """Signatures of a step of one's own side."""

    path = ONBOARDING
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)
    dependencies = ASKED

    @commands("/tasks/{task:str}/signature", "tasks.sign", SIGN)
    def sign(self, of: NamedDependency[Asked], task: FromPath[str], body: RawBody) -> Response[bytes]:
        """Sign the text of that digest, as yourself. Service accounts cannot: a signature is a person's."""
        said = of.read(body, SignatureWish)
        signed = Signed(name=said.name, locale=said.locale, digest=said.digest, confirmed=said.confirmed)

        def command(work: Work) -> object:
            return sign_text(work, onboarding_id=of.onboarding_id, task=task, signed=signed)

        return of.once(said, command, partial(get_item, key=task))
