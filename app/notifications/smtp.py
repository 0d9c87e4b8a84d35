"""Hands one composed mail to a mail server. Says whether a failure passes; when to try again is the job's matter."""

from __future__ import annotations

import ipaddress
import smtplib
import ssl
from contextlib import ExitStack, suppress
from email.message import EmailMessage
from functools import cache
from typing import Final, Protocol

from app.kernel.errors import Invalid, Unavailable
from app.notifications.compose import one_line

TIMEOUT: Final = 20.0  # seconds for each step of the conversation
_PERMANENT: Final = 500  # SMTP answers from here on will not change by waiting


class MailServer(Protocol):
    """Where mail is handed over, as the settings give it. `tls` is TLS from the first byte (`smtps://`)."""

    @property
    def host(self) -> str:
        """Name or address."""

    @property
    def port(self) -> int:
        """TCP port."""

    @property
    def tls(self) -> bool:
        """TLS before the first word; otherwise STARTTLS where the server offers it."""

    @property
    def user(self) -> str | None:
        """Account, if one is needed."""

    @property
    def password(self) -> str | None:
        """Its password."""


class MailNotTaken(Unavailable):
    """The mail server could not be reached or said "later": try the same mail again."""


class MailRefused(Invalid):
    """The mail server will never take this mail: wrong address, wrong account, too large."""


def send(server: MailServer, message: EmailMessage, *, tls: ssl.SSLContext | None = None) -> None:
    """Hand the mail over; returns when the server has taken responsibility for it.

    Raises MailNotTaken (temporary) and MailRefused (permanent). A connection that breaks after the last byte may have
    delivered: the same Message-ID is sent again then. `tls` is for a certificate authority of one's own.
    """
    place = f"{server.host}:{server.port}"
    try:
        connection = _connect(server, _greeting(message), tls or _trusted())
        try:
            connection.send_message(message)
        finally:
            _leave(connection)
    except (OSError, smtplib.SMTPException) as trouble:
        raise _named(trouble, place) from None


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities of this machine, read once."""
    return ssl.create_default_context()


def _connect(server: MailServer, greeting: str, tls: ssl.SSLContext) -> smtplib.SMTP:
    """A conversation that is as private as the server allows. Signing in happens inside TLS, or on this machine."""
    if server.tls:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, local_hostname=greeting, timeout=TIMEOUT, context=tls
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, local_hostname=greeting, timeout=TIMEOUT)
    with ExitStack() as failed:
        failed.callback(connection.close)
        connection.ehlo_or_helo_if_needed()
        private = server.tls
        if not private and connection.has_extn("starttls"):
            connection.starttls(context=tls)
            private = True
        if server.user is not None:
            _sign_in(connection, server, private=private)
        failed.pop_all()
    return connection


def _sign_in(connection: smtplib.SMTP, server: MailServer, *, private: bool) -> None:
    if not private and not _is_here(server.host):
        raise MailNotTaken(f"The mail server {server.host} offers no TLS, so no password is sent to it. Use smtps://.")
    connection.login(server.user or "", server.password or "")


def _leave(connection: smtplib.SMTP) -> None:
    """Say goodbye; what the server answers to that changes nothing about the mail it has taken."""
    with suppress(OSError, smtplib.SMTPException):
        connection.quit()
    connection.close()


def _named(trouble: Exception, place: str) -> MailNotTaken | MailRefused:
    """The trouble by its name: what was said about this mail is permanent from 500 on, all else passes."""
    if isinstance(trouble, smtplib.SMTPRecipientsRefused):
        return _answered(*next(iter(trouble.recipients.values())), place)
    if isinstance(trouble, smtplib.SMTPSenderRefused | smtplib.SMTPDataError):
        return _answered(trouble.smtp_code, trouble.smtp_error, place)
    if isinstance(trouble, smtplib.SMTPAuthenticationError):
        return MailNotTaken(f"The mail server {place} does not accept the account. Check user and password.")
    if isinstance(trouble, smtplib.SMTPResponseException):
        return MailNotTaken(f"The mail server {place} is not ready: {_text(trouble.smtp_code, trouble.smtp_error)}.")
    if isinstance(trouble, ssl.SSLCertVerificationError):
        return MailNotTaken(f"The certificate of the mail server {place} is not trusted: {trouble.verify_message}.")
    said = getattr(trouble, "strerror", None) or str(trouble) or type(trouble).__name__
    return MailNotTaken(f"The mail server {place} does not answer: {said}.")


def _answered(code: int, said: bytes | str, place: str) -> MailNotTaken | MailRefused:
    if code >= _PERMANENT:
        return MailRefused(f"The mail server {place} refuses this mail: {_text(code, said)}.")
    return MailNotTaken(f"The mail server {place} cannot take this mail now: {_text(code, said)}.")


def _text(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return one_line(f"{code} {text}").rstrip(".")


def _greeting(message: EmailMessage) -> str:
    """The name we greet with: the sending brand's host, never this machine's (DESIGN 11)."""
    addresses = message["From"].addresses
    return str(addresses[0].domain)


def _is_here(host: str) -> bool:
    """Whether the server is on this machine: nobody listens in between."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
