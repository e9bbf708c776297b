"""Rows K01 to K21 but for payloads, archives and kills: missing, damaged and foreign checkpoints, and misfits."""

import copy
import hashlib
import io
import os
import shutil
import socket
import time
import warnings
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

from ssseg.cli.main import main
from ssseg.engine.build import load_weights
from ssseg.engine.lock import LOCK, work_dir_lock
from ssseg.engine.trainer import train
from ssseg.engine.weightfiles import check, weights_of
from ssseg.modules import loadckpts, saveckpts
from ssseg.modules.utils import safeload
from ssseg.modules.utils.checkpoint import LATEST, load_optimizer, load_state
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import CheckpointError
from ssseg.modules.utils.files import sweep_stale
from tests.faults.children import Child, group, require_codes
from tests.faults.fuzzing import amounts, keep, mutants
from tests.integration.test_one_process import outcome, same
from tests.tiny import write_config, write_data
from tests.unit.engine.test_step import made, step
from tests.unit.utils.test_stateloading import Model, all_ones, grouped, ones, stepped

EMA = "ema_cfg={'momentum': 0.1, 'device': 'cpu'}"
EVERY = "runtime.save_interval_iters=1"


def training_state():
    """A small checkpoint with all that ours hold."""
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randn(2, 3, 8, 8)).sum().backward()
    optimizer.step()
    header = {"format": 1, "position": {"iteration": 7}, "metrics": {"best": {"value": 0.5, "metric": "miou"}}}
    parts = {"cur_epoch": 1, "cur_iter": 7, "model": model.state_dict(), "optimizer": optimizer.state_dict()}
    return {**parts, "ssseg": {**header, "label_map": {"classnames": ["a", "b"], "palette": [[0, 0, 0], [1, 2, 3]]}}}


@pytest.fixture(scope="module")
def whole(tmp_path_factory, data):
    """The config of a run of two epochs that saved after each iteration."""
    config = write_config(tmp_path_factory.mktemp("whole"), data)
    train(load_config(config, [EVERY, EMA]), device="cpu")
    return config


def checkpoint_of(config, name="iter-2"):
    return config.parent / "run" / f"checkpoints-{name}.pth"


# ---------------------------------------------------------------- K01, K02, K03, K05: missing and damaged


@pytest.mark.parametrize("name", ["checkpoint-iter-2.pth", "checkpoints-iter-2", "checkpoints_iter_2.pth"])
def test_K01_a_path_that_does_not_exist_is_never_a_fresh_start(whole, data, tmp_path, capsys, name):
    config = write_config(tmp_path, data)
    assert main(["train", str(config), "--ckptspath", str(checkpoint_of(whole).with_name(name))]) == 4
    errors = capsys.readouterr().err
    assert f"{name}: there is no such checkpoint. Did you mean 'checkpoints-" in errors
    assert not list((tmp_path / "run").glob("*.pth"))


def test_K02_a_file_that_is_cut_anywhere_is_an_error_and_latest_falls_back(tmp_path):
    first, second = tmp_path / "checkpoints-epoch-1.pth", tmp_path / "checkpoints-epoch-2.pth"
    saveckpts({**training_state(), "cur_iter": 1}, first)
    saveckpts({**training_state(), "cur_iter": 2}, second)
    content = second.read_bytes()
    for length in [*range(0, len(content), max(1, len(content) // 200)), len(content) - 1]:
        second.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match=r"checkpoints-epoch-2\.pth: "):
            loadckpts(second)
        with pytest.warns(UserWarning, match=r"checkpoints-epoch-1\.pth, the newest checkpoint that can be read, is"):
            assert loadckpts(tmp_path / LATEST)["cur_iter"] == 1


@amounts
def test_K03_a_damaged_file_is_an_error_or_holds_what_it_held(tmp_path, amount):
    originals = []
    for contents in (training_state(), {"state_dict": OrderedDict(a=torch.arange(5.0)), "epoch": np.float64(3)}):
        stream = io.BytesIO()
        torch.save(contents, stream)
        originals.append(stream.getvalue())
    path, harmless = tmp_path / "mutant.pth", 0
    held = []
    for content in originals:
        path.write_bytes(content)
        held.append(safeload.load(path))
    for name, content in mutants("checkpoint", originals, amount):
        path.write_bytes(content)
        try:
            got = safeload.load(path)
        except CheckpointError:
            continue
        except BaseException as error:
            raise AssertionError(keep(name, content)) from error
        assert any(same(got, contents) for contents in held), keep(name, content)
        harmless += 1
    assert harmless < amount


def test_K05_what_is_refused_is_not_tried_in_another_way(tmp_path, monkeypatch):
    (tmp_path / "bad.pth").write_bytes(b"PK\3\4 no archive")
    torch.save({"a": print}, tmp_path / "payload.pth")
    torch.save({"a": 1}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)

    def never(*args, **kwargs):
        raise AssertionError("was called")

    monkeypatch.setattr(torch, "load", never)
    monkeypatch.setattr("pickle.load", never)
    monkeypatch.setattr("pickle.loads", never)
    for name in ("bad.pth", "payload.pth", "old.pth"):
        with pytest.raises(CheckpointError):
            loadckpts(tmp_path / name)


def test_K05_no_file_of_the_package_asks_for_the_unsafe_way():
    root = Path(safeload.__file__).parents[2]
    assert not [path for path in root.rglob("*.py") if "weights_only=False" in path.read_text().replace(" ", "")]
    assert [path.name for path in root.rglob("*.py") if "torch.load(" in path.read_text()] == ["safeload.py"]


def places(value, path=()):
    """The paths to all entries of nested dictionaries and lists."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def test_K03_entries_of_another_kind_are_errors(tmp_path, capsys):
    """Whole files whose contents are not those of a run."""
    source = made(ema=True)
    step(source)
    contents = source.state_dict()
    contents["ssseg"] |= {"config": {"type": "FCN", "backbone": {}}, "label_map": {"classnames": ["a"]}}
    path, refused = tmp_path / "x.pth", 0
    for *way, last in list(places(contents)):
        for number, value in enumerate([-5, {"a": {"b": 1}}, torch.zeros(2), None, "x", []]):
            spoilt = copy.deepcopy(contents)
            place = spoilt
            for key in way:
                place = place[key]
            place[last] = value
            try:
                made(ema=True).load_state_dict(spoilt, "x.pth")
            except CheckpointError as error:
                refused += str(error).startswith("x.pth")
            if len(way) < 2 and number < 2:
                saveckpts(spoilt, path, make_soft_link=False)
                assert main(["ckpt", "info", str(path)]) in (0, 4)
                assert main(["ckpt", "check", str(path)]) in (0, 4)
                assert main(["ckpt", "convert", str(path), str(tmp_path / "y.safetensors")]) in (0, 4)
                assert main(["ckpt", "average", str(path), str(path), "--out", str(tmp_path / "y.pth")]) in (0, 4)
    assert refused > 50
    capsys.readouterr()


# ---------------------------------------------------------------- K09: names and shapes that do not fit


def without(state, name):
    return {key: value for key, value in state.items() if key != name}


MISFITS = {
    "a missing entry": (lambda: without(Model().state_dict(), "auxiliary_decoder.bias"), "auxiliary_decoder.bias", "-"),
    "an entry too many": (lambda: {**Model().state_dict(), "head.x": torch.zeros(2)}, "head.x", "What differs lies in"),
    "other classes": (Model(num_classes=21).state_dict, "decoder.1.weight", "are for 21 classes"),
    "another backbone": (Model(depth=40).state_dict, "... and", "Most of the backbone differs"),
    "a wider backbone": (Model(width=8).state_dict, "backbone_net.0.weight", "Most of the backbone differs"),
    "another model": (torch.nn.Linear(1, 1).state_dict, "weight", "these are the weights of another model"),
    "nothing": (dict, "backbone_net.0.weight", "these are the weights of another model"),
    "no tensor": (lambda: {**Model().state_dict(), "epoch": 5}, "epoch", "int"),
}


@pytest.mark.parametrize("name", MISFITS)
def test_K09_what_does_not_fit_is_shown_in_one_table_with_a_diagnosis(name):
    made, *words = MISFITS[name]
    model = Model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"^x\.pth: does not fit the model") as caught:
        load_state(model, made(), source="x.pth")
    assert len(str(caught.value).splitlines()) <= 20
    assert all(word in str(caught.value) for word in words)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_K09_prefixes_of_wrappers_do_not_count_and_partial_loading_is_asked_for():
    model = Model()
    load_state(model, {f"module.{name}": value for name, value in ones(model).items()}, source="x.pth")
    assert all_ones(model)
    other = Model(num_classes=5)
    kept = load_state(other, ones(Model(num_classes=2)), partial=True, source="x.pth")
    assert kept == ["decoder.1.weight", "decoder.1.bias", "auxiliary_decoder.weight", "auxiliary_decoder.bias"]


# ---------------------------------------------------------------- K11, K12, K20: the work directory


def test_K11_the_second_run_in_a_work_dir_names_the_first(data, tmp_path, capsys):
    config, held = write_config(tmp_path, data), tmp_path / "held"

    def hold():
        with work_dir_lock(tmp_path / "run"):
            held.touch()
            time.sleep(600)

    (tmp_path / "run").mkdir()
    first = Child(hold)
    while not held.exists():
        time.sleep(0.01)
    assert main(["train", str(config)]) == 5
    assert f"a run is on in this work_dir (pid {first.pid} on {socket.gethostname()})" in capsys.readouterr().err
    first.kill()
    train(load_config(config, ["scheduler.max_epochs=1"]), device="cpu")  # the system freed it


def test_K11_data_workers_that_outlive_a_killed_run_are_waited_for(tmp_path):
    def run():
        with work_dir_lock(tmp_path):
            Child(lambda: time.sleep(1))  # holds the lock as a data worker does: it has the open file
            (tmp_path / "held").touch()
            time.sleep(600)

    child = Child(run)
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    child.kill()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ssseg.engine.lock._STRAGGLERS", 60)
        with work_dir_lock(tmp_path):
            pass


def test_K12_the_link_survives_moving_and_is_found_from_anywhere(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path)
    saveckpts(training_state(), "run/checkpoints-epoch-1.pth")
    (tmp_path / "run").rename(tmp_path / "moved")
    monkeypatch.chdir("/")
    assert loadckpts(tmp_path / "moved" / LATEST)["cur_iter"] == 7
    monkeypatch.chdir(tmp_path / "moved")
    assert loadckpts(LATEST)["cur_iter"] == 7


def test_K12_without_links_or_with_one_that_dangles_the_newest_is_taken(tmp_path, monkeypatch):
    saveckpts({**training_state(), "cur_iter": 1}, tmp_path / "checkpoints-epoch-1.pth")
    saveckpts({**training_state(), "cur_iter": 2}, tmp_path / "checkpoints-epoch-2.pth")
    (tmp_path / "checkpoints-epoch-2.pth").unlink()
    with pytest.warns(UserWarning, match=r"cannot be read: No such file.*checkpoints-epoch-1\.pth, the newest"):
        assert loadckpts(tmp_path / LATEST)["cur_iter"] == 1
    (tmp_path / LATEST).unlink()

    def refuse(*args):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "symlink", refuse)
    with pytest.warns(UserWarning, match=r"Operation not permitted; name checkpoints-epoch-3\.pth itself"):
        saveckpts({**training_state(), "cur_iter": 3}, tmp_path / "checkpoints-epoch-3.pth")
    with pytest.warns(UserWarning, match=r"checkpoints-epoch-3\.pth, the newest"):
        assert loadckpts(tmp_path / LATEST)["cur_iter"] == 3


def test_K20_what_killed_runs_left_is_swept_but_not_what_is_being_written(data, tmp_path):
    run = tmp_path / "run"
    (run / "configs").mkdir(parents=True)
    stale = [run / f".ssseg-partial-{number:016x}" for number in range(4)] + [run / "configs" / ".ssseg-partial-5"]
    for path in stale:
        path.write_bytes(bytes(1 << 16))
    (run / "notes.txt").write_text("mine")
    train(load_config(write_config(tmp_path, data), ["scheduler.max_epochs=1"]), device="cpu")
    assert not any(path.exists() for path in stale)
    assert (run / "notes.txt").exists()
    young = run / ".ssseg-partial-6"
    young.touch()
    os.utime(young, ns=(0, (run / LOCK).stat().st_mtime_ns + 10**9))
    assert sweep_stale(run, run / LOCK) == []
    assert young.exists()


# ---------------------------------------------------------------- K13, K14, K15, K21: going on


@pytest.mark.parametrize(
    ("state", "optimizer", "words"),
    [
        (lambda: stepped(torch.optim.SGD, grouped(2), momentum=0.9), lambda: torch.optim.AdamW(grouped(2)), "AdamW"),
        (
            lambda: stepped(torch.optim.SGD, grouped(2, 3)),
            lambda: torch.optim.SGD(grouped(2, 4, 5), lr=1),
            r"only in these: layer3\) of 2 parameters there, .*layer4, layer5",
        ),
        (
            lambda: stepped(torch.optim.SGD, grouped(2, 3), momentum=0.9),
            lambda: torch.optim.SGD(grouped(2, 4), lr=1, momentum=0.9),
            r"momentum_buffer of parameter 1 has shape \(3,\), the parameter \(4,\)",
        ),
    ],
)
def test_K13_another_optimizer_or_other_groups_are_named(state, optimizer, words):
    with pytest.raises(CheckpointError, match=rf"^x\.pth: .*{words}"):
        load_optimizer(optimizer(), state().state_dict(), source="x.pth")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda state: state["param_groups"][1]["params"].__setitem__(0, 7), "are not numbered from 0 to 1"),
        (lambda state: state["param_groups"][0]["params"].__setitem__(0, "x"), "are not numbered from 0 to 1"),
        (lambda state: state["state"].update({5: {}}), "are not numbered from 0 to 1"),
        (lambda state: state["param_groups"][0].update(maximize=1.5), "the maximize of a parameter group is 1.5"),
        (lambda state: state["param_groups"][0].update(dampening=()), r"the dampening of a parameter group is \(\)"),
    ],
)
def test_K13_an_optimizer_state_that_was_changed_is_refused(change, words):
    state = stepped(torch.optim.SGD, grouped(2, 3), momentum=0.9).state_dict()
    change(state)
    with pytest.raises(CheckpointError, match=rf"^x\.pth: .*{words}"):
        load_optimizer(torch.optim.SGD(grouped(2, 3), lr=1, momentum=0.9), state, source="x.pth")


@pytest.mark.parametrize("value", [1.5, -1, "2", None, True])
@pytest.mark.parametrize("name", ["iteration", "cur_iter"])
def test_K13_a_position_that_is_no_count_is_refused(whole, data, tmp_path, name, value):
    ours = loadckpts(checkpoint_of(whole))["ssseg"]
    position = {**ours["position"], **({name: value} if name == "iteration" else {})}
    entries = {"ssseg": {**ours, "position": position}, **({name: value} if name == "cur_iter" else {})}
    path = changed(checkpoint_of(whole), tmp_path / "odd.pth", **entries)
    with pytest.raises(CheckpointError, match=rf"odd\.pth: its {name} is {value!r}, which is no count"):
        train(load_config(write_config(tmp_path, data), [EMA]), device="cpu", ckptspath=path)


def test_K13_a_run_with_another_optimizer_does_not_go_on(whole, data, tmp_path):
    adam = "scheduler.optimizer={'type': 'AdamW', 'lr': 0.001, 'params_rules': {}}"
    cfg = load_config(write_config(tmp_path, data), [adam, EMA])
    with pytest.raises(CheckpointError, match=r"\['optimizer'\]: is the state of another optimizer than AdamW"):
        train(cfg, device="cpu", ckptspath=str(checkpoint_of(whole)))


def test_K14_other_workers_change_nothing(whole, data, tmp_path):
    config = write_config(tmp_path, data)
    (tmp_path / "run").mkdir()
    shutil.copy(whole.parent / "run" / "metrics.jsonl", tmp_path / "run")
    cfg = load_config(config, [EVERY, EMA, "dataloader.train.num_workers_per_gpu=1"])
    train(cfg, device="cpu", ckptspath=str(checkpoint_of(whole)))
    assert same(outcome(tmp_path / "run"), outcome(whole.parent / "run"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("dataset.repeat_times=2", "had 12 samples, this one has 24"),
        ("dataloader.expected_total_train_bs_for_assert=6", "had 4 samples in a batch, this one has 6"),
    ],
)
def test_K14_other_data_or_another_batch_are_refused(whole, data, tmp_path, change, words):
    cfg = load_config(write_config(tmp_path, data), [change, EMA])
    with pytest.raises(CheckpointError, match=rf"checkpoints-iter-2\.pth: its run {words}"):
        train(cfg, device="cpu", ckptspath=str(checkpoint_of(whole)))


def test_K14_one_image_more_is_refused_though_the_iterations_are_as_many(whole, tmp_path):
    root = write_data(tmp_path / "more", train=13)
    with pytest.raises(CheckpointError, match="its run had 12 samples, this one has 13"):
        train(load_config(write_config(tmp_path, root), [EMA]), device="cpu", ckptspath=str(checkpoint_of(whole)))


@pytest.mark.faults
def test_K14_another_number_of_processes_agrees_within_round_off(data, tmp_path):
    options = ["head.dropout=0.0", "auxiliary.dropout=0.0", EVERY]  # each process draws its own dropout
    configs = {}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        configs[name] = write_config(tmp_path / name, data)
    train(load_config(configs["one"], options), device="cpu")
    start = str(checkpoint_of(configs["one"]))
    go_on = lambda: train(load_config(configs["two"], options), device="cpu", ckptspath=start)  # noqa: E731
    require_codes(group([go_on, go_on]), [0, 0])
    one, two = (loadckpts(checkpoint_of(configs[name], "epoch-2"))["model"] for name in ("one", "two"))
    torch.testing.assert_close(two, one, rtol=1e-4, atol=1e-6)


def changed(source, target, **entries):
    checkpoint = loadckpts(source)
    checkpoint.update(entries)
    saveckpts(checkpoint, target, make_soft_link=False)
    return str(target)


def test_K15_a_newer_format_is_refused(whole, data, tmp_path):
    newer = {"format": 99, "versions": {"ssseg": "9.1"}}
    path = changed(checkpoint_of(whole), tmp_path / "newer.pth", ssseg=newer)
    with pytest.raises(CheckpointError, match=r"written in format 99 by ssseg 9\.1; .* Update ssseg"):
        train(load_config(write_config(tmp_path, data), [EMA]), device="cpu", ckptspath=path)


def test_K15_unknown_entries_are_kept_and_said(whole, data, tmp_path):
    notes = {"a": torch.arange(3), "b": ["x", 1]}
    path = changed(checkpoint_of(whole), tmp_path / "more.pth", notes=notes)
    train(load_config(write_config(tmp_path, data), [EMA]), device="cpu", ckptspath=path)
    assert same(loadckpts(tmp_path / "run" / LATEST)["notes"], notes)
    log = (tmp_path / "run" / "tiny.log").read_text()
    assert "taken: model, optimizer, schedule, model_ema; kept as they are: notes" in log


def test_K15_an_average_that_is_not_asked_for_is_said_to_be_left_out(whole, data, tmp_path):
    train(load_config(write_config(tmp_path, data)), device="cpu", ckptspath=str(checkpoint_of(whole)))
    log = (tmp_path / "run" / "tiny.log").read_text()
    assert "taken: model, optimizer, schedule; model_ema is left out, as the config has none" in log


def test_K16_averaged_weights_that_are_not_there_are_named(data, tmp_path):
    model = Model()
    saveckpts({"model": model.state_dict(), "optimizer": {}}, tmp_path / "x.pth", make_soft_link=False)
    with pytest.raises(CheckpointError, match=r"x\.pth: has no 'model_ema' weights; it holds model\."):
        load_weights(model, tmp_path / "x.pth", ema=True)


def test_K21_a_checkpoint_of_SSSegmentation_goes_on(whole, data, tmp_path):
    theirs = {"cur_epoch", "cur_iter", "model", "optimizer", "model_ema"}
    ours = loadckpts(checkpoint_of(whole, "epoch-1"))
    assert theirs <= ours.keys()
    torch.save({name: ours[name] for name in theirs}, tmp_path / "theirs.pth")  # as it writes them
    (tmp_path / "run").mkdir()
    shutil.copy(whole.parent / "run" / "metrics.jsonl", tmp_path / "run")
    cfg = load_config(write_config(tmp_path, data), [EVERY, EMA])
    train(cfg, device="cpu", ckptspath=str(tmp_path / "theirs.pth"))
    assert same(outcome(tmp_path / "run")[0], outcome(whole.parent / "run")[0])


def test_K21_ours_are_read_by_torch_alone(whole):
    path = checkpoint_of(whole, "epoch-2")
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    assert same(checkpoint["model"], loadckpts(path)["model"])
    assert (checkpoint["cur_epoch"], checkpoint["cur_iter"]) == (2, 6)
    assert set(checkpoint["optimizer"]) == {"state", "param_groups"}


# ---------------------------------------------------------------- K17, K18, K19: what the tensors are


def test_K17_an_old_file_is_read_after_its_hash_matched_and_never_run(tmp_path):
    path, marker = tmp_path / "old.pth", tmp_path / "marker"
    torch.save(OrderedDict(a=torch.arange(3.0)), path, _use_new_zipfile_serialization=False)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(CheckpointError, match="read only when their hash is known"):
        safeload.load(path)
    with pytest.raises(CheckpointError, match="is another file than expected"):
        safeload.load(path, expected_sha256_prefix="0" * 8)
    assert safeload.load(path, expected_sha256_prefix=digest[:8])["a"].tolist() == [0, 1, 2]

    class Payload:
        def __reduce__(self):
            return os.system, (f"touch {marker}",)

    torch.save({"a": Payload()}, path, _use_new_zipfile_serialization=False)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(CheckpointError, match="is of a format that cannot be read safely"):
        safeload.load(path, expected_sha256_prefix=digest)
    assert not marker.exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_K18_weights_that_are_not_finite_are_told_and_fail_the_check(tmp_path, capsys, value):
    model = Model()
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state["decoder.1.bias"][0] = value
    saveckpts({"model": state}, tmp_path / "x.pth", make_soft_link=False)
    with pytest.warns(UserWarning, match=r"x\.pth: decoder\.1\.bias and 0 more hold values that are not finite"):
        load_weights(model, tmp_path / "x.pth")
    assert check(tmp_path / "x.pth") == ["decoder.1.bias"]
    assert main(["ckpt", "check", str(tmp_path / "x.pth")]) == 4
    assert "not finite: decoder.1.bias" in capsys.readouterr().out


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_K19_short_numbers_keep_their_dtype_and_are_shown(tmp_path, capsys, dtype):
    saveckpts({"model": {"a": torch.ones(2, 3, dtype=dtype)}}, tmp_path / "x.pth", make_soft_link=False)
    weights = weights_of(tmp_path / "x.pth")
    assert (weights["a"].dtype, weights["a"].device.type) == (dtype, "cpu")
    assert main(["ckpt", "info", str(tmp_path / "x.pth")]) == 0
    assert f"a  (2, 3)  {str(dtype).removeprefix('torch.')}" in capsys.readouterr().out
    model = torch.nn.Linear(3, 2, bias=False)
    load_state(model, {"weight": weights["a"]}, source="x.pth")  # copied into the model's own dtype
    assert model.weight.dtype == torch.float32
    assert bool((model.weight == 1).all())


def test_K19_tensors_of_a_gpu_come_to_the_cpu(tmp_path):
    from tests.unit.utils.crafting import Storage, crafted, tensor

    path = crafted(tmp_path, {"a": tensor(Storage(location="cuda:3"))})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = loadckpts(path)["a"]
    assert (loaded.device.type, loaded.dtype) == ("cpu", torch.float32)
    if not torch.cuda.is_available():
        with pytest.raises(CheckpointError, match=r"saved from cuda:3.*map_to_cpu=True reads it"):
            loadckpts(path, map_to_cpu=False)
