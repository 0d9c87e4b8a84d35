"""What is expected of each route: by its door, and one line with a reason for whatever is otherwise.

A route that is new needs no line here as long as its door keeps everybody out who has no business behind it.
"""

from __future__ import annotations

from tests.integration.access.matrix.routes import Route
from tests.integration.access.matrix.town import Someone, Town

# Doors for anybody, and what each of them shows.
OPEN = {
    "GET /.well-known/oauth-authorization-server": "how software gets tokens on this host",
    "GET /api": "nothing: only the document below has an address",
    "GET /api/openapi.json": "what the API is; the same for everybody",
    "GET /api/{path:str}": "nothing",
    "GET /brand/{file:str}": "how the host looks",
    "GET /favicon.ico": "the mark of the host",
    "GET /gallery": "the kit, on the platform's own host",
    "GET /calendar/{token:str}/steps.ics": "whoever has the token of a feed reads it",
    "GET /calendar/{token:str}/{onboarding_id:uuid}/dates.ics": "the same",
    "GET /healthz": "whether the process lives",
    "GET /inbox": "the demo's mail, on the platform's own host",
    "GET /readyz": "whether the process can work",
    "GET /sign-in": "the ways in, of the partner's own providers too",
    "GET /sign-in/callback": "the way back from a provider, for who set out",
    "GET /sign-in/with/{connection_id:uuid}": "the way to a provider",
    "GET /sign-in/{token:str}": "a mailed link",
    "GET /static/{file_path:path}": "built files",
    "HEAD /static/{file_path:path}": "built files",
    "POST /hooks/{token:str}": "messages that prove themselves by token and signature",
    "POST /oauth/revoke": "who proves itself may end its token",
    "POST /oauth/token": "who proves itself gets a token",
    "POST /preferences": "one's own language and look",
    "POST /sign-in": "a link is mailed to whoever is known; the answer does not say who is",
    "POST /sign-in/backchannel-logout": "a provider's signed word",
    "POST /sign-in/{token:str}": "a mailed link",
    "POST /sign-out": "one's own session",
}

# What everybody who belongs to a workspace may do in it, a viewer too.
FOR_VIEWERS = {
    "GET /api/v1/tenants/{tenant_id:uuid}/delegations": "who has access to a workspace is no secret in it",
    "GET /api/v1/tenants/{tenant_id:uuid}/delegations/{delegation_id:uuid}": "the same",
    "GET /api/v1/tenants/{tenant_id:uuid}/explain": "of oneself everybody may ask",
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings": "onboarding:onboarding:read",
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}": "onboarding:onboarding:read",
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/exceptions": "reads it",
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/exceptions/{exception_id:uuid}": "reads it",
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/gates/{key:str}": "reads it",
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/items": "reads it",
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/items/{key:str}": "reads it",
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/packet": "reads it",
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/comments": "reads what is for both sides",
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/comments/{comment_id:uuid}": "the same",
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/files": "onboarding:onboarding:read",
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/files/{file_id:uuid}": "the same",
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/files/{file_id:uuid}/content": "the same",
    "GET /t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/files/{file_id:uuid}": "the same",
    "GET /t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/tasks/{task:str}/files": "the same",
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/watching": "reads it",
    "GET /t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/comments": "reads what is for both sides",
    "GET /t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/comments/{comment_id:uuid}": "the same",
    "GET /api/v1/tenants/{tenant_id:uuid}/work": "reads it",
    "POST /t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/dates/feed": "one's own address of what one reads",
    "POST /t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/dates/feed/end": "the same",
    "GET /t/{tenant_id:uuid}/work": "reads it",
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/schedule": "onboarding:onboarding:read",
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/schedule/trial": "the same: nothing changes",
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/schedule/calendar-trial": "the same",
    "GET /t/{tenant_id:uuid}": "leads to the onboarding",
    "GET /t/{tenant_id:uuid}/access": "who has access to a workspace is no secret in it",
    "GET /t/{tenant_id:uuid}/settings": "the ways that their role opens, and no others",
    "GET /t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}": "onboarding:onboarding:read",
    "GET /t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/dates": "onboarding:onboarding:read",
    "GET /t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/gates/{key:str}": "onboarding:onboarding:read",
    "GET /t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/steps": "onboarding:onboarding:read",
    "GET /t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/stream": "onboarding:onboarding:read",
    "GET /t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/tasks/{task:str}": "onboarding:onboarding:read",
    "GET /t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/trace": "onboarding:onboarding:read",
    "GET /t/{tenant_id:uuid}/people": "tenancy:tenant:read",
}
# What such a change of one's own leaves behind, and nothing else: ends of what `Standing` calls it.
_FEED = (".command", "control.date_feed", "onboarding.feed.started", "onboarding.feed.ended")
OF_ONES_OWN = {
    # Software that may read an onboarding reads its files, and that it did stands in the customer's trail.
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/files/{file_id:uuid}/content": (
        "onboarding.file.opened",
    ),
    "POST /t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/dates/feed": _FEED,
    "POST /t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/dates/feed/end": _FEED,
}
# Mails stay in sandboxes and are shown to those who try them; elsewhere there are none.
NOT_THERE = "GET /t/{tenant_id:uuid}/mails"

# Where staff without access to a workspace are not told that it is unknown: it is their own customer, and they may ask.
_SEEN = "what access their organisation has: tenancy:tenant:read in their home"
FOR_STAFF_OUTSIDE = {
    "GET /api/v1/tenants/{tenant_id:uuid}/delegations": (
        200,
        "what access their organisation has, tenancy:tenant:read",
    ),
    "GET /api/v1/tenants/{tenant_id:uuid}/delegations/{delegation_id:uuid}": (200, "the same"),
    "GET /api/v1/tenants/{tenant_id:uuid}/explain": (200, "why they have no access"),
    "GET /t/{tenant_id:uuid}/access": (200, "the same, and the form that asks"),
    "GET /t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/stream": (200, "one closing event, which a page obeys"),
    "POST /api/v1/tenants/{tenant_id:uuid}/delegations": (403, "asks in their home"),
    "POST /api/v1/tenants/{tenant_id:uuid}/delegations/emergency": (403, "the same"),
    "POST /api/v1/tenants/{tenant_id:uuid}/delegations/{delegation_id:uuid}/end": (403, "the same"),
    "POST /api/v1/tenants/{tenant_id:uuid}/delegations/{delegation_id:uuid}/withdrawal": (403, "the same"),
    "PUT /api/v1/tenants/{tenant_id:uuid}/delegations/{delegation_id:uuid}/groups": (403, "the same"),
    "POST /t/{tenant_id:uuid}/access/emergency": (403, "the same"),
    "POST /t/{tenant_id:uuid}/access/requests": (403, "the same"),
    "POST /t/{tenant_id:uuid}/access/{delegation_id:uuid}/groups": (403, "the same"),
    "POST /t/{tenant_id:uuid}/access/{delegation_id:uuid}/{step:str}": (403, "the same"),
}
# What every member of a partner's staff may read in its home (`tenancy:tenant:read`): the answer to a CSM.
FOR_STAFF = {
    "GET /api/v1/delegations": 200,
    "GET /api/v1/marketplace/installations": 200,
    "GET /api/v1/marketplace/listings": 200,
    "GET /api/v1/marketplace/listings/{listing_id:uuid}": 200,
    "GET /api/v1/marketplace/versions/{version_id:uuid}": 200,
    "GET /api/v1/marketplace/versions/{version_id:uuid}/package": 200,
    "GET /api/v1/roles": 200,
    "GET /api/v1/roles/{role_id:uuid}": 200,
    "GET /api/v1/templates": 200,
    "GET /api/v1/templates/versions/{address:str}": 200,
    "GET /api/v1/templates/{template:str}": 200,
    "GET /api/v1/tenants": 200,
    "GET /api/v1/tenants/imports/{import_id:uuid}": 200,
    "GET /api/v1/tenants/{tenant_id:uuid}": 200,
    "GET /api/v1/tenants/{tenant_id:uuid}/erasure": 200,
    "GET /api/v1/tenants/{tenant_id:uuid}/exports/{export_id:uuid}": 200,
    "GET /api/v1/work": 200,
    "POST /api/v1/work/changes": 200,  # says of each step that it is not there
    "POST /work/changes": 422,  # no step is chosen
    "GET /customers": 200,
    "GET /delegations": 200,
    "GET /marketplace": 200,
    "GET /marketplace/listings/{listing_id:uuid}": 200,
    "GET /marketplace/versions/{version_id:uuid}/package": 200,
    "GET /people": 200,
    "GET /packages": 200,
    "GET /settings": 200,
    "GET /settings/roles": 200,
    "GET /settings/roles/{role_id:uuid}": 200,
    "GET /t/{tenant_id:uuid}/settings": 200,
    "GET /templates": 200,
    "GET /templates/{address:str}": 200,
    "GET /templates/lines/{line:str}": 200,
    "GET /templates/{address:str}/differences": 200,
    "GET /work": 200,
    "GET /api/v1/upgrades": 200,
    "GET /api/v1/upgrades/running/{template:str}": 200,
    "GET /api/v1/upgrades/{upgrade_id:uuid}": 200,
    "GET /upgrades": 200,
    "GET /upgrades/{upgrade_id:uuid}": 200,
    "GET /upgrades/{upgrade_id:uuid}/progress": 200,
    "GET /people/{person_id:uuid}": 404,  # the page is for who may change it
}
# Where the right is asked before anything is looked for, so that the answer is the same whatever there is: where a
# bundle may go, and what only the operator's people do.
ASKED_FIRST = {
    "POST /api/v1/tenants/{tenant_id:uuid}/exports",
    "GET /api/v1/marketplace/reviews/{version_id:uuid}",
    "POST /api/v1/marketplace/reviews/{version_id:uuid}/decision",
    "POST /api/v1/marketplace/reviews/{version_id:uuid}/takedown",
    "GET /marketplace/reviews/{version_id:uuid}",
    "POST /marketplace/reviews/{version_id:uuid}",
    "POST /marketplace/reviews/{version_id:uuid}/takedown",
}


# A directory shows a token of its own; a machine asks this very machine, by no host's name.
# What the software here was given no scope for, unlike the person beside it.
UNSCOPED = {
    "POST /api/v1/work/changes",
    *(name for name in FOR_STAFF if name.startswith(("GET /api/v1/marketplace/", "GET /api/v1/templates"))),
}
_SHUT = {"directory": frozenset({401}), "machine": frozenset({404})}


def expected(town: Town, route: Route, who: Someone) -> frozenset[int]:
    """The statuses that keep this person or software out, or let them see no more than is theirs."""
    if route.door in _SHUT:
        return _SHUT[route.door]
    if route.name in OPEN:
        return frozenset({200, 303, 400, 403, 404, 503})
    if who in town.strangers or (who.by_token and not route.is_api):
        return frozenset({401 if route.is_api else 303})
    if route.door == "signed_in":
        return frozenset({303, 404})
    if route.door == "partner":
        return _at_home(town, route, who)
    return _in_the_workspace(town, route, who)


def _at_home(town: Town, route: Route, who: Someone) -> frozenset[int]:
    if who in town.staff:
        return frozenset({403 if who.by_token and route.name in UNSCOPED else FOR_STAFF.get(route.name, 403)})
    if not route.parameters and who in town.rivals:  # their own house, not Northwind's
        return frozenset({200, 201, 202, 303, 400, 403, 404, 422})
    if who in town.rivals and (who.by_token or route.name in ASKED_FIRST):
        return frozenset({403, 404})  # its scopes are asked before anything is looked for
    return frozenset({404})


def _in_the_workspace(town: Town, route: Route, who: Someone) -> frozenset[int]:
    if who in (*town.staff, town.above):
        return frozenset({FOR_STAFF_OUTSIDE.get(route.name, (404, ""))[0]})
    if who in town.outsiders or route.name.startswith(NOT_THERE):
        return frozenset({404})
    if route.name in FOR_VIEWERS:
        # Software has a scope for onboardings here, and for nothing else; of itself it may ask like everybody.
        scoped = "/onboardings" in route.path or route.path.endswith(("/explain", "/work"))
        return frozenset({200, 303} if scoped or not who.by_token else {403})
    return frozenset({403})
