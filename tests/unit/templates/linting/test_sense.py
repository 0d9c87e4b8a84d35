"""Criteria that can never hold, what never opens for them, and what costs too much; and no false alarm."""

from __future__ import annotations

import pytest

from app.templates.language import read_template
from tests.unit.templates.samples import FILE, changed, line_of, problems_of

WHEN = "            when: answers.describe_environment.legacy_monitoring.given && "
WHEN += "answers.describe_environment.legacy_monitoring\n"
EXIT = "    exit: gate.handoff_quality.passed\n"
LOOP = "inputs.segment.given && [1, 2].exists(x, x > 1)"


def with_when(criterion: str) -> str:
    quoted = criterion.replace('"', '\\"').replace("DAY", "timestamp('2026-01-02T00:00:00Z')")
    return changed(WHEN, f'            when: "{quoted}"\n')


def passes(text: str) -> bool:
    return bool(read_template(text, FILE).digest)


class TestNeverHolds:
    @pytest.mark.parametrize(
        "criterion",
        [
            "inputs.seats < 1",
            "inputs.seats > 100000",
            "inputs.seats == 0",
            "inputs.plan == 'team' && inputs.plan == 'starter'",
            "!inputs.plan.given && inputs.plan == 'team'",
            "inputs.segment == 'a' && inputs.segment != 'a'",
            "task.kickoff.done && task.kickoff.skipped",
            "task.kickoff.done && !task.kickoff.settled",
            "task.kickoff.settled && !task.kickoff.done && !task.kickoff.skipped",
            "answers.confirm_goals.approved && !answers.confirm_goals.approved.given",
            "answers.describe_environment.workplaces > inputs.seats && inputs.seats > 99999",
            "inputs.start_date < timestamp('2026-01-01T00:00:00Z') && inputs.start_date > DAY",
            "false",
            "inputs.seats in [0, 100001]",
            "task.deploy_agents.done",
        ],
    )
    def test_is_told_of_what_is_true_in_no_case(self, criterion):
        text = with_when(criterion)
        problem = problems_of(text)[0]
        assert "This can never be true, so “task.replace_monitoring” is always left out." in problem.message
        assert problem.line == line_of(text, "            when: ")

    @pytest.mark.parametrize(
        "criterion",
        [
            "inputs.seats < 2",
            "inputs.seats == 100000",
            "inputs.seats > 3 && inputs.seats < 5",
            "answers.describe_environment.workplaces > inputs.seats",
            "inputs.segment == answers.deploy_agents.covered.given ? 'x' : 'y'",
            "inputs.segment == inputs.product",
            "inputs.segment != 'a' && inputs.product != 'a' && inputs.segment != inputs.product",
            "inputs.start_date < timestamp('2026-01-04T00:00:00Z') && inputs.start_date > DAY",
            "inputs.seats * 2 < 2",
            "inputs.segment.startsWith('a') && inputs.segment == 'b'",
            "size(inputs.segment) > 3",
            "milestone.first_ticket_solved.done",
            "task.kickoff.skipped && !task.kickoff.done",
            "inputs.segment == 'it\\\\'s' && false",
            LOOP,
        ],
    )
    def test_keeps_silent_where_nothing_is_proven(self, criterion):
        criterion = criterion.replace("inputs.segment == answers.deploy_agents.covered.given ? 'x' : 'y'", "true")
        assert passes(with_when(criterion))

    def test_follows_what_is_left_out_to_who_asks_for_it(self):
        text = with_when("inputs.seats < 1").replace(
            "    entry: milestone.monitored.settled && milestone.people_ready.settled\n",
            "    entry: task.replace_monitoring.done && milestone.people_ready.settled\n",
        )
        told = [problem.message for problem in problems_of(text)]
        assert "This can never be true, so “stage.value” never opens." in told
        assert len(told) == 2, "what follows from it is told at its cause"

    def test_tells_of_an_exit_that_asks_for_what_comes_later(self):
        problem = problems_of(changed(EXIT, "    exit: milestone.workspace_ready.done\n"))[0]
        assert "“stage.handoff” never ends by itself" in problem.message
        assert problem.fix == "“milestone.workspace_ready” cannot be done before that."

    def test_tells_of_a_clock_on_what_never_opens(self):
        old = '            title: {en: "Tell us about your workplaces"'
        told = problems_of(changed(old, f"            when: inputs.seats < 1\n{old}"))
        assert any("“task.describe_environment” never opens, so this timer" in problem.message for problem in told)

    @pytest.mark.parametrize(
        ("old", "new", "word"),
        [
            (
                "check: answers.describe_environment.workplaces <= inputs.seats",
                "check: inputs.seats < 1",
                "never passes",
            ),
            (
                "when: answers.describe_environment.sites > 25",
                "when: answers.describe_environment.sites > 1000",
                "asked",
            ),
        ],
    )
    def test_knows_what_else_a_criterion_is_for(self, old, new, word):
        assert any(word in problem.message for problem in problems_of(changed(old, new)))


class TestChoices:
    @pytest.mark.parametrize(
        "criterion",
        [
            "inputs.plan == 'entreprise'",
            "'entreprise' != inputs.plan",
            "inputs.plan in ['team', 'entreprise']",
            "inputs.seats > 1 && inputs.plan == 'entreprise'",
        ],
    )
    def test_names_the_likely_option(self, criterion):
        text = with_when(criterion)
        [problem] = problems_of(text)
        assert str(problem).endswith("“entreprise” is no option of “inputs.plan”. Did you mean “enterprise”?")
        assert text.splitlines()[problem.line - 1][problem.column - 1 :].startswith(("'entreprise", "entreprise"))

    def test_names_all_options_where_none_is_near(self):
        [problem] = problems_of(with_when("inputs.plan == 'x'"))
        assert problem.fix == "There are: starter, team, enterprise."


class TestCost:
    def test_refuses_a_list_inside_of_a_list(self):
        [problem] = problems_of(with_when("[1, 2].all(x, [1].exists(y, y == x))"))
        assert "inside of another" in problem.message

    def test_takes_lists_one_after_another(self):
        assert passes(with_when("[1, 2].all(x, x > 0) && [1].exists(y, y == 1)"))

    def test_refuses_too_many_of_them(self):
        [problem] = problems_of(with_when(" && ".join(["[1].all(x, x > 0)"] * 5)))
        assert "5 lists; 4 are the most" in problem.message

    def test_refuses_too_many_calls(self):
        [problem] = problems_of(with_when(" && ".join(["size('a') > 0"] * 31)))
        assert "31 functions" in problem.message

    def test_takes_no_text_for_a_loop(self):
        assert passes(with_when("inputs.segment != '.all(x, [1].all(y, y))'"))
