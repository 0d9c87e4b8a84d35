"""What the sign-in forms send."""

from typing import Annotated

from msgspec import Meta, Struct

from app.web.translations import mark

PLAIN_ADDRESS = r"^[^\s@]+@[^\s@]+\.[^\s@]+$"


class SignInForm(Struct, frozen=True):
    """The address a link is asked for."""

    email: Annotated[
        str,
        Meta(
            pattern=PLAIN_ADDRESS,
            max_length=254,
            extra={"sentence": mark("This is not an e-mail address such as name@example.org.")},
        ),
    ]


class PreferencesForm(Struct, frozen=True):
    """A language or an appearance, and the page to go back to; each button of the menu sends one of the two."""

    locale: str | None = None
    theme: str | None = None
    return_to: str = "/"
