"""A server on this machine that gives the files of a dictionary, with ranges and versions."""

import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer(ThreadingHTTPServer):
    """Serves `files`, name -> bytes; a name in `cut` breaks off once after so many bytes.

    `asked` lists (name, start).
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.cut, self.asked = {}, {}, []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.lstrip("/")
        content = self.server.files.get(name)
        if content is None:
            self.server.asked.append((name, None))
            return self._answer(404, b"<html>no such file</html>")
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        same = self.headers.get("If-Range", tag) == tag
        wanted = self.headers.get("Range") if same else None
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self.server.asked.append((name, start))
        stop = self.server.cut.pop(name, len(content))
        self._answer(206 if start else 200, content[start:stop], len(content) - start, tag)

    def _answer(self, status, body, length=None, tag=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        if tag:
            self.send_header("ETag", tag)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextmanager
def running_server():
    """A server that runs while the block does."""
    with FileServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
