"""Group A of docs/reliability.md: configs that are wrong."""

import copy
import inspect
import pickle
import random
import re
from pathlib import Path

import pytest

from ssseg import modules
from ssseg.configs._base_ import REGISTERED_SEGMENTOR_CONFIGS
from ssseg.engine.batching import plan_batch
from ssseg.engine.configcheck import check_config, require_valid
from ssseg.engine.problems import check_fields, check_part
from ssseg.engine.runlog import read_log
from ssseg.engine.trainer import train
from ssseg.modules import BaseSegmentor, DataTransformBuilder, LossBuilder, SchedulerBuilder, SegmentorBuilder
from ssseg.modules.utils.configparser import experiments, load_config
from ssseg.modules.utils.errors import ConfigError, UnknownNameError, nearest
from ssseg.modules.utils.misspelling import edit_distance
from tests.faults.screen import run_command
from tests.properties.test_transforms import ALL as TRANSFORMS
from tests.tiny import ssseg, write_config, write_data

FCN = "fcn_resnet50os16_voc"
BUILDERS = [getattr(modules, name)() for name in modules.__all__ if name.endswith("Builder")]
each_builder = pytest.mark.parametrize("builder", BUILDERS, ids=lambda builder: type(builder).__name__)


def problems(*overrides, build=False, name=FCN):
    return check_config(load_config(name, overrides), build=build)


def errors(found):
    return [problem for problem in found if problem.severity == "error"]


def typos(name):
    """All names with one letter less, two neighbours swapped, or the letters in another case."""
    less = {name[:i] + name[i + 1 :] for i in range(len(name))}
    swapped = {name[:i] + name[i + 1] + name[i] + name[i + 2 :] for i in range(len(name) - 1)}
    return sorted((less | swapped | {name.lower(), name.upper(), name.swapcase()}) - {""})


@each_builder
def test_C01_any_typo_in_the_name_of_a_part_suggests_it(builder):
    names = list(builder.REGISTERED_MODULES)
    missed, total = [], 0
    for name in names:
        for wrong in typos(name):
            if wrong in names:
                continue
            total += 1
            if nearest(wrong, names) != f" Did you mean {name!r}?":
                missed.append((name, wrong, nearest(wrong, names)))
    for name, wrong, other in missed:  # only where another name is as near
        assert other, (name, wrong)
        meant = other.split("'")[1]
        assert edit_distance(wrong.lower(), meant.lower()) <= edit_distance(wrong.lower(), name.lower())
    assert len(missed) <= 0.06 * total, missed


@each_builder
def test_C01_an_unknown_name_is_an_error_with_its_place_and_all_names(builder):
    with pytest.raises(UnknownNameError) as caught:
        builder.find("Nothing like it", "SEGMENTOR_CFG['here']")
    assert str(caught.value).startswith("SEGMENTOR_CFG['here']['type']: no ")
    for name in list(builder.REGISTERED_MODULES)[:20]:
        assert name in str(caught.value)


def fields_of(part):
    """What a cfg of this class may hold: the head's fields for a segmentor, else the constructor's."""
    if isinstance(part, type) and issubclass(part, BaseSegmentor):
        part = part.build_head
    try:
        params = inspect.signature(part).parameters.values()
    except ValueError:  # a built-in
        return part, []
    if any(p.kind is p.VAR_KEYWORD for p in params):
        return part, []
    return part, [p.name for p in params if p.name != "self" and p.kind is not p.VAR_POSITIONAL]


@each_builder
def test_C02_a_misspelt_field_of_any_part_is_named_with_the_right_one(builder):
    for name in builder.REGISTERED_MODULES:
        part, fields = fields_of(builder.get(name))
        for field in [field for field in fields if len(field) > 3]:
            wrong = field[:-2] + field[-1] + field[-2] if field[-1] != field[-2] else field[:-1]
            if wrong in fields:
                continue
            found = [p for p in check_fields(part, {wrong: 1}, "SEGMENTOR_CFG['x']") if wrong in p.place]
            assert len(found) == 1, (name, field)
            assert found[0].place == f"SEGMENTOR_CFG['x'][{wrong!r}]"
            assert f"Did you mean {field!r}?" in found[0].message, (name, found[0].message)


READY = [
    base for base, cfg in REGISTERED_SEGMENTOR_CONFIGS.items() if cfg["type"] in SegmentorBuilder.REGISTERED_MODULES
]


@pytest.mark.parametrize("base", READY)
def test_C03_a_missing_field_is_named(base):
    original = REGISTERED_SEGMENTOR_CONFIGS[base]
    params = inspect.signature(SegmentorBuilder().get(original["type"]).build_head).parameters.values()
    needed = [p.name for p in params if p.default is p.empty and p.kind is p.KEYWORD_ONLY and p.name in original.head]
    for field in needed:
        cfg = original.copy()
        del cfg["head"][field]
        assert any(
            problem.place == "SEGMENTOR_CFG['head']" and repr(field) in problem.message for problem in check_config(cfg)
        ), field
    for field in ("type", "backbone", "dataset", "dataloader"):
        cfg = original.copy()
        cfg[field] = None
        assert f"SEGMENTOR_CFG[{field!r}]" in [problem.place for problem in errors(check_config(cfg))]


@pytest.mark.parametrize(
    ("override", "place", "expected"),
    [
        ("dataset.train.data_pipelines.2.1.prob=1.5", "['data_pipelines'][2]", "[0, 1]"),
        ("dataset.train.data_pipelines.1.1.crop_size=(0,0)", "['data_pipelines'][1]", "positive whole number"),
        ("scheduler.optimizer.lr=-1", "['optimizer']['lr']", "0 or more"),
        ("scheduler.optimizer.lr=nan", "['optimizer']['lr']", "0 or more"),
        ("scheduler.power='0.9'", "['scheduler']['power']", "number"),
        ("scheduler.max_epochs=1.5", "['scheduler']['max_epochs']", "a whole number"),
        ("losses.loss_cls.reduction=average", "['losses']['loss_cls']", "one of mean, sum, none"),
        ("losses.loss_cls.scale_factor=x", "['losses']['loss_cls']", "number"),
        ("runtime.seed=-1", "['runtime']['seed']", "at least 0"),
        ("dataset.ignore_index=99999", "['dataset']['ignore_index']", "32767"),
        ("dataset.bad_samples=skip", "['dataset']['bad_samples']", "{'skip': n}"),
        ("dataset.bad_samples={'skip': 0}", "['dataset']['bad_samples']", "{'skip': n}"),
        ("inference.forward.mode=slid", "['inference']['forward']['mode']", "'slide'"),
        ("scheduler.warmup_cfg={'type': 'linear', 'ratio': 2, 'iters': 5}", "['warmup_cfg']['ratio']", "[0, 1]"),
    ],
)
def test_C04_a_value_out_of_range_is_named_with_its_range(override, place, expected):
    found = [problem for problem in errors(problems(override)) if place in problem.place]
    assert found, problems(override)
    assert expected in found[0].message, found[0].message


WRONG = ["x", -1e9, float("nan"), None, [], {}, True, 10**30, (1, 2, 3), [None]]


@pytest.mark.parametrize("builder", [DataTransformBuilder(), LossBuilder()], ids=["transforms", "losses"])
def test_C04_no_wrong_value_of_any_field_ends_in_a_foreign_exception(builder):
    known = dict(TRANSFORMS) if builder.kind == "transform" else {}
    for name in builder.REGISTERED_MODULES:
        for field in inspect.signature(builder.get(name)).parameters:
            for value in WRONG:
                cfg = {"type": name, **known.get(name, {}), field: value}
                for problem in check_part(builder, cfg, "here", construct=True):
                    assert not re.match(r"\w+Error: ", problem.message), (name, field, value, problem)


@pytest.mark.parametrize("name", SchedulerBuilder.REGISTERED_MODULES)
def test_C04_no_wrong_value_of_a_schedule_ends_in_a_foreign_exception(name):
    cfg = load_config(FCN, ["~scheduler.power"])
    cfg["scheduler"]["type"] = name
    for field in set(inspect.signature(SchedulerBuilder().get(name)).parameters) - {"optimizer"}:
        for value in WRONG:
            changed = cfg.copy()
            changed["scheduler"][field] = value
            for problem in check_config(changed):
                assert not re.match(r"\w+Error: ", problem.message), (field, value, problem)


@pytest.mark.parametrize("base", REGISTERED_SEGMENTOR_CONFIGS)
def test_C05_training_from_a_base_config_is_one_error_that_lists_what_is_open(base, tmp_path, capsys):
    path = tmp_path / "mine" / "open.py"
    path.parent.mkdir()
    path.write_text(f"from .._base_ import REGISTERED_SEGMENTOR_CONFIGS as C\nSEGMENTOR_CFG = C[{base!r}].copy()\n")
    code, _, err = run_command(capsys, "train", path)
    assert code == 2
    for place in ("['num_classes']", "['dataset']", "['dataloader']", "['scheduler']['max_epochs']"):
        assert f"SEGMENTOR_CFG{place}: is " in err
    assert err.count("not set yet") >= 4


def test_C06_num_classes_must_be_the_data_sets(own, capsys):
    _, config = own
    code, _, err = run_command(capsys, "train", config, "num_classes=4")
    assert code == 2
    assert "SEGMENTOR_CFG['num_classes'] is 4, but FolderDataset has 3 classes" in err


EXPERIMENTS = {}  # one for each segmentor
for _name, _path in experiments().items():
    EXPERIMENTS.setdefault(load_config(_path)["type"], _name)
for _type in set(EXPERIMENTS) - SegmentorBuilder.REGISTERED_MODULES.keys():
    del EXPERIMENTS[_type]
NOT_READ = {("ISNet", ("head", "shortcut", "in_channels"))}  # that shortcut is off


def widths(node, path):
    """Yield the path of every width of a map that a part of a config holds."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if str(key) in ("in_channels", "in_channels_list", "fpn_in_channels_list") and value is not None:
            yield (*path, key)
        elif key != "norm_cfg":
            yield from widths(value, (*path, key))


@pytest.mark.parametrize("kind", EXPERIMENTS)
def test_C07_widths_that_do_not_fit_the_backbone_are_an_error_before_anything_runs(kind):
    original = load_config(EXPERIMENTS[kind])
    for path in [*widths(original["head"], ("head",)), *widths(original["auxiliary"] or {}, ("auxiliary",))]:
        cfg = original.copy()
        node = cfg
        for key in path[:-1]:
            node = node[key]
        right = node[path[-1]]
        node[path[-1]] = right + 1 if isinstance(right, int) else [right[0] + 1, *right[1:]]
        found = errors(check_config(cfg, build=True))
        assert bool(found) != ((kind, path) in NOT_READ), path
        real = right if isinstance(right, int) else right[0]
        assert not found or f"must be {real}" in found[0].message, found


OTHERS = [pytest.param(kind, marks=pytest.mark.faults) for kind in list(EXPERIMENTS)[6:]]


@pytest.mark.parametrize("kind", [*list(EXPERIMENTS)[:6], *OTHERS])
@pytest.mark.parametrize("indices", [(9,), (-9,), (0,), (), "x"])
def test_C07_indices_that_do_not_fit_the_backbone_are_an_error_before_anything_runs(kind, indices):
    cfg = load_config(EXPERIMENTS[kind])
    cfg["backbone"]["selected_indices"] = indices
    found = errors(check_config(cfg, build=True))
    assert found or indices == (0,), indices  # one map of the right width is enough for some
    assert all("Error:" not in problem.message for problem in found), found


@pytest.mark.parametrize("processes", range(1, 10))
def test_C08_a_batch_that_cannot_be_shared_names_the_nearest_that_can(processes):
    for total in range(1, 20):
        cfg = {"expected_total_train_bs_for_assert": total, "auto_adapt_to_expected_train_bs": True, "train": {}}
        if total % processes == 0:
            assert plan_batch(cfg, processes).per_process * processes == total
            continue
        with pytest.raises(ConfigError) as caught:
            plan_batch(cfg, processes)
        text = str(caught.value)
        assert f"the total batch {total} cannot be shared out by {processes} process(es)" in text
        choices = [int(word) for word in text.partition("nearest that can is ")[2].rstrip(".").split(" or ")]
        for choice in choices:
            assert choice > 0
            assert choice % processes == 0
            assert abs(choice - total) < processes
            plan_batch({**cfg, "expected_total_train_bs_for_assert": choice}, processes)


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("fcn_vocc.py", None, "there is no such config file. Did you mean '{folder}/fcn_voc.py'?"),
        ("folder", None, "is a folder, not a config file"),
        ("config.yaml", "a: 1", "a config is a .py file"),
        ("broken.py", "a = 1\nb = (\n", "{folder}/broken.py:2: SyntaxError"),
        ("raises.py", "\n\n1 / 0\n", "{folder}/raises.py:3: ZeroDivisionError"),
        ("leaves.py", "import sys\nsys.exit(0)\n", "{folder}/leaves.py:2: SystemExit"),
        ("empty.py", "SEGMENTER_CFG = {}\n", "defines no SEGMENTOR_CFG. Did you mean 'SEGMENTER_CFG'?"),
        ("null.py", "a = '\0'\n", "{folder}/null.py"),
    ],
)
def test_C09_files_that_are_no_config(name, source, words, tmp_path, capsys):
    (tmp_path / "folder").mkdir()
    (tmp_path / "fcn_voc.py").write_text("")
    if source is not None:
        (tmp_path / name).write_text(source)
    code, _, err = run_command(capsys, "config", "check", tmp_path / name)
    assert code == 2
    assert words.format(folder=tmp_path) in err


class Payload:
    def __reduce__(self):
        return Path.touch, (Path(self.marker),)


@pytest.mark.parametrize("command", [["config", "show"], ["train"], ["test", "--ckptspath", "x"], ["data", "check"]])
def test_C10_a_pickled_config_is_refused_and_never_read(command, tmp_path, capsys):
    payload = Payload()
    payload.marker = str(tmp_path / "marker")
    path = tmp_path / "fcn.pkl"
    path.write_bytes(pickle.dumps(payload))
    code, _, err = run_command(capsys, *command, path)
    assert code == 2
    assert "pickled configs are refused" in err
    assert "ssseg config show FILE.py" in err
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.faults)])
def test_C11_configs_loaded_in_any_order_are_those_loaded_alone(step):
    names = list(experiments())[::step]
    first = {name: load_config(name) for name in names}
    for seed in range(1 if step > 1 else 3):
        random.Random(seed).shuffle(names)
        for name in names:
            cfg = load_config(name)
            assert cfg == first[name], name
            cfg["head"].clear()  # what one loader does with its config reaches no other
            cfg["dataset"]["train"].clear()


ENTRIES = ["'Resize'", "('Resize',)", "{}", "3", "None", "('Resize', 3)", "(3, {})", "['Resize', {}, {}]", "[]", "{'Resize': {}}"]  # fmt: skip # noqa: E501


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("part", ["train", "test"])
def test_C12_a_malformed_pipeline_entry_is_named_by_its_position(entry, part):
    (found,) = problems(f"dataset.{part}.data_pipelines.1={entry}")
    assert found.place == f"SEGMENTOR_CFG['dataset']['{part}']['data_pipelines'][1]"
    assert "('Resize', {'output_size': 512})" in found.message


@pytest.mark.parametrize(
    "overrides",
    [
        ["~losses.loss_aux"],
        ["auxiliary=None", "~losses.loss_cls"],
        ["losses.loss_aux1={'type': 'CrossEntropyLoss'}"],
        ["~losses.loss_cls"],
    ],
)
def test_C13_losses_and_predictions_must_match(overrides):
    (found,) = problems(*overrides)
    assert found.place == "SEGMENTOR_CFG['losses']"
    assert set(load_config(FCN, overrides)["losses"]) <= set(found.message.replace(",", " ").replace(";", " ").split())
    assert "makes the predictions loss_cls" in found.message


def test_C13_auxiliary_none_is_all_it_takes_to_do_without_an_auxiliary_head():
    assert problems("auxiliary=None", build=True) == []


def test_C13_a_loss_that_ignores_another_label_than_the_data_set_marks_is_a_warning():
    (found,) = problems("losses.loss_cls.ignore_index=255")
    assert found.place == "SEGMENTOR_CFG['losses']['loss_cls']['ignore_index']"
    assert found.severity == "warning"
    assert "is 255, but SEGMENTOR_CFG['dataset']['ignore_index'] is -100" in found.message
    both = "losses.loss_cls.ignore_index=255", "losses.loss_aux.ignore_index=255"
    assert problems(*both, "dataset.ignore_index=255") == problems(*both, "dataset.train.ignore_index=255") == []


def test_C14_a_rule_that_nearly_names_a_parameter_is_a_warning_and_an_error_when_strict(capsys):
    rules = (
        "scheduler.optimizer.params_rules={'backbone_nett': {'lr_multiplier': 0.1}, 'ppm_net': {'lr_multiplier': 2}}"
    )
    code, out, _ = run_command(capsys, "config", "check", FCN, rules)
    assert code == 0
    assert out.count("warning: ") == 1
    assert "'backbone_nett'" in out
    assert run_command(capsys, "config", "check", FCN, rules, "--strict").code == 2


@pytest.mark.parametrize(
    "names",
    [list(EXPERIMENTS.values()), pytest.param(list(experiments()), marks=pytest.mark.faults)],
    ids=["few", "all"],
)
def test_C14_published_configs_pass_the_check(names):
    """Their own rules that name nothing are warnings; everything else fits."""
    for name in names:
        cfg = load_config(name)
        if cfg["type"] in SegmentorBuilder.REGISTERED_MODULES:
            assert errors(check_config(cfg, build=len(names) > 100)) == [], name


def test_C15_from_another_directory_the_resolved_path_is_shown_with_the_key_to_set(tmp_path):
    write_data(tmp_path / "data", train=2, val=1)
    config = write_config(tmp_path, Path("data"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = ssseg("train", config, cwd=elsewhere, check=False)
    assert done.returncode == 3
    assert f"SEGMENTOR_CFG['dataset']['rootdir']: {elsewhere}/data does not exist" in done.stderr
    assert f"{tmp_path}/data exists" in done.stderr
    assert "Traceback" not in done.stderr


FAULTS = {
    "['head']['dropuot']": "+head.dropuot=1",
    "['num_classes']": "num_classes=19",
    "['act_cfg']['type']": "act_cfg.type=Relu",
    "['dataset']['train']['data_pipelines'][2]": "dataset.train.data_pipelines.2.1.prob=2",
    "['runtime']['sed']": "runtime.sed=3",
    "['scheduler']['power']": "scheduler.power=-1",
}


@pytest.mark.parametrize("seed", range(5))
def test_C16_two_faults_are_reported_at_once(seed, capsys):
    places = random.Random(seed).sample(sorted(FAULTS), 2)
    code, out, _ = run_command(capsys, "config", "check", FCN, *(FAULTS[place] for place in places))
    assert code == 2
    for place in places:
        assert f"error: SEGMENTOR_CFG{place}: " in out
    with pytest.raises(ConfigError) as caught:
        require_valid(load_config(FCN, [FAULTS[place] for place in places]))
    assert len(str(caught.value).splitlines()) == 2


def test_C17_a_run_keeps_its_config_and_a_resumed_one_lists_what_changed(own, tmp_path):
    _, config = own
    cfg = load_config(config, ["scheduler.max_epochs=1"])
    started = copy.deepcopy(cfg)
    train(cfg, device="cpu")
    config.write_text("this is no config any more")  # edited while the run is on
    (kept,) = (tmp_path / "run" / "configs").iterdir()
    assert load_config(kept) == started
    again = load_config(kept, ["scheduler.max_epochs=2", "head.dropout=0.3", "+ema_cfg.momentum=None"])
    train(again, device="cpu", ckptspath=str(tmp_path / "run" / "checkpoints-epoch-1.pth"))
    text = (tmp_path / "run" / "tiny.log").read_text()
    assert "WARNING  the config is not that of the checkpoint:" in text
    for line in ("  head.dropout: 0.1 -> 0.3\n", "  scheduler.max_epochs: 1 -> 2\n", "  ema_cfg: nothing -> {"):
        assert line in text
    assert {line["epoch"] for line in read_log(tmp_path / "run" / "metrics.jsonl")} >= {1, 2}
