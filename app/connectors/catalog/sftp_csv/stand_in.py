"""A real SFTP server on 127.0.0.1 over a folder of its own, with fault switches. The runner never imports it."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import paramiko

from app.connectors.files.sftp import fingerprint_of

USER: Final = "exchange"
FaultKind = Literal["cut_after_effect", "cut_before_effect", "silent_after_effect", "short_write", "full"]


@dataclass
class FileFault:
    """What goes wrong with the next `times` renames (the effect of a put), or writes for `short_write` and `full`."""

    kind: FaultKind
    times: int = 1
    seconds: float = 30.0


class SftpStandIn:
    """A running server; `folder` is what its user sees, `effects` the names that files were given, in order."""

    def __init__(self, port: int = 0, tokens: Mapping[str, str] | None = None) -> None:
        self.passwords = set(tokens or {})
        self.public_keys: set[str] = set()  # fingerprints
        self.effects: list[str] = []
        self.sessions = 0
        self.faults: list[FileFault] = []
        self.host_key: paramiko.PKey = paramiko.ECDSAKey.generate()
        self._home = tempfile.TemporaryDirectory(prefix="sftp-")
        self.folder = Path(self._home.name)
        self.stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[paramiko.Transport] = []
        logging.getLogger("paramiko").setLevel(logging.CRITICAL)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def fingerprint(self) -> str:
        """What a person would approve."""
        return fingerprint_of(self.host_key)

    def stop(self) -> None:
        """Serve no more. Twice does no harm."""
        self.stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for transport in self._open:
            transport.close()
        self._home.cleanup()

    def break_next(self, fault: FileFault) -> None:
        """Arm a fault switch."""
        self.faults.append(fault)

    def take_fault(self, *kinds: str) -> FileFault | None:
        """An armed fault of one of these kinds, used up by one."""
        for fault in self.faults:
            if fault.kind in kinds and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    def cut(self) -> None:
        """Break every line, as a network would."""
        for transport in self._open:
            with suppress(OSError):  # shut down, not closed: its thread still reads by this very number
                transport.sock.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while not self.stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._welcome, args=(sock,), daemon=True).start()

    def _welcome(self, sock: socket.socket) -> None:
        self.sessions += 1
        transport = paramiko.Transport(sock)
        self._open.append(transport)
        transport.add_server_key(self.host_key)
        transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, self)
        with suppress(paramiko.SSHException, EOFError, OSError):
            transport.start_server(server=_Gate(self))


class _Gate(paramiko.ServerInterface):  # type: ignore[misc]  # paramiko has no types
    """Who may come in: one user, by a known password or key."""

    def __init__(self, stand_in: SftpStandIn) -> None:
        self._stand_in = stand_in

    def check_auth_password(self, username: str, password: str) -> int:
        return _verdict(known=username == USER and password in self._stand_in.passwords)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return _verdict(known=username == USER and fingerprint_of(key) in self._stand_in.public_keys)

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002  the library's names
        return "password,publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002  the library's names
        return int(paramiko.OPEN_SUCCEEDED if kind == "session" else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED)


def _verdict(*, known: bool) -> int:
    return int(paramiko.AUTH_SUCCESSFUL if known else paramiko.AUTH_FAILED)


class _OpenFile(paramiko.SFTPHandle):  # type: ignore[misc]  # paramiko has no types
    """An open file; a fault may keep only half of what is written."""

    def __init__(self, stand_in: SftpStandIn, file: Any, flags: int) -> None:
        super().__init__(flags)
        self._stand_in = stand_in
        self.readfile = self.writefile = file  # names that paramiko's own handle reads

    def write(self, offset: int, data: bytes) -> int:
        fault = self._stand_in.take_fault("short_write", "full")
        if fault and fault.kind == "full":
            return int(paramiko.SFTP_FAILURE)
        return int(super().write(offset, data[: len(data) // 2] if fault else data))


class _Files(paramiko.SFTPServerInterface):  # type: ignore[misc]  # paramiko has no types
    """The folder as a server shows it. Links are followed by `stat` and shown by `lstat`, as everywhere."""

    def __init__(self, server: paramiko.ServerInterface, stand_in: SftpStandIn) -> None:
        super().__init__(server)
        self._stand_in = stand_in

    def _path(self, path: str) -> Path:
        return self._stand_in.folder / path.lstrip("/")

    def list_folder(self, path: str) -> Any:
        return _answered(lambda: [_seen(each) for each in sorted(self._path(path).iterdir())])

    def lstat(self, path: str) -> Any:
        return _answered(lambda: _seen(self._path(path)))

    def stat(self, path: str) -> Any:
        return _answered(lambda: paramiko.SFTPAttributes.from_stat(self._path(path).stat()))

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> Any:  # noqa: ARG002  the library's names
        def opened() -> _OpenFile:
            descriptor = os.open(self._path(path), flags, 0o600)
            mode = "wb" if flags & os.O_WRONLY else "r+b" if flags & os.O_RDWR else "rb"
            return _OpenFile(self._stand_in, os.fdopen(descriptor, mode), flags)

        return _answered(opened)

    def rename(self, oldpath: str, newpath: str) -> int:
        if self._path(newpath).exists():
            return int(paramiko.SFTP_FAILURE)
        return self.posix_rename(oldpath, newpath)

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        fault = self._stand_in.take_fault("cut_before_effect", "cut_after_effect", "silent_after_effect")
        if fault and fault.kind == "cut_before_effect":
            self._stand_in.cut()
            return int(paramiko.SFTP_FAILURE)
        self._path(oldpath).replace(self._path(newpath))
        self._stand_in.effects.append(newpath.rpartition("/")[2])
        if fault and fault.kind == "cut_after_effect":
            self._stand_in.cut()
        elif fault:
            self._stand_in.stopping.wait(fault.seconds)
        return int(paramiko.SFTP_OK)


def _seen(path: Path) -> paramiko.SFTPAttributes:
    return paramiko.SFTPAttributes.from_stat(path.lstat(), path.name)


def _answered(do: Any) -> Any:
    try:
        return do()
    except OSError as error:
        return paramiko.SFTPServer.convert_errno(error.errno or 0)


def start(port: int = 0, tokens: Mapping[str, str] | None = None) -> SftpStandIn:
    """Serve on 127.0.0.1; port 0 takes a free one. `tokens`: the passwords that are known."""
    return SftpStandIn(port, tokens)
