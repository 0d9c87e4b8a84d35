"""The compiled decisions say exactly what Casbin says about the same policy, also in many threads, and fast."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.access.decisions import Decisions, can, permissions_of
from app.access.permissions import Permission
from app.access.policy import Policy, Rule
from app.access.policy.explain import RuleBook, load_rule_book
from app.access.policy.names import limit_to
from app.access.roles import Role

TAKEN = st.frozensets(st.sampled_from([*Permission, "made:up:thing"]), min_size=1, max_size=4)
NARROWED = st.builds(lambda role, taken: "!".join([role, *sorted(taken)]), st.sampled_from(list(Role)), TAKEN)
LIMITS = st.builds(limit_to, st.frozensets(st.sampled_from(list(Permission)), max_size=12))
UNREAL = st.sampled_from(["made up", "", "p_admin", "owner ", "OWNER", "csm!", "csm!x", "!a:b:c", "owner!a:b:c!"])
NAMES = st.frozensets(st.sampled_from(list(Role)) | NARROWED | LIMITS | UNREAL, max_size=5)
RULES = st.lists(
    st.builds(
        Rule, st.sampled_from(list(Role)), st.sampled_from(list(Permission)[:4]), st.sampled_from(["allow", "deny"])
    ),
    max_size=12,
    unique=True,
)


@st.composite
def inclusions(draw):
    """Any inclusion without a circle: a role includes only roles that stand before it."""
    order = draw(st.permutations(list(Role)))
    pairs = [(later, earlier) for earlier, later in combinations(order, 2)]
    return draw(st.lists(st.sampled_from(pairs), max_size=10, unique=True))


class TestCompiledDecisions:
    def test_equal_casbin_over_the_whole_matrix(self):
        book = load_rule_book()
        for role in Role:
            for permission in Permission:
                assert can(frozenset({role}), permission) == book.ask([role], permission)[0], (role, permission)

    def test_equal_casbin_for_every_pair_of_roles_and_every_decision(self):
        book = load_rule_book()
        for pair in combinations(Role, 2):
            for permission in (Permission.GATE_DECIDE, Permission.WORKFLOW_APPROVE, Permission.TRAIL_READ):
                assert can(frozenset(pair), permission) == book.ask(pair, permission)[0], (pair, permission)

    @given(NAMES, st.sampled_from([*Permission, "made:up:thing", "", "onboarding:task:*"]))
    def test_equal_casbin_for_any_set_of_names(self, roles, permission):
        assert can(roles, permission) == load_rule_book().ask(roles, permission)[0]

    @settings(max_examples=60)
    @given(RULES, inclusions(), NAMES)
    def test_equal_casbin_over_any_policy(self, rules, links, roles):
        policy = Policy(tuple(rules), tuple(links))
        compiled, book = Decisions(policy).permissions(roles), RuleBook(policy)
        for permission in list(Permission)[:4]:
            assert (permission in compiled) == book.ask(roles, permission)[0]

    @given(NAMES, NAMES)
    def test_a_name_that_is_no_role_changes_nothing(self, roles, more):
        strangers = frozenset(f"{name}!" for name in more if not name.startswith("only="))
        assert permissions_of(roles | strangers) == permissions_of(roles)

    @given(st.sampled_from(list(Role)), TAKEN)
    def test_a_narrowed_role_is_the_role_without_that_and_denies_no_less(self, role, taken):
        name = frozenset({"!".join([role, *sorted(taken)])})
        assert permissions_of(name) == permissions_of(frozenset({role})) - taken
        for other in Role:
            both = permissions_of(name | {other})
            assert both <= permissions_of(frozenset({role, other}))

    def test_a_limit_without_anything_allows_nothing(self):
        assert not permissions_of(frozenset({"partner_owner", limit_to([])}))

    def test_nobody_may_do_nothing(self):
        assert not permissions_of(frozenset())

    def test_agree_in_many_threads(self):
        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        questions = [(frozenset({role}), permission) for role in Role for permission in Permission]
        expected = [can(*question) for question in questions]
        start = threading.Barrier(4)

        def ask(_number):
            start.wait()
            fast = [can(*question) for question in questions]
            return fast, [load_rule_book().ask(*question)[0] for question in questions[::9]]

        try:
            with ThreadPoolExecutor(4) as pool:
                answers = list(pool.map(ask, range(4)))
        finally:
            sys.setswitchinterval(before)
        assert all(fast == expected and slow == expected[::9] for fast, slow in answers)
