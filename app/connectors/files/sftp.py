"""One folder of an SFTP server, over a line that the egress guard has opened. Its host key must be the known one."""

from __future__ import annotations

import base64
import hashlib
import io
import logging
import re
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import paramiko

from app.connectors.kit.settings import SettingsUnfit
from app.kernel.errors import Missing, SlipwayError
from app.kernel.outbound.client import OutboundClient, PeerOutcomeUnknown, PeerUnreachable
from app.kernel.outbound.egress import Place
from app.vault.secret import Secret

# Its lines hold what the peer says, and its threads log what we raise ourselves.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)

CHUNK: Final = 32_768  # bytes; what every server takes in one packet
MOST_ENTRIES: Final = 1_000  # of a folder
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,119}", re.ASCII)
_KEYS: Final = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


class HostKeyUnknown(SettingsUnfit):
    """The server shows a key that nobody has approved: a first one, or another. No password was sent."""


class KeyUnreadable(SettingsUnfit):
    """The private key of the connection cannot be read."""


class SignInRefused(SlipwayError):
    """The server does not take the user with this password or key."""


class FileMissing(Missing):
    """There is no such file in the folder."""


class FileUnfit(SlipwayError):
    """The file is none that is exchanged here: a link, a folder, too large, or not ours to read."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a server is and who we are to it. `fingerprint`: `SHA256:…` of its key, as a person has approved it."""

    host: str
    port: int
    ports: frozenset[int]
    user: str
    fingerprint: str
    password: Secret | None = field(default=None, repr=False)
    key: Secret | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the folder: its size in bytes, and when it was changed (seconds since 1970, by the server)."""

    name: str
    size: int
    changed: int


def fingerprint_of(key: paramiko.PKey) -> str:
    """How OpenSSH writes it, too."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")


@contextmanager
def open_folder(
    client: OutboundClient, door: Door, folder: str, *, seconds: float, sandbox: bool
) -> Iterator[RemoteFolder]:
    """A signed-in session for at most so many seconds.

    Raises EgressRefused, PeerUnreachable, HostKeyUnknown, KeyUnreadable, SignInRefused; and from within
    PeerOutcomeUnknown where the line breaks.
    """
    key = _private_key(door.key)
    line = client.open(Place(door.host, door.port, door.ports), timeout=seconds, sandbox=sandbox)
    transport = paramiko.Transport(line)
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        line.close()

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    remote = RemoteFolder(folder)
    try:
        _sign_in(transport, door, key, seconds)
        remote.start(transport)
        yield remote
    except (SlipwayError, ValueError):
        raise
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise _trouble(door.host, error, touched=remote.touched, expired=expired.is_set()) from None
    finally:
        timer.cancel()
        transport.close()
        line.close()


def _trouble(host: str, error: Exception, *, touched: bool, expired: bool) -> SlipwayError:
    if not touched:
        return PeerUnreachable(f"{host} could not be reached by SFTP. Nothing was sent.")
    if expired or isinstance(error, TimeoutError):
        return PeerOutcomeUnknown(f"{host} did not answer in time. What it did is not known.", "timeout")
    return PeerOutcomeUnknown(f"{host} broke off. What it did is not known.", "broken")


def _sign_in(transport: paramiko.Transport, door: Door, key: paramiko.PKey | None, seconds: float) -> None:
    transport.banner_timeout = transport.auth_timeout = seconds
    transport.start_client(timeout=seconds)
    shown = fingerprint_of(transport.get_remote_server_key())
    if not door.fingerprint:
        raise HostKeyUnknown(f"{door.host} shows the key {shown}. Compare it with its owner's, then set it as known.")
    if shown != door.fingerprint:
        raise HostKeyUnknown(
            f"{door.host} shows the key {shown}, which is not the known one. Somebody may be in between: "
            "ask its owner, and set the new key only if they confirm it."
        )
    try:
        if key is not None:
            transport.auth_publickey(door.user, key)
        else:
            transport.auth_password(door.user, door.password.reveal() if door.password else "", fallback=False)
    except (paramiko.AuthenticationException, paramiko.BadAuthenticationType):
        raise SignInRefused(f"{door.host} does not take the user with these credentials.") from None


def _private_key(secret: Secret | None) -> paramiko.PKey | None:
    if secret is None:
        return None
    for kind in _KEYS:
        try:
            return kind.from_private_key(io.StringIO(secret.reveal()))
        except (paramiko.SSHException, ValueError, IndexError):
            continue
    raise KeyUnreadable("The private key of the connection is none in OpenSSH's or PEM's form without a passphrase.")


class RemoteFolder:
    """The files of a folder. Names hold neither a slash nor a control letter, and links are never followed."""

    def __init__(self, folder: str) -> None:
        self._folder = folder.rstrip("/")
        self.touched = False  # whether a change may have been asked for

    def start(self, transport: paramiko.Transport) -> None:
        """Open the file protocol on a session that is signed in."""
        found = paramiko.SFTPClient.from_transport(transport)
        if found is None:
            raise OSError("no session")
        self._sftp = found

    def list(self) -> list[Entry]:
        """The plain files that could be fetched, by name. Raises FileUnfit for a folder that is too full."""
        found: list[Entry] = []
        for seen, each in enumerate(self._sftp.listdir_iter(self._folder or ".")):
            if seen >= MOST_ENTRIES:
                raise FileUnfit(f"The folder holds more than {MOST_ENTRIES} entries.")
            if stat.S_ISREG(each.st_mode or 0) and _NAME.fullmatch(each.filename):
                found.append(Entry(each.filename, int(each.st_size or 0), int(each.st_mtime or 0)))
        return sorted(found, key=lambda entry: entry.name)

    def find(self, name: str) -> Entry | None:
        """A plain file, or None. Raises FileUnfit for a link, a folder, or a name that leads elsewhere."""
        try:
            seen = self._sftp.lstat(self._path(name))
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(seen.st_mode or 0):
            raise FileUnfit(f"{name} is a link or a folder, no file.")
        return Entry(name, int(seen.st_size or 0), int(seen.st_mtime or 0))

    def read(self, name: str, most: int) -> Iterator[bytes]:
        """The bytes of a file as they come. Raises FileMissing, FileUnfit where there are more than `most`."""
        entry = self.find(name)
        if entry is None:
            raise FileMissing(f"There is no file {name}.")
        if entry.size > most:
            raise FileUnfit(f"{name} has more than {most} bytes.")
        read = 0
        with self._sftp.open(self._path(name), "rb") as file:
            while chunk := file.read(CHUNK):
                read += len(chunk)
                if read > most:  # it has grown meanwhile, or the server does not count well
                    raise FileUnfit(f"{name} has more than {most} bytes.")
                yield chunk

    def digest(self, name: str, most: int) -> str:
        """The SHA-256 of a file in hex. Raises as `read` does."""
        found = hashlib.sha256()
        for chunk in self.read(name, most):
            found.update(chunk)
        return found.hexdigest()

    def has_part(self, name: str, digest: str) -> bool:
        """Whether an attempt to put these bytes was begun, and has not got as far as the name."""
        try:
            self._sftp.lstat(self._path(_part(name, digest)))
        except FileNotFoundError:
            return False
        return True

    def put(self, name: str, content: bytes, *, replace: bool) -> None:
        """Write beside the name, then give it the name: who looks there sees the whole file or none.

        `replace`: it may take the place of another. Once it is begun, only a look tells how it ended.
        """
        part = self._path(_part(name, hashlib.sha256(content).hexdigest()))
        self.touched = True
        with self._sftp.open(part, "wb") as file:
            file.set_pipelined(True)
            for at in range(0, len(content), CHUNK):
                file.write(content[at : at + CHUNK])
        if self._sftp.lstat(part).st_size != len(content):
            raise OSError("the server kept less than it was sent")
        if replace:
            self._sftp.posix_rename(part, self._path(name))
        else:
            self._sftp.rename(part, self._path(name))

    def _path(self, name: str) -> str:
        own = re.sub(r"\.[0-9a-f]{12}\.part\Z", "", name)
        if not _NAME.fullmatch(own) or ".." in own:
            raise FileUnfit("This cannot be the name of a file here.")
        return f"{self._folder}/{name}" if self._folder else name


def _part(name: str, digest: str) -> str:
    return f"{name}.{digest[:12]}.part"
