"""What a template is made of, as an author sees it: each kind of element, its usual properties, what stands in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from app.flow.definition import EXCEPTION_TYPES, REASON_CODES
from app.web.translations import mark

Widget = Literal["text", "word", "number", "duration", "select", "role", "roles", "names", "flag", "condition"]
Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Property:
    """One property that the form of an element offers; `name` is its path in the element."""

    name: str
    label: str
    widget: Widget
    options: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A list in an element: its path there, the kind of its elements, and what a new one begins with.

    `adding` is what the button says; without it, there is none.
    """

    at: Place
    kind: str
    label: str
    adding: str = ""
    fresh: dict[str, Any] = field(default_factory=dict)
    called: str = ""

    @property
    def name(self) -> str:
        """What tells it from the other lists of its element: the last word of its path, or what it is called."""
        return self.called or self.at[-1]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of element. `naming` is the property it is called by."""

    name: str
    label: str
    naming: str
    properties: tuple[Property, ...]
    parts: tuple[Part, ...] = ()


_KINDS_OF_FIELD = (
    *("text", "long_text", "email", "url", "phone", "integer", "decimal"),
    *("select", "choices", "boolean", "date", "list"),
)
_TASK_KINDS = (
    *("form", "check", "approval", "meeting", "training", "message"),
    *("action", "credential", "file", "signature"),
)
_ID = Property(
    "id", mark("Short name"), "word", help=mark("Lower case, without spaces. What refers to it follows along.")
)
_TITLE, _LABEL = Property("title", mark("Title"), "text"), Property("label", mark("Label"), "text")
_HELP = Property("help", mark("What it is about"), "text")
_OWNER = Property("owner", mark("Owner"), "role")
_WHEN = Property("when", mark("Only when"), "condition", help=mark("It is left out while this is not true."))
_AFTER = Property("depends_on", mark("Comes after"), "names", help=mark("task.…, milestone.… or gate.…, one a line."))
_DUE = Property("due", mark("Due after"), "duration")
_OPTIONAL = Property("optional", mark("May be left out by the people"), "flag")
_ENTRY, _EXIT = (
    (Property(f"{name}.business", label, "condition"), Property(f"{name}.compliance", other, "condition"))
    for name, label, other in (
        ("entry", mark("Begins when"), mark("Begins when (compliance)")),
        ("exit", mark("Ends when"), mark("Ends when (compliance)")),
    )
)
_ANSWER = (
    _LABEL,
    _ID,
    Property("type", mark("Kind of answer"), "select", _KINDS_OF_FIELD),
    Property("required", mark("An answer is needed"), "flag"),
    _HELP,
)
_LIMITS = (Property("minimum", mark("At least"), "number"), Property("maximum", mark("At most"), "number"))
_PERSONAL = Property("personal", mark("Personal: the trail keeps a commitment only"), "flag")
_SLOT = (
    _LABEL, _ID,
    Property("accept", mark("Kinds of file"), "names", help=mark("pdf, png, docx, xlsx, csv, zip …, one a line.")),
    Property("max_mb", mark("Largest file, in MB"), "number"),
    Property("at_least", mark("At least"), "number"),
    Property("at_most", mark("At most"), "number"),
    _HELP,
)  # fmt: skip
_EXCEPTION = Property("exception", mark("Opens the exception"), "select", EXCEPTION_TYPES)
_REASON = Property("reason_code", mark("Reason code"), "select", REASON_CODES)
_NEW = {"en": "New"}

_TEMPLATE = (
    Property("title", mark("Title"), "text"),
    Property("description", mark("Description"), "text"),
    Property("id", mark("Short name"), "word", help=mark("The same in every version.")),
    Property("version", mark("Version"), "word", help=mark("Raise it with every change that you publish.")),
    Property("audience", mark("Audience"), "select", ("msp", "saas", "erp", "integrator")),
    Property(
        "lifecycle", mark("Phase of the customer"), "select",
        ("onboarding", "renewal", "expansion", "escalation", "offboarding"),
    ),
    Property("first_value.milestone", mark("First value is the milestone"), "word"),
    Property("first_value.definition", mark("First value means"), "text"),
    Property("first_value.proof", mark("Proven by"), "text"),
)  # fmt: skip
_STAGE = (
    _TITLE, _ID, _OWNER, _HELP,
    Property("slo", mark("Time for the stage"), "duration"),
    Property("trouble.exception", mark("When it is over, open"), "select", EXCEPTION_TYPES),
    Property("trouble.reason_code", mark("Reason code"), "select", REASON_CODES),
    Property("trouble.message", mark("What is said then"), "text"),
    Property("after", mark("Comes after the stages"), "names"),
    *_ENTRY, *_EXIT, _WHEN,
)  # fmt: skip
_MILESTONE = (
    _TITLE, _ID,
    Property("layer", mark("Layer"), "select", ("internal", "implementation", "value")),
    _OWNER, _HELP, _DUE,
    Property("evidence.label", mark("Evidence"), "text"),
    Property("evidence.source", mark("Evidence comes from"), "select", ("tasks", "person")),
    _AFTER, *_ENTRY, *_EXIT, _WHEN, _OPTIONAL,
)  # fmt: skip
_TASK = (
    _TITLE, _ID, Property("kind", mark("Kind"), "select", _TASK_KINDS), _OWNER, _DUE, _HELP, _AFTER,
    _WHEN, _OPTIONAL,
    Property("action.connector", mark("Connector"), "word"),
    Property("action.action", mark("Action of the connector"), "word"),
    Property("credential.connector", mark("Fills the connection of"), "word", help=mark("The connector that uses it.")),
    Property("signature.text", mark("Text to sign"), "text"),
    Property("signature.role", mark("Signed by"), "role", help=mark("Anybody of the side, where nobody is named.")),
    Property("signature.signers", mark("How many sign"), "number", help=mark("All of a role: write all in the text.")),
    Property("on_refusal.exception", mark("When refused, open"), "select", EXCEPTION_TYPES),
    Property("on_refusal.reason_code", mark("Reason of the refusal"), "select", REASON_CODES),
    Property("sends", mark("Sends the message"), "word"),
)  # fmt: skip
_HANDED = (
    _LABEL, _ID,
    Property("type", mark("Kind of value"), "select", ("secret", "text", "url")),
    Property("optional", mark("May be left empty"), "flag"),
    _HELP,
    Property("pattern", mark("Looks like (pattern)"), "word"),
    Property("min_length", mark("Characters at least"), "number"),
    Property("max_length", mark("Characters at most"), "number"),
)  # fmt: skip
_GATE = (
    _TITLE, _ID, Property("reviewer", mark("Decided by"), "role"), _HELP, _DUE,
    Property("handoff", mark("Judges the handoff"), "flag"), _AFTER, _WHEN, _OPTIONAL,
    Property("override_reason", mark("What an override is asked"), "text"),
)  # fmt: skip
_HANDOFF = (
    *_ANSWER[:3],
    Property("rule", mark("When it is missing"), "select", ("hard", "soft", "info")),
    Property("source", mark("Known from"), "select", ("crm", "sales", "contract", "billing", "customer", "partner")),
    Property("why", mark("Why it is asked"), "text"),
    _EXCEPTION, _REASON, _HELP, _PERSONAL,
)  # fmt: skip
_ROLE = (
    _LABEL, _ID,
    Property("side", mark("Side"), "select", ("partner", "customer")),
    Property("fallback", mark("Where nobody holds it"), "role"),
)  # fmt: skip
_TIMER = (
    _ID,
    Property("item", mark("Watches"), "word", help=mark("task.…, milestone.… or gate.…")),
    Property("starts", mark("Counts from"), "select", ("opened", "started")),
)
_RUNG = (
    Property("after", mark("After"), "duration"),
    Property("role", mark("Tell"), "role"),
    Property("message", mark("Say"), "text"),
    _EXCEPTION, _REASON,
)  # fmt: skip
_ROUTE = (
    _LABEL,
    Property("route", mark("Goes to"), "roles"),
    Property("escalate", mark("Climbs to"), "roles"),
    Property("first_response", mark("First response"), "text"),
    Property("respond_within", mark("Respond within"), "duration"),
)
_CONTROL = (
    _LABEL, _ID,
    Property("when", mark("Open it while"), "condition"),
    Property("on", mark("Stands on"), "word"),
    _EXCEPTION, _REASON,
    Property("blocks", mark("Holds up what it stands on"), "flag"),
)  # fmt: skip
_LETTER = (
    Property("subject", mark("Subject"), "text"), _ID,
    Property("body", mark("Text"), "text"),
    Property("to", mark("To"), "role"),
    Property("mode", mark("Sent"), "select", ("automatic", "draft")),
    Property("replies_to", mark("Answers go to"), "role"),
    Property("suppress", mark("Not while"), "condition"),
)  # fmt: skip

_FRESH_FIELD = {"id": "new", "label": _NEW, "type": "text"}
_FRESH_SLOT = {"id": "new", "label": _NEW, "accept": ["pdf"]}
_FRESH_HANDED = {"id": "new", "label": _NEW}
_FRESH_TASK = {"id": "new", "kind": "form", "title": _NEW, "owner": "", "fields": [_FRESH_FIELD]}
_FRESH_MILESTONE = {
    "id": "new", "layer": "implementation", "title": _NEW, "owner": "",
    "evidence": {"label": _NEW, "source": "tasks"}, "tasks": [],
}  # fmt: skip
_FRESH_GATE = {
    "id": "new", "title": _NEW, "reviewer": "", "shows": [], "records": [], "validations": [],
    "decisions": [
        {"id": "accept", "label": {"en": "Accept"}, "effect": "pass"},
        {"id": "ask", "label": {"en": "Return"}, "effect": "return"},
    ],
    "must_escalate": [], "override_reason": {"en": "Why?"}, "logged": ["reviewer", "decision", "reason"],
}  # fmt: skip
_FRESH_HANDOFF = {**_FRESH_FIELD, "rule": "info", "source": "sales", "why": _NEW}
_FRESH_ROLE = {"id": "new", "label": _NEW, "side": "partner"}
_FRESH_RUNG = {"after": {"business_days": 1}, "role": "", "message": _NEW}
_FRESH_STAGE = {"id": "new", "title": _NEW, "owner": "", "milestones": []}

KINDS = {
    kind.name: kind
    for kind in (
        Kind("template", mark("Template"), "title", _TEMPLATE, (
            Part(("stages",), "stage", mark("Stages"), mark("Add a stage"), _FRESH_STAGE),
            Part(("handoff", "fields"), "handoff", mark("Handoff"), mark("Add a handoff field"), _FRESH_HANDOFF),
            Part(("inputs",), "input", mark("Inputs"), mark("Add an input"), _FRESH_FIELD),
            Part(("roles",), "role", mark("Roles"), mark("Add a role"), _FRESH_ROLE),
            Part(("timers",), "timer", mark("SLAs"), mark("Add an SLA"), {"id": "new", "item": "", "ladder": []}),
            Part(("communications",), "letter", mark("Messages")),
            Part(("controls",), "control", mark("Controls")),
            Part(("exceptions",), "route", mark("Exceptions")),
        )),
        Kind("stage", mark("Stage"), "title", _STAGE, (
            Part(("gates",), "gate", mark("Gates"), mark("Add a gate"), _FRESH_GATE),
            Part(("milestones",), "milestone", mark("Milestones"), mark("Add a milestone"), _FRESH_MILESTONE),
        )),
        Kind("milestone", mark("Milestone"), "title", _MILESTONE, (
            Part(("tasks",), "task", mark("Tasks"), mark("Add a task"), _FRESH_TASK),
        )),
        Kind("task", mark("Task"), "title", _TASK, (
            Part(("fields",), "question", mark("Questions"), mark("Add a question"), _FRESH_FIELD),
            Part(("files",), "slot", mark("Files to hand over"), mark("Ask for a file"), _FRESH_SLOT),
            Part(
                ("credential", "fields"), "handed", mark("Credentials"), mark("Add a credential"), _FRESH_HANDED,
                "credential",
            ),
        )),
        Kind("gate", mark("Gate"), "title", _GATE),
        Kind("question", mark("Question"), "label", (*_ANSWER, *_LIMITS, _WHEN, _PERSONAL)),
        Kind("slot", mark("File to hand over"), "label", _SLOT),
        Kind("handed", mark("Credential"), "label", _HANDED),
        Kind("handoff", mark("Handoff field"), "label", _HANDOFF),
        Kind("input", mark("Input"), "label", (*_ANSWER, *_LIMITS)),
        Kind("role", mark("Role"), "label", _ROLE),
        Kind("timer", mark("SLA"), "id", _TIMER, (
            Part(("ladder",), "rung", mark("Rungs"), mark("Add a rung"), _FRESH_RUNG),
        )),
        Kind("rung", mark("Rung"), "message", _RUNG),
        Kind("route", mark("Exception"), "label", _ROUTE),
        Kind("control", mark("Control"), "label", _CONTROL),
        Kind("letter", mark("Message"), "subject", _LETTER),
        Kind("word", mark("Text"), "", (Property("", mark("Text"), "text"),)),
        Kind("include", mark("Included component"), "include", (
            _ID, Property("include", mark("Component"), "word"), _AFTER, _WHEN,
        )),
    )
}  # fmt: skip
