"""The JSON door through which credentials come in: write-only."""

from functools import partial

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from app.access.permissions import Permission
from app.flow.fields import AnswersRefused
from app.flow.kinds.handing import NotYourCredentials
from app.flow.steps.draft import NotOpen
from app.flow.steps.work import NotYourTask
from app.kernel.work import Work
from app.onboarding.api.answers import ASKED, Asked
from app.onboarding.api.described import ITEM_SHOWN, sent, step
from app.onboarding.api.doors import ONBOARDING
from app.onboarding.handing.operations import ValuesRefused, hand_over
from app.onboarding.handing.schemas import CredentialValues
from app.onboarding.queries.wire.items import get_item
from app.vault.queries import KeysMissing
from app.vault.secret import Secret
from app.web.wire.doors import commands

_ASKED = {"id": "api_token", "label": {"en": "API token"}, "type": "secret", "required": True, "options": []}
_DONE = {"key": "task.access", "title": {"en": "Hand over the access"}, "state": "done", "answers": {"api_token": True}}
GIVE = sent(
    step("The task, done. What was given reads as true.", ITEM_SHOWN | _DONE | {"questions": [_ASKED]}),
    CredentialValues,
    {"values": {"api_token": "wb_example_only"}},
    Permission.TASK_COMPLETE,
    *(NotOpen, NotYourTask, NotYourCredentials, ValuesRefused, AnswersRefused, KeysMissing),
)


class CredentialDoors(Controller):
    """Credentials of a step of one's own side."""

    path = ONBOARDING
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)
    dependencies = ASKED

    @commands("/tasks/{task:str}/credentials", "tasks.giveCredentials", GIVE)
    def give(self, of: NamedDependency[Asked], task: FromPath[str], body: RawBody) -> Response[bytes]:
        """Hand credentials over, or replace them. The values are sealed as they arrive; no door gives them back."""
        values = {name: Secret(value) for name, value in of.read(body, CredentialValues).values.items()}

        def command(work: Work) -> object:
            return hand_over(work, onboarding_id=of.onboarding_id, task=task, values=values)

        return of.once({"fields": sorted(values)}, command, partial(get_item, key=task))
