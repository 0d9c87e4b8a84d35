"""On the path of programs under test, so that each of them draws its tokens and keys with the mark of the run."""

from tests.canaries.drawing import mark_what_is_drawn

mark_what_is_drawn()
