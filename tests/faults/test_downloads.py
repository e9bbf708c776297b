"""Rows X07 to X13: fetching from a server that misbehaves, through a proxy, and without a network."""

import ctypes
import hashlib
import io
import os
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ssseg.modules.utils import DownloadError, ResourceError
from ssseg.modules.utils import download as module
from ssseg.modules.utils.download import announced_digest, download
from tests.faults.children import Child, require_codes

CONTENT = bytes(range(256)) * 20
NAME = f"weights-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"


class Server(ThreadingHTTPServer):
    """Serves CONTENT; `script` holds what to do instead, request by request."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script, self.ranges, self.headers = [], [], {}

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/{NAME}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.ranges.append(self.headers.get("Range"))
        action, value = self.server.script.pop(0) if self.server.script else ("whole", None)
        if action == "status":
            return self.answer(value, b"<html>an error page</html>")
        if action == "redirect":
            self.send_response(302)
            self.send_header("Location", value)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if action == "slow":
            time.sleep(value)
        content = value if action == "other" else CONTENT
        wanted = self.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and action != "no range" else 0
        if start >= len(content):
            return self.answer(416, b"")
        stop = value if action in ("cut", "stall") else len(content)
        announced = value if action == "longer" else len(content) - start
        self.answer(206 if start else 200, content[start:stop], announced)
        if action == "stall":
            time.sleep(3)

    def answer(self, status, body, length=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def fetch(server, folder):
    return download(server.url, folder, allow_local=True)


def leftovers(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_X08_a_whole_file_is_fetched_once(server, tmp_path):
    path = fetch(server, tmp_path / "new" / "folder")
    assert path.name == NAME
    assert path.read_bytes() == CONTENT
    assert fetch(server, path.parent) == path
    assert len(server.ranges) == 1
    assert leftovers(path.parent) == [NAME]


def test_X08_a_damaged_copy_is_replaced(server, tmp_path):
    (tmp_path / NAME).write_bytes(CONTENT[:-1])
    assert fetch(server, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("length", ["abc", "-5", "0x10"])
def test_X08_a_length_that_is_no_number_counts_for_nothing(server, tmp_path, length):
    server.script = [("longer", length)]
    assert fetch(server, tmp_path).read_bytes() == CONTENT


def test_X08_an_answer_without_the_file_is_an_error(server, tmp_path):
    server.script = [("status", 204)]
    with pytest.raises(DownloadError, match="the server answers 204"):
        fetch(server, tmp_path)


def test_X08_a_refused_range_that_was_not_asked_for_is_an_error(server, tmp_path):
    server.script = [("status", 416)]
    with pytest.raises(DownloadError, match="the server"):
        fetch(server, tmp_path)


def test_X09_a_server_that_goes_on_at_another_place_is_asked_for_the_whole(server, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "announced_digest", lambda name: None)  # or the digest would tell
    server.headers = {"ETag": '"1"', "Content-Range": f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"}
    server.script = [("cut", 1000)]
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=1000-", None]


@pytest.mark.parametrize("action", ["cut", "stall"])
def test_X09_goes_on_where_a_transfer_broke_off(server, tmp_path, monkeypatch, action):
    monkeypatch.setattr(module, "_TIMEOUT", 1.0)
    server.script = [(action, 1000), (action, 3000)]
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=1000-", "bytes=3000-"]


def test_X09_goes_on_in_a_later_run(server, tmp_path):
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:2000])
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.ranges == ["bytes=2000-"]


@pytest.mark.parametrize("script", [[("no range", None)], []])
def test_X09_begins_again_where_the_server_does_not_go_on(server, tmp_path, script):
    server.script = script
    part = CONTENT[:2000] if script else CONTENT + b"more"  # the second answers 416
    (tmp_path / f"{NAME}.part").write_bytes(part)
    assert fetch(server, tmp_path).read_bytes() == CONTENT


def test_X09_a_part_without_a_digest_is_not_trusted(server, tmp_path):
    (tmp_path / "plain.pth.part").write_bytes(b"of another version")
    url = server.url.replace(NAME, "plain.pth")
    assert download(url, tmp_path, allow_local=True).read_bytes() == CONTENT
    assert server.ranges == [None]


def test_X08_another_file_than_announced_is_fetched_again_then_refused(server, tmp_path):
    server.script = [("other", b"damaged")]
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    (tmp_path / NAME).unlink()
    server.script = [("other", b"damaged")] * 10
    with pytest.raises(DownloadError, match=r"SHA-256 does not begin with [0-9a-f]{8}"):
        fetch(server, tmp_path)
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("status", [403, 404, 500])
def test_X07_an_error_page_is_not_taken_for_the_file(server, tmp_path, status):
    server.script = [("status", status)]
    with pytest.raises(DownloadError) as caught:
        fetch(server, tmp_path)
    message = str(caught.value)
    assert server.url in message
    assert f"answers {status}" in message
    assert f"put the file at {tmp_path / NAME}" in message
    assert leftovers(tmp_path) == []


def test_X12_no_connection_names_the_place_for_the_file(server, tmp_path):
    url = server.url
    server.shutdown()
    server.server_close()
    with pytest.raises(
        DownloadError, match=r"no connection: .*in 4 tries\. To do without the network, put the file at"
    ):
        download(url, tmp_path, allow_local=True)


def test_X10_follows_a_few_redirects(server, tmp_path):
    server.script = [("redirect", f"{server.url}?{i}") for i in range(5)]
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    (tmp_path / NAME).unlink()
    server.script = [("redirect", f"{server.url}?{i}") for i in range(6)]
    with pytest.raises(DownloadError, match="answers 302"):
        fetch(server, tmp_path)


@pytest.mark.parametrize(
    "address",
    ["http://example.org/x", "https://169.254.169.254/meta", "https://[::1]/x", "https://localhost/x", "file:///etc/x"],
)
def test_X10_addresses_that_are_not_public_are_refused(server, tmp_path, address):
    with pytest.raises(DownloadError, match="only https addresses of named hosts are fetched"):
        download(address, tmp_path)
    server.script = [("redirect", address)]
    with pytest.raises(DownloadError, match=r"only https addresses of named hosts are fetched|is not allowed"):
        fetch(server, tmp_path)
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("https://release-assets.githubusercontent.com/x", True),
        ("https://github.com/y", True),
        ("https://asked.example.org/elsewhere", True),
        ("https://evil.example.org/x", False),
        ("https://githubusercontent.com.example.org/x", False),
        ("https://notgithub.com/x", False),
        ("https://metadata.google.internal/x", False),
    ],
)
def test_X10_a_server_leads_to_itself_or_to_listed_hosts_only(address, taken):
    request = urllib.request.Request("https://asked.example.org/x")
    redirects = module._Redirects(allow_local=False)
    arguments = (request, io.BytesIO(), 302, "Found", {}, address)
    if taken:
        assert redirects.redirect_request(*arguments).full_url == address
    else:
        with pytest.raises(module._FailedError, match="none of the hosts that files are fetched from"):
            redirects.redirect_request(*arguments)


@pytest.mark.parametrize("place", ["http://[x", "https://" + "a" * 70 + ".github.com/x", "https://..github.com/x"])
def test_X10_places_that_are_no_addresses(server, tmp_path, place):
    server.script = [("redirect", place)] * 4
    with pytest.raises(DownloadError, match="no connection: "):
        fetch(server, tmp_path)


@pytest.mark.parametrize(
    "url", ["https://[x", "https://github.com/", "https://github.com/" + "a" * 300, "https://a.b/x\0"]
)
def test_X10_urls_that_name_no_file(tmp_path, url):
    with pytest.raises(DownloadError, match="is no address of a file"):
        download(url, tmp_path)


def test_X10_local_addresses_need_the_argument(server, tmp_path):
    with pytest.raises(DownloadError, match="only https"):
        download(server.url, tmp_path)
    assert server.ranges == []


def test_X11_two_processes_fetch_once(server, tmp_path):
    server.script = [("slow", 0.3)]
    children = [Child(lambda: fetch(server, tmp_path)) for _ in range(3)]
    require_codes(children, [0] * 3)
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert len(server.ranges) == 1
    assert leftovers(tmp_path) == [NAME]


def test_X11_a_process_that_is_killed_leaves_the_download_to_the_next(server, tmp_path):
    server.script = [("stall", 2000)]
    child = Child(lambda: fetch(server, tmp_path))
    while not (tmp_path / f"{NAME}.part").exists():
        time.sleep(0.01)
    child.kill()
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert leftovers(tmp_path) == [NAME]


def test_X12_a_folder_that_cannot_be_made_is_named(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="file"):
        fetch(server, tmp_path / "file")


def test_X12_the_cache_is_that_of_torch_hub_and_needs_no_network(monkeypatch, tmp_path):
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / NAME).write_bytes(CONTENT)
    assert download(f"https://example.org/{NAME}") == tmp_path / "checkpoints" / NAME


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("resnet18-5c106cde.pth", "5c106cde"),
        ("mobilenet_v2_batch256_imagenet_20200708-3b2dc3af.pth", "3b2dc3af"),
        ("convnextv2_atto_1k_224_ema.pt", None),
        ("a-1234567.pth", None),
    ],
)
def test_X08_digest_in_a_name(name, digest):
    assert announced_digest(name) == digest


@pytest.mark.parametrize("announced", [len(CONTENT) - 10, 0])
def test_X08_a_body_that_is_longer_than_announced_is_refused(server, tmp_path, announced):
    server.script = [("longer", announced)] * 10
    with pytest.raises(DownloadError):
        fetch(server, tmp_path)
    assert not (tmp_path / NAME).exists()


def without_network():
    """Move this process into a network of its own, where nothing is; end it where the system does not let it."""
    new_user, new_network = 0x10000000, 0x40000000
    if ctypes.CDLL(None).unshare(new_user | new_network) != 0:
        os._exit(77)


def test_X12_without_a_network_the_cache_is_used_or_the_place_for_the_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_TIMEOUT", 1.0)
    url = f"https://download.pytorch.org/models/{NAME}"

    def run():
        without_network()
        download(url, tmp_path)

    child = Child(run)
    code = child.wait()
    if code == 77:
        pytest.skip("this system does not let processes have a network of their own")
    assert code == 4
    assert url in child.output
    assert f"To do without the network, put the file at {tmp_path / NAME}." in child.output
    (tmp_path / NAME).write_bytes(CONTENT[:-1])
    assert Child(run).wait() == 4  # its hash does not match
    (tmp_path / NAME).write_bytes(CONTENT)
    assert Child(run).wait() == 0


def test_X12_a_proxy_is_asked(tmp_path, monkeypatch):
    asked = []

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self):
            asked.append(self.path)
            self.send_error(403)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.server_port}")
        monkeypatch.setenv("no_proxy", "")
        with pytest.raises(DownloadError, match=r"no connection: .*403"):
            download("https://download.pytorch.org/x.pth", tmp_path)
        proxy.shutdown()
        thread.join()
    assert set(asked) == {"download.pytorch.org:443"}


@pytest.mark.parametrize("name", ["../../evil.pth", "/etc/passwd", "x.pth\0", "a" * 5000])
def test_X13_file_names_from_the_server_are_ignored(server, tmp_path, name):
    server.headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Location": f"/{name}"}
    assert fetch(server, tmp_path / "cache") == tmp_path / "cache" / NAME
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["cache", NAME, f"{NAME}.lock"]


def test_X13_a_redirect_does_not_rename_the_file(server, tmp_path):
    server.script = [("redirect", f"{server.url.removesuffix(NAME)}../../other.pth")]
    assert fetch(server, tmp_path).name == NAME
    assert leftovers(tmp_path) == [NAME]
