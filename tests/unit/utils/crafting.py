"""Files that `torch.save` would not write: pickles and archives put together by hand."""

import io
import pickle
import zipfile
from collections import OrderedDict

import torch


def archive(tmp_path, pickled, entries=(), root="archive", **options):
    """Write a zip archive with this pickle and these (name, bytes) entries."""
    path = tmp_path / "crafted.pth"
    with zipfile.ZipFile(path, "w", **options) as stream:
        stream.writestr(f"{root}/data.pkl", pickled)
        for name, data in entries:
            stream.writestr(name, data)
    return path


class Call:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments, state=None):
        self.result = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.result


class Storage:
    """Pickles as a reference to a storage."""

    def __init__(self, what="storage", kind=torch.FloatStorage, key="0", location="cpu", numel=4):
        self.identity = (what, kind, key, location, numel)


class Pickler(pickle._Pickler):
    def persistent_id(self, item):
        return item.identity if isinstance(item, Storage) else None


def pickled(contents, protocol=2):
    stream = io.BytesIO()
    Pickler(stream, protocol).dump(contents)
    return stream.getvalue()


def tensor(storage=None, offset=0, size=(4,), stride=(1,), *more):
    return Call(
        torch._utils._rebuild_tensor_v2, storage or Storage(), offset, size, stride, False, OrderedDict(), *more
    )


def crafted(tmp_path, contents, nbytes=16):
    return archive(tmp_path, pickled(contents), [("archive/data/0", bytes(nbytes))])
