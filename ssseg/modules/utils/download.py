"""Fetching a file once: whole and checked, or not at all."""

import contextlib
import fcntl
import hashlib
import http.client
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .errors import DownloadError, ResourceError
from .files import touchdirs

_TIMEOUT = 30.0  # seconds without a byte
_TRIES = 4
_CHUNK = 1 << 20
_NETWORK = (OSError, http.client.HTTPException)
_HOSTS = (  # where published files stand, and where those hosts lead to; names below them count as well
    *("github.com", "githubusercontent.com", "download.pytorch.org", "dl.fbaipublicfiles.com"),
    *("download.openmmlab.com", "huggingface.co", "hf.co"),
)


def download(url: str, folder: str | os.PathLike[str] | None = None, *, allow_local: bool = False) -> Path:
    """Fetch `url` into `folder` unless it is there, and return the file.

    The file has the last part of the URL as its name. Where that ends in 8 or more hex digits, as in
    `resnet18-5c106cde.pth`, they are the beginning of its SHA-256, which is checked. What arrives stands in
    `<name>.part` until it is whole; a transfer that breaks off goes on from there, in a later run too where the hash or
    the server's ETag tells that it is the same file. Of several processes one fetches and the others wait.

    Args:
        folder: made where it is missing; None means `checkpoints` in the folder of torch.hub.
        allow_local: also take http from 127.0.0.1, for tests.

    Raises:
        DownloadError: the URL is not https, the server does not give the file, or it is not the one announced.
        ResourceError: the folder cannot be written, or the disk has no room for the file.
    """
    path = (_default_folder() if folder is None else Path(folder)) / _name_of(url)
    digest = announced_digest(path.name)
    if _is_there(path, digest):
        return path
    try:
        touchdirs(path.parent)
        _require_allowed(url, allow_local)
        with _locked(path):
            if not _is_there(path, digest):  # another process may have fetched it
                _fetch(url, path, digest, _opener(allow_local))
    except _FailedError as error:
        raise DownloadError(f"{url}: {error}. To do without the network, put the file at {path}.") from error
    except ResourceError as error:
        raise ResourceError(f"{error}{_hint(folder)}") from error
    except OSError as error:
        raise ResourceError(f"{path}: cannot be written: {error.strerror or error}{_hint(folder)}") from error
    return path


def _name_of(url: str) -> str:
    """Return the name of the file that a URL leads to; DownloadError where it has none that a file could have."""
    with contextlib.suppress(ValueError):
        if re.fullmatch(r"[^\0/]{1,200}", name := Path(urlsplit(url).path).name) and name != "..":
            return name
    raise DownloadError(f"{url!r}: is no address of a file")


def announced_digest(name: str) -> str | None:
    """Return the beginning of the SHA-256 that the name of a published file ends in: `resnet18-5c106cde.pth`."""
    match = re.search(r"-([0-9a-f]{8,64})\.\w+$", name)
    return match[1] if match else None


class _FailedError(Exception):
    """The server does not give the file."""


class _BrokenOffError(Exception):
    """A transfer broke off; what arrived is good."""


def _fetch(url: str, path: Path, digest: str | None, opener: urllib.request.OpenerDirector) -> None:
    part = path.with_name(f"{path.name}.part")
    if digest is None and not _version_file(part).exists():
        part.unlink(missing_ok=True)  # it may be the beginning of an older version, and nothing would tell
    problem = ""
    for _ in range(_TRIES):
        try:
            _transfer(url, part, opener)
        except _BrokenOffError as error:
            problem = str(error)
            continue
        if _is_there(part, digest):
            os.replace(part, path)
            _version_file(part).unlink(missing_ok=True)
            return
        problem = f"what arrives is another file: its SHA-256 does not begin with {digest}"
        part.unlink()
    raise _FailedError(f"{problem}, in {_TRIES} tries")


def _transfer(url: str, part: Path, opener: urllib.request.OpenerDirector) -> None:
    """Fetch into `part` what it does not hold yet."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "ssseg", **({"Range": f"bytes={have}-"} if have else {})}
    if have and _version_file(part).exists():
        headers["If-Range"] = _version_file(part).read_text(encoding="ascii")  # another version comes from its start
    try:
        response = opener.open(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT)  # noqa: S310  (checked)
    except urllib.error.HTTPError as error:
        error.close()
        if have and error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:  # the part is no beginning of this file
            part.unlink()
            raise _BrokenOffError("the server does not continue the transfer") from error
        reason, *_ = str(error.reason).split("\n")
        raise _FailedError(f"the server answers {error.code} {reason}") from error
    except (*_NETWORK, ValueError) as error:  # of addresses that are none
        raise _BrokenOffError(f"no connection: {getattr(error, 'reason', error)}") from error
    goes_on = response.status == http.client.PARTIAL_CONTENT
    place = response.headers.get("Content-Range", f"bytes {have}-")
    with response, part.open("ab" if goes_on else "wb") as stream:
        if goes_on and not place.startswith(f"bytes {have}-"):
            stream.truncate(0)
            raise _BrokenOffError(f"the server goes on at another place, {place!r}")
        if not goes_on and response.status != http.client.OK:
            raise _FailedError(f"the server answers {response.status} {response.reason}")
        length = _announced_length(response)
        expected = stream.tell() + length
        free = shutil.disk_usage(part.parent).free
        if length > free:
            raise ResourceError(f"{part.parent}: the disk is full: {length:,} bytes are needed, {free:,} are free")
        _note_version(part, response)
        while chunk := _read(response):
            stream.write(chunk)
        stream.flush()
        os.fsync(stream.fileno())
        if stream.tell() < expected:
            raise _BrokenOffError(f"the transfer ends after {stream.tell():,} of {expected:,} bytes")


def _announced_length(response: Any) -> int:
    """Return how many bytes are to come, 0 where the server does not say."""
    length = response.headers.get("Content-Length", "0")
    return int(length) if re.fullmatch(r"[0-9]{1,18}", length) else 0


def _version_file(part: Path) -> Path:
    """Where the server's name for the version of a partial file stands."""
    return part.with_name(f"{part.name}.etag")


def _note_version(part: Path, response: Any) -> None:
    etag = response.headers.get("ETag", "")
    if re.fullmatch(r'"[!-~]{1,200}"', etag):  # a weak one, W/"...", does not promise the same bytes
        _version_file(part).write_text(etag, encoding="ascii")
    else:
        _version_file(part).unlink(missing_ok=True)


def _read(response: Any) -> bytes:
    try:
        return response.read1(_CHUNK)  # what is there, so that nothing is lost when the next bytes fail to come
    except _NETWORK as error:
        raise _BrokenOffError(f"the connection breaks: {error}") from error


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows at most five redirects, each by https to the host that was asked for or to a listed one."""

    max_redirections = 5

    def __init__(self, allow_local: bool):
        self.allow_local = allow_local

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        try:
            _require_allowed(newurl, self.allow_local)
            _require_listed(newurl, urlsplit(req.full_url).hostname)
        except _FailedError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(allow_local: bool) -> urllib.request.OpenerDirector:
    proxies = [urllib.request.ProxyHandler({})] if allow_local else []
    return urllib.request.build_opener(_Redirects(allow_local), *proxies)


def _require_allowed(url: str, allow_local: bool) -> None:
    """Refuse what is not https, and machines that have no name: no public file stands there."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if allow_local and (parts.scheme, host) == ("http", "127.0.0.1"):
        return
    with contextlib.suppress(ValueError):
        ip_address(host)
        host = ""
    if parts.scheme != "https" or "." not in host:
        raise _FailedError(f"only https addresses of named hosts are fetched, not {url}")


def _require_listed(url: str, before: str | None) -> None:
    """Refuse a host that a server leads to unless it led there from itself or the host is a listed one."""
    host = urlsplit(url).hostname
    if host != before and not any(f".{host}".endswith(f".{known}") for known in _HOSTS):
        raise _FailedError(f"the server leads to {host}, which is none of the hosts that files are fetched from")


def _is_there(path: Path, digest: str | None) -> bool:
    """Return whether `path` is a file whose SHA-256 begins with `digest`, where one is announced."""
    if not path.is_file():
        return False
    if digest is None:
        return True
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest().startswith(digest)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold `<path>.lock`; the system lets go of it when the process ends, however that happens."""
    with path.with_name(f"{path.name}.lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _hint(folder: object) -> str:
    return "" if folder else ". The environment variable TORCH_HOME names another place for fetched weights."


def _default_folder() -> Path:
    from torch import hub

    return Path(hub.get_dir()) / "checkpoints"
