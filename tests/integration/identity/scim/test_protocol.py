"""RFC 7644 on the wire: who is let in, filters, pages, versions, PATCH as Entra ID and Okta send it, and junk."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import quote

import pytest

from app.kernel.ids import new_id
from tests.integration.identity.scim.directories import CORE, Directories, Directory

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def found(directory: Directory, filter_: str, kind: str = "Users") -> set[str]:
    """The names of what a filter finds."""
    said = directory.get(f"/{kind}?count=200&filter={quote(filter_)}")
    assert said.status == 200, said.body
    assert said.body["totalResults"] == len(said.body["Resources"])
    return {one.get("userName") or one["displayName"] for one in said.body["Resources"]}


class TestTheDoor:
    @pytest.mark.parametrize(
        "header",
        ["", "Bearer", "Bearer nothing", f"Bearer {'x' * 43}", "Basic {token}", "Bearer {other}", "bearer {old}"],
    )
    def test_refuses_every_wrong_token_in_one_way(self, at_work: Directories, header: str):
        disabled = at_work.make(at_work.doors.northwind, "northwind.localhost")
        at_work.installation.control("UPDATE control.directory SET state = 'disabled' WHERE id = %s", disabled.id)
        token, other = at_work.northwind.token, at_work.contoso.token
        told = header.format(token=token, other=other, old=disabled.token)
        said = at_work.northwind.send("GET", "/Users", authorization=told)
        assert (said.status, said.headers["www-authenticate"]) == (401, 'Bearer realm="scim"')
        assert said.headers["content-type"] == "application/scim+json"
        assert said.body["schemas"] == [ERROR]
        said.body.pop("detail")
        assert said.body == {"schemas": [ERROR], "status": "401"}

    def test_takes_the_token_before_this_one_until_the_overlap_is_over(self, at_work: Directories):
        directory, fresh = at_work.make(at_work.doors.northwind, "northwind.localhost"), b"x" * 32
        renew = (
            "UPDATE control.directory SET old_token_hash = token_hash, token_hash = %s,"
            " old_token_until = now() + %s::interval WHERE id = %s"
        )
        at_work.installation.control(renew, fresh, "1 hour", directory.id)
        assert directory.get("/Users").status == 200
        at_work.installation.control("UPDATE control.directory SET old_token_until = now() WHERE id = %s", directory.id)
        assert directory.get("/Users").status == 401

    def test_says_what_is_not_there_as_scim_does(self, at_work: Directories):
        for method, path, status in [
            ("GET", "/Nothing", 404),
            ("GET", "/Users/x/y", 404),
            ("GET", f"/Users/{new_id()}", 404),
            ("GET", "/Users/not-an-id", 404),
            ("DELETE", "/Users", 405),
            ("PATCH", "/ServiceProviderConfig", 405),
            ("POST", "/Bulk", 404),
        ]:
            said = at_work.northwind.send(method, path)
            assert (said.status, said.body["schemas"]) == (status, [ERROR]), path


@pytest.fixture(scope="module")
def directory(at_work: Directories) -> Directory:
    directory = at_work.make(at_work.doors.contoso, "contoso.localhost", default_role="csm")
    people: list[tuple[str, dict[str, Any]]] = [
        ("Ada@filter.example", {"externalId": "E-1", "title": "Lead", "active": True}),
        ("bob@filter.example", {"externalId": "e-1", "active": False, ENTERPRISE: {"department": "Sales"}}),
        ("cy_d%@filter.example", {"title": "lead", "name": {"familyName": 'O"Neil', "givenName": "Cy"}}),
    ]
    for name, more in people:
        emails = [{"value": name, "type": "work", "primary": True}, {"value": f"home-{name}", "type": "home"}]
        said = directory.create(name, emails=emails, **more)
        assert said.status == 201, said.body
    return directory


class TestFilters:
    @pytest.mark.parametrize(
        ("filter_", "names"),
        [
            ('userName eq "ada@FILTER.example"', "a"),
            ('userName ne "ada@filter.example"', "bc"),
            ('userName co "d%@"', "c"),
            ('userName co "_d"', "c"),
            ('userName sw "BOB"', "b"),
            ('userName ew "@filter.example"', "abc"),
            ('userName gt "ada@filter.example"', "bc"),
            ('userName ge "ada@filter.example" and userName lt "c"', "ab"),
            ('userName le "b"', "a"),
            ('externalId eq "e-1"', "b"),
            ('externalId ne "e-1"', "ac"),
            ("externalId pr", "ab"),
            ("not (externalId pr)", "c"),
            ('not (externalId co "E")', "bc"),
            ("externalId eq null", "c"),
            ("active eq true", "ac"),
            ('active eq "False"', "b"),
            ("active ne true", "b"),
            ('title eq "LEAD"', "ac"),
            ("title pr and not (active eq false)", "ac"),
            ('title eq "lead" or externalId eq "e-1"', "abc"),
            ('(title eq "lead" or externalId eq "e-1") and userName sw "b"', "b"),
            ('name.familyName eq "o\\"neil"', "c"),
            ('emails[type eq "work" and value eq "bob@filter.example"]', "b"),
            ('emails[type eq "home" and value eq "bob@filter.example"]', ""),
            ('emails.value eq "home-bob@filter.example"', "b"),
            ('emails co "home-bob"', "b"),
            ('emails[type eq "work"].value eq "ada@filter.example"', "a"),
            (f'{ENTERPRISE}:department eq "sales"', "b"),
            ('meta.created gt "2020-01-01T00:00:00Z"', "abc"),
            ('meta.lastModified lt "2020-01-01T00:00:00Z"', ""),
            ('meta.resourceType eq "User"', "abc"),
            ('id eq "nobody"', ""),
            ('id ne "nobody"', "abc"),
            ('userName eq "x\\u0000"', ""),
            ('urn:ietf:params:scim:schemas:core:2.0:User:userName sw "ada"', "a"),
        ],
    )
    def test_find_whom_they_mean(self, directory: Directory, filter_: str, names: str):
        assert {name[0].lower() for name in found(directory, filter_)} == set(names)

    def test_agree_with_the_library_on_any_combination(self, directory: Directory):
        """What goes to SQL and what is looked at in memory say the same; a term that columns decide or do not."""
        seed = random.randrange(10_000)  # noqa: S311 - a test's choice
        print(f"seed {seed}")  # noqa: T201 - pytest shows it with a failure
        choose = random.Random(seed)  # noqa: S311 - a test's choice
        terms = {
            'userName sw "a"': "a",
            "externalId pr": "ab",
            "active eq false": "b",
            "title pr": "ac",
            'emails.type eq "home"': "abc",
            'externalId eq "e-1"': "b",
        }

        def build(depth: int) -> tuple[str, set[str]]:
            if depth == 0:
                text = choose.choice(sorted(terms))
                return text, set(terms[text])
            (left, ours), (right, theirs) = build(depth - 1), build(depth - 1)
            word = choose.choice(["and", "or", "not"])
            if word == "not":
                return f"not ({left})", set("abc") - ours
            return f"({left}) {word} ({right})", ours & theirs if word == "and" else ours | theirs

        for _ in range(15):
            text, names = build(choose.randint(1, 3))
            assert {name[0].lower() for name in found(directory, text)} == names, text

    @pytest.mark.parametrize(
        "filter_",
        ["userName", 'userName eq "', "nonsense eq 1", "active gt true", 'userName eq "a" and', "(" * 500, "x" * 9000],
    )
    def test_that_mean_nothing_are_refused(self, directory: Directory, filter_: str):
        said = directory.get(f"/Users?filter={quote(filter_)}")
        assert (said.status, said.body["scimType"]) == (400, "invalidFilter")

    def test_find_groups_by_name_and_member(self, directory: Directory):
        user = directory.get("/Users?count=1").body["Resources"][0]["id"]
        group = directory.group("Sales Team", user)
        for text in ('displayName eq "sales team"', f'members eq "{user}"', f'members[value eq "{user}"]'):
            assert found(directory, text, "Groups") == {"Sales Team"}
        assert found(directory, f'id eq "{group}" and members.value eq "{new_id()}"', "Groups") == set()
        bare = directory.get("/Groups?excludedAttributes=members").body["Resources"][0]
        assert "members" not in bare

    def test_search_over_both_kinds(self, directory: Directory):
        directory.group("Ada's", externalId="E-1")
        body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": 'externalId eq "E-1"'}
        said = directory.send("POST", "/.search", body)
        assert [one["meta"]["resourceType"] for one in said.body["Resources"]] == ["User", "Group"]
        last = directory.send("POST", "/.search", body | {"startIndex": 2, "attributes": ["displayName"]})
        assert (last.body["totalResults"], len(last.body["Resources"])) == (2, 1)
        assert last.body["Resources"][0]["displayName"] == "Ada's"


class TestPages:
    def test_over_five_thousand_users_are_whole_and_stable(self, at_work: Directories):
        directory = at_work.make(at_work.doors.contoso, "contoso.localhost")
        at_work.installation.control(
            "INSERT INTO control.directory_user (id, directory_id, organisation_id, user_name, user_key, active,"
            " document, given, former, made_person, version, behind, made_at, changed_at)"
            " SELECT gen_random_uuid(), %s, %s, 'u' || n, 'u' || n, true, '{\"title\": \"Lead\"}', '[]', '[]', false,"
            " 1, false, now(), now() FROM generate_series(1, 5000) n",
            *(directory.id, at_work.doors.contoso),
        )
        seen: list[str] = []
        for start in (1, 201, 401):
            said = directory.get(f"/Users?startIndex={start}&count=5000&attributes=userName").body
            assert (said["totalResults"], said["itemsPerPage"], said["startIndex"]) == (5000, 200, start)
            seen += [one["userName"] for one in said["Resources"]]
        said = directory.get("/Users?startIndex=4901&count=200").body
        assert (len(set(seen)), said["itemsPerPage"]) == (600, 100)
        assert directory.get("/Users?count=0").body["Resources"] == []
        assert directory.get("/Users?count=-1&startIndex=-5").body["startIndex"] == 1
        assert directory.get(f"/Users?startIndex={10**30}").body["Resources"] == []
        assert found(directory, 'userName eq "U4711"') == {"u4711"}
        refused = directory.get("/Users?filter=" + quote('title co "lead"'))
        assert (refused.status, refused.body["scimType"]) == (400, "tooMany")


class TestVersions:
    def test_keep_one_change_from_burying_another(self, at_work: Directories):
        directory = at_work.northwind
        made = directory.create("tag@northwind.example")
        user, tag = f"/Users/{made.body['id']}", made.headers["etag"]
        assert tag == made.body["meta"]["version"]
        assert directory.get(user, if_none_match=tag).status == 304
        retitled = {"op": "replace", "path": "title", "value": "Lead"}
        changed = directory.patch(user, retitled, if_match=tag)
        assert (changed.status, changed.headers["etag"] != tag) == (200, True)
        for again in (
            directory.patch(user, retitled, if_match=tag),
            directory.send("PUT", user, {"schemas": [f"{CORE}User"], "userName": "x"}, if_match=tag),
            directory.send("DELETE", user, if_match=tag),
        ):
            assert again.status == 412
        assert (
            directory.patch(user, retitled, if_match=changed.headers["etag"]).headers["etag"] == changed.headers["etag"]
        )
        assert directory.send("DELETE", user, if_match="*").status == 204


ENTRA: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
    ([{"op": "Replace", "path": "active", "value": "False"}], {"active": False}),
    ([{"op": "Replace", "path": "displayName", "value": "Ann B"}], {"displayName": "Ann B"}),
    (
        [{"op": "Add", "path": 'emails[type eq "work"].value', "value": "ann.b@patch.example"}],
        {"emails": [{"type": "work", "value": "ann.b@patch.example"}]},
    ),
    ([{"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Sales"}], {ENTERPRISE: {"department": "Sales"}}),
    (
        [{"op": "Replace", "value": {"displayName": "Ann C", "name.givenName": "Ann", f"{ENTERPRISE}:division": "N"}}],
        {"displayName": "Ann C", "name": {"givenName": "Ann"}, ENTERPRISE: {"division": "N"}},
    ),
    ([{"op": "Add", "path": 'addresses[type eq "work"].country', "value": "DE"}], {}),
    (
        [{"op": "Add", "path": "manager", "value": "x"}, {"op": "Add", "path": "title", "value": "Lead"}],
        {"title": "Lead"},
    ),
]
OKTA: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
    ([{"op": "replace", "value": {"active": False}}], {"active": False}),
    ([{"op": "replace", "value": {"password": "t1meMa$heen"}}], {}),
    ([{"op": "remove", "path": "title"}], {}),
]


class TestPatch:
    @pytest.mark.parametrize(("operations", "expected"), [*ENTRA, *OKTA])
    def test_is_taken_as_identity_providers_send_it(
        self, at_work: Directories, operations: list[dict[str, Any]], expected: dict[str, Any]
    ):
        name = f"{new_id().hex}@patch.example"
        user = at_work.northwind.create(name, title="Old").body["id"]
        said = at_work.northwind.patch(f"/Users/{user}", *operations)
        assert said.status == 200, said.body
        assert {key: said.body.get(key) for key in expected} == expected
        assert "password" not in str(said.body)

    def test_is_all_or_nothing(self, at_work: Directories):
        user = at_work.northwind.create("whole@patch.example").body["id"]
        title, wrong = {"op": "add", "path": "title", "value": "Lead"}, {"op": "replace", "path": "id", "value": "x"}
        said = at_work.northwind.patch(f"/Users/{user}", title, wrong)
        assert (said.status, said.body["scimType"]) == (400, "mutability")
        assert "title" not in at_work.northwind.get(f"/Users/{user}").body

    def test_of_a_group_as_okta_and_entra_id_send_it(self, at_work: Directories):
        directory = at_work.northwind
        first, second = (directory.create(f"{name}@group.example").body["id"] for name in ("first", "second"))
        group = directory.group("Patched", first)

        def members(*operations: dict[str, Any]) -> list[str]:
            assert directory.patch(f"/Groups/{group}", *operations).status == 204
            return [one["value"] for one in directory.get(f"/Groups/{group}").body.get("members", [])]

        assert members({"op": "Add", "path": "members", "value": [{"value": second}]}) == [first, second]
        assert members({"op": "remove", "path": f'members[value eq "{first}"]'}) == [second]
        assert members({"op": "Remove", "path": "members", "value": [{"value": second}]}) == []
        both = {"op": "replace", "path": "members", "value": [{"value": first}, {"value": second}]}
        assert members(both, both) == [first, second]
        renamed = {"op": "replace", "value": {"id": group, "displayName": "Renamed", "members": [{"value": first}]}}
        assert members(renamed) == [first]
        assert directory.get(f"/Groups/{group}").body["displayName"] == "Renamed"
        assert directory.get(f"/Users/{first}").body["groups"][0]["display"] == "Renamed"
        assert members({"op": "remove", "path": "members"}) == []
        nested = {"op": "add", "path": "members", "value": [{"value": group, "type": "Group"}]}
        assert directory.patch(f"/Groups/{group}", nested).body["scimType"] == "invalidValue"


class TestJunk:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b'"x"',
            b"\xff\xfe",
            b"[" * 100_000,
            b'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"a\\u0000b"}',
            b'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"\\ud800"}',
            b'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":7}',
            b'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":" "}',
            b'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]}',
            b'{"schemas":"x","userName":"a"}',
            b'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"userName":"a"}',
            b'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"a","emails":{"a":[[1]]}}',
            b'{"Operations":7}',
            b'{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[7,{"op":{}}]}',
            b'{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members["}]}',
            b'{"startIndex":"x","filter":7}',
        ],
    )
    def test_is_refused_and_never_a_surprise(self, at_work: Directories, body: bytes):
        user = f"/Users/{at_work.northwind.create(f'{new_id().hex}@junk.example').body['id']}"
        group = f"/Groups/{at_work.northwind.group('Junk')}"
        told = {"content_type": "application/scim+json"}
        doors = [("POST", "/Users"), ("PUT", user), ("PATCH", user), ("PATCH", group), ("POST", "/Groups")]
        for method, path in doors if b"startIndex" not in body else [("POST", "/.search")]:
            said = at_work.northwind.send(method, path, body, **told)
            assert 400 <= said.status < 500, (method, path, said)
            assert said.body["schemas"] == [ERROR]

    def test_of_a_huge_size_or_a_foreign_kind_is_not_even_read(self, at_work: Directories):
        assert at_work.northwind.send("POST", "/Users", b"x" * (2 << 20)).status == 413
        assert at_work.northwind.send("POST", "/Users", b"<x/>", content_type="text/xml").status == 415

    def test_requests_are_remembered_without_what_they_said_of_people(self, at_work: Directories):
        directory = at_work.make(at_work.doors.northwind, "northwind.localhost")
        user = directory.create("secret@memory.example").body["id"]
        found(directory, 'userName eq "secret@memory.example"')
        directory.patch(f"/Users/{user}", {"op": "replace", "path": "displayName", "value": "Secret"})
        query = "SELECT * FROM control.directory_request WHERE directory_id = %s ORDER BY id"
        told = at_work.installation.control(query, directory.id)
        assert [row.place for row in told] == ["/Users", "/Users userName eq", "/Users/… replace displayName"]
        for _ in range(25):
            directory.get(f"/Users/{new_id()}")
        kept = at_work.installation.control(query, directory.id)
        assert len(kept) == 20
        assert {(row.method, row.place, row.status) for row in kept} == {("GET", "/Users/…", 404)}
        assert "secret" not in str(told).lower()
