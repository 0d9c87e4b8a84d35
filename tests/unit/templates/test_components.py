"""Components: put in before the template is checked, with ids of their own, and told at their own place."""

from __future__ import annotations

import pytest

from app.flow.definition import Item
from app.templates.components import Component, read_component
from app.templates.language import Template, read_template
from app.templates.library import LIBRARY, find_component, open_shelf
from app.templates.overlay import apply_overlays, read_overlay
from app.templates.rules import Problem, TemplateRefused
from tests.unit.flow.parts.small import FILE, SmallRun, milestone, small_text, task

HEAD = 'slipway: "1"\ncomponent: {name}\nversion: 1.0.0\ntitle: {{en: C}}\n'
TAKES = """
parameters:
  - {id: owner, type: role, label: {en: O}}
  - {id: time, type: duration, label: {en: T}, default: {business_days: 3}}
  - {id: only_if, type: criterion, label: {en: I}, default: "true"}
"""
PAIR = (
    TAKES
    + """
tasks:
  - {id: one, kind: form, title: {en: One}, owner: $owner, due: $time, fields: [{id: x, label: {en: X}, type: integer}]}
  - id: two
    kind: meeting
    title: {en: Two}
    owner: $owner
    depends_on: [task.one]
    when: answers.one.x > 1 && "task.one" != "" && task.one.done
timers:
  - {id: late, item: task.one, ladder: [{after: {business_days: 1}, role: $owner, message: {en: Late}}]}
"""
)
NESTED = (
    TAKES
    + """
milestones:
  - id: outer
    layer: implementation
    title: {en: Outer}
    owner: $owner
    evidence: {label: {en: Done}, source: tasks}
    when: $only_if
    tasks:
      - {id: first, kind: meeting, title: {en: First}, owner: $owner}
      - {id: pair, include: component/pair@1.0.0, with: {owner: $owner}, depends_on: [task.first]}
"""
)


def component(name: str, body: str) -> Component:
    return read_component(HEAD.format(name=name) + body, f"components/{name}.yaml")


def read(milestones: str, **bodies: str) -> Template:
    known = {one.name: one for one in (component(name, body) for name, body in bodies.items())}
    return read_template(small_text(milestones), FILE, known.get)


def problems(milestones: str, **bodies: str) -> list[Problem]:
    with pytest.raises(TemplateRefused) as refused:
        read(milestones, **bodies)
    return refused.value.problems


def include(name: str, of: str = "pair", more: str = "with: {owner: lead}") -> str:
    return f"{{id: {name}, include: component/{of}@1.0.0, {more}}}"


def when_of(item: Item) -> str:
    assert item.when is not None
    return item.when.source


def days_of(item: Item) -> int | None:
    assert item.due is not None
    return item.due.business_days


QUESTIONS = """
fields:
  - {id: street, label: {en: Street}, type: text, required: true}
  - {id: vat, label: {en: VAT}, type: text}
"""
CHECKED = """
parameters: [{id: owner, type: role, label: {en: O}}]
tasks:
  - {id: bill, kind: form, title: {en: Bill}, owner: $owner, fields: [{id: po, label: {en: PO}, type: text}]}
  - {id: tell, kind: message, title: {en: Tell}, owner: $owner, depends_on: [task.bill], sends: news}
controls:
  - {id: no_po, label: {en: No PO}, when: task.bill.done && !answers.bill.po.given, on: task.tell,
     exception: billing_mismatch, reason_code: scope_mismatch}
communications:
  - {id: news, kind: news, mode: draft, to: client, subject: {en: S}, body: {en: B}, may_promise: {en: N},
     must_not_promise: {en: D}, replies_to: $owner, suppress: answers.bill.po == "task.bill"}
"""


class TestOtherLists:
    def test_questions_keep_their_own_ids(self):
        form = task("ask", "fields: [{id: address, include: component/address@1.0.0}]", kind="form")
        item = read(milestone("base", form), address=QUESTIONS).compile().items["task.ask"]
        assert [field.id for field in item.fields] == ["street", "vat"]

    def test_controls_and_communications_come_along_with_ids_of_their_own(self):
        text = milestone("base", include("a", "checked"), include("b", "checked"))
        definition = read(text, checked=CHECKED).compile()
        assert [each.id for each in definition.controls] == ["a_no_po", "b_no_po"]
        assert definition.controls[1].item == "task.b_tell"
        assert definition.controls[1].when.source == "task.b_bill.done && !answers.b_bill.po.given"
        assert definition.items["task.b_tell"].sends == "b_news"
        sent = definition.communications["b_news"]
        assert sent.suppress is not None
        assert (sent.replies_to, sent.suppress.source) == ("lead", 'answers.b_bill.po == "task.bill"')

    def test_a_gate_gets_its_stage_ready(self):
        body = """
gates:
  - {id: ok, title: {en: Ok}, reviewer: lead, shows: [packet.outcome], records: [packet], must_escalate: [],
     validations: [{id: v, label: {en: V}, check: task.build.done}], logged: [decision], override_reason: {en: W},
     decisions: [{id: yes, label: {en: Y}, effect: pass}, {id: no, label: {en: N}, effect: return}]}
"""
        known = component("judged", body)
        stage = f"gates: [{{id: a, include: {known.name}, depends_on: [milestone.base]}}]"
        template = read_template(
            small_text(milestone("base", task("build")), stage=stage), FILE, {known.name: known}.get
        )
        gate = template.compile().items["gate.a_ok"]
        assert gate.depends_on == ("milestone.base",)
        assert gate.review is not None
        assert gate.review.validations[0].id == "v"

    def test_is_refused_in_a_list_of_another_kind(self):
        [problem] = problems(milestone("base", include("a", "address", "")), address=QUESTIONS)
        assert problem.message == "“component/address@1.0.0” is made of fields; this is a list of tasks."


class TestParameters:
    def test_given_at_two_places_are_two_values(self):
        """An overlay that changed one changed the other: both were the same mapping."""
        body = """
parameters: [{id: time, type: duration, label: {en: T}, default: {business_days: 3}}]
tasks:
  - {id: one, kind: meeting, title: {en: One}, owner: lead, due: $time}
  - {id: two, kind: meeting, title: {en: Two}, owner: lead, due: $time}
"""
        template = read(milestone("base", include("a", "timed", ""), include("b", "timed", "")), timed=body)
        base = f"base: {{id: small, version: 1.0.0, digest: {template.digest!r}}}"
        patch = "milestones: [{id: base, tasks: [{id: a_one, due: {business_days: 9}}]}]"
        head = f'slipway: "1"\noverlay: some\nversion: 1.0.0\npartner: some\n{base}\n'
        text = f"{head}patch: {{stages: [{{id: work, {patch}}}]}}"
        items = apply_overlays(template, [read_overlay(text, "o.yaml")]).compile().items
        days = {key: days_of(item) for key, item in items.items() if key.startswith("task.")}
        assert days == {"task.a_one": 9, "task.a_two": 3, "task.b_one": 3, "task.b_two": 3}


class TestExpansion:
    def test_two_includes_of_one_component_do_not_clash(self):
        template = read(
            milestone("base", task("build"), include("a"), include("b", more="with: {owner: cs_leader}")), pair=PAIR
        )
        items = template.compile().items
        assert items["milestone.base"].children == (
            "task.build",
            "task.a_one",
            "task.a_two",
            "task.b_one",
            "task.b_two",
        )
        assert items["task.b_two"].depends_on == ("task.b_one",)
        assert (items["task.a_one"].owner, items["task.b_one"].owner) == ("lead", "cs_leader")
        assert when_of(items["task.a_two"]) == 'answers.a_one.x > 1 && "task.one" != "" && task.a_one.done'
        assert {timer.item for timer in template.compile().timers.values()} == {"task.a_one", "task.b_one"}

    def test_what_is_given_replaces_what_it_has_without(self):
        more = "with: {owner: lead, time: {business_days: 9}}, depends_on: [task.build], when: inputs.seats > 5"
        items = read(milestone("base", task("build"), include("a", more=more)), pair=PAIR).compile().items
        assert days_of(items["task.a_one"]) == 9
        assert items["task.a_one"].depends_on == ("task.build",)
        assert when_of(items["task.a_one"]) == "inputs.seats > 5"
        assert when_of(items["task.a_two"]).startswith("(inputs.seats > 5) && (answers.a_one.x > 1")

    def test_one_in_another_has_both_ids_before_its_own(self):
        text = (
            milestone("base", task("build"))
            + f"- {include('n', 'nested', 'with: {owner: lead, only_if: task.build.done}')}\n"
        )
        items = read(text, nested=NESTED, pair=PAIR).compile().items
        assert items["milestone.n_outer"].children == ("task.n_first", "task.n_pair_one", "task.n_pair_two")
        assert items["task.n_pair_one"].depends_on == ("task.n_first",)
        assert when_of(items["milestone.n_outer"]) == "task.build.done"

    def test_it_runs_as_if_it_had_been_written_out(self):
        run = SmallRun(read(milestone("base", include("a")), pair=PAIR).compile())
        run.complete("task.a_one", x=1)
        assert run.item("task.a_two").state == "skipped"
        assert run.item("stage.work").state == "done"

    def test_the_address_is_that_of_the_whole(self):
        text = milestone("base", include("a"))
        written = read(text, pair=PAIR)
        assert "include" not in str(written.document)
        assert written.digest != read(text, pair=PAIR.replace("Two}", "Zwei}")).digest
        assert written.digest == read(text, pair=PAIR).digest

    def test_an_overlay_changes_the_written_out_parts(self):
        template = read(milestone("base", include("a")), pair=PAIR)
        base = f"{{id: small, version: 1.0.0, digest: {template.digest!r}}}"
        head = f'slipway: "1"\noverlay: one\nversion: 1.0.0\npartner: pa\nbase: {base}\n'
        head += "patch:\n  stages:\n    - id: work\n"
        patch = "      milestones: [{id: base, tasks: [{id: a_one, due: {business_days: 8}}]}]\n"
        changed = apply_overlays(template, [read_overlay(head + patch, "o.yaml")])
        assert days_of(changed.compile().items["task.a_one"]) == 8
        more = patch.replace("{id: a_one, due: {business_days: 8}}", f"{{$add: true, {include('z')[1:]}")
        with pytest.raises(TemplateRefused, match="only a template can include"):
            apply_overlays(template, [read_overlay(head + more, "o.yaml")])


class TestRefusals:
    @pytest.mark.parametrize(
        ("element", "word"),
        [
            (include("a", "pear"), "There is no “component/pear@1.0.0”"),
            (include("a").replace("@1.0.0", "@1.0.1"), "There is no “component/pair@1.0.1”"),
            (include("a", more="with: {}"), "needs “owner”"),
            (include("a", more="with: {owner: lead, ownr: lead}"), "Did you mean “owner”?"),
            (
                include("a", more="with: {owner: lead, time: soon}"),
                "“time” of “component/pair@1.0.0” must be a duration",
            ),
            (include("a", more="with: {owner: nobody}"), "There is no role “nobody”"),
            (include("a", "nested"), "this is a list of tasks"),
            (include("a", more="with: {owner: lead}, whn: x"), "Did you mean “when”?"),
        ],
    )
    def test_names_the_place(self, element, word):
        found = problems(milestone("base", task("build"), element), pair=PAIR, nested=NESTED)
        assert any(word in str(problem) for problem in found), found

    def test_a_clash_with_an_id_of_the_template(self):
        found = problems(milestone("base", task("a_one"), include("a")), pair=PAIR)
        assert any("“task.a_one” exists already" in str(problem) for problem in found)

    def test_components_that_include_each_other(self):
        round_ = "tasks: [{id: again, include: component/pair@1.0.0}]"
        found = problems(milestone("base", include("a", more="with: {}")), pair=round_)
        assert "component/pair@1.0.0 → component/pair@1.0.0" in found[0].message

    def test_what_is_wrong_in_a_component_is_told_there_and_where_it_is_included(self):
        found = problems(milestone("base", include("a")), pair=PAIR.replace("answers.one.x > 1", "answers.one.y > 1"))
        told = next(problem for problem in found if "answers.a_one.y" in problem.message)
        assert told.file == "components/pair.yaml"
        assert told.line == 18
        assert f"of {FILE}" in told.message

    @pytest.mark.parametrize("body", ["tasks: []", "milestones: []\ntasks: []", "title: x", "tasks: [{kind: form}]"])
    def test_a_component_of_the_wrong_shape(self, body):
        with pytest.raises(TemplateRefused):
            component("pair", body)


class TestLibrary:
    def test_its_component_is_in_use(self):
        template = open_shelf("msp/renewal").template
        assert "task.access_decided" in template.compile().items
        assert find_component("component/access-review@1.1.0") is not None

    @pytest.mark.parametrize("name", ["component/../../x@1.0.0", "component/access-review@9.0.0", "access-review"])
    def test_nothing_else_is_found(self, name):
        assert find_component(name, LIBRARY) is None
