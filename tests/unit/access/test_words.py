"""What permissions mean in words: all of them, each once, in groups that leave nothing out."""

from app.access.permissions import Permission
from app.access.policy.words import grouped, word_of


class TestWords:
    def test_are_there_for_every_permission_once(self):
        named = [name for group in grouped(Permission) for name, _words in group.items]
        assert sorted(named) == sorted(Permission)

    def test_differ_from_one_permission_to_the_other_and_from_its_name(self):
        words = [said for group in grouped(Permission) for _name, said in group.items]
        assert len(set(words)) == len(words)
        assert all(word_of(permission) != permission for permission in Permission)

    def test_come_only_for_what_was_asked(self):
        [group] = grouped([Permission.GATE_DECIDE, Permission.TASK_COMPLETE, "made:up:thing"])
        assert [name for name, _words in group.items] == [Permission.TASK_COMPLETE, Permission.GATE_DECIDE]
