"""Layers point one way: an import that points up or sideways fails here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ssseg"

# Under what each part may import, beside itself. The longest name that fits a module says which part it is of.
ALLOWED = {
    "ssseg": ["ssseg.engine"],
    "ssseg.__main__": ["ssseg.cli"],
    "ssseg.train": ["ssseg.cli"],
    "ssseg.test": ["ssseg.cli"],
    "ssseg.inference": ["ssseg.cli"],
    "ssseg.cli": ["ssseg"],
    "ssseg.engine": ["ssseg.modules", "ssseg.configs"],
    "ssseg.synthetic": ["ssseg.modules.utils"],
    "ssseg.configs": [],
    "ssseg.modules": ["ssseg.modules.utils"],
    "ssseg.modules.models": ["ssseg.modules.utils"],
    "ssseg.modules.datasets": ["ssseg.modules.utils"],
    "ssseg.modules.parallel": ["ssseg.modules.utils"],
    "ssseg.modules.utils": ["ssseg.configs"],  # the config parser reads the experiments
}
HEAVY = ["torchvision", "timm", "scipy", "matplotlib", "pandas", "mmcv", "apex"]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, absolute module) of every import statement, wherever it stands in the file."""
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            stem = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                target = ROOT / Path(*stem.split("."), alias.name)
                is_module = target.with_suffix(".py").exists() or target.is_dir()
                yield node.lineno, f"{stem}.{alias.name}" if is_module else stem


def layer(module: str) -> str:
    return max((name for name in ALLOWED if module == name or module.startswith(f"{name}.")), key=len)


SOURCES = sorted(PACKAGE.rglob("*.py"))


def test_imports_point_down():
    wrong = []
    for path in SOURCES:
        mine = layer(module_name(path))
        for line, module in imported(path):
            if module.split(".")[0] != "ssseg":
                continue
            theirs = layer(module)
            if theirs != mine and not any(f"{theirs}.".startswith(f"{below}.") for below in ALLOWED[mine]):
                wrong.append(f"{path.relative_to(ROOT)}:{line} ({mine}) imports {module} ({theirs})")
    assert not wrong, "\n".join(wrong)


def test_configs_import_neither_torch_nor_parts():
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {module}"
        for path in SOURCES
        if layer(module_name(path)) == "ssseg.configs"
        for line, module in imported(path)
        if module.split(".")[0] in ("torch", "cv2", "numpy") or module.startswith("ssseg.modules")
    ]
    assert not wrong, "\n".join(wrong)


def test_optional_packages_are_imported_where_they_are_used():
    """No module imports an optional or heavy package at its top."""
    wrong = []
    for path in SOURCES:
        for node in ast.parse(path.read_text()).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            wrong += [
                f"{path.relative_to(ROOT)}: {name}"
                for name in names
                if name.split(".")[0] in [*HEAVY, "albumentations"]
            ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_longer_than_a_few_screens(path):
    limit = 800 if "configs" in path.parts or path.name in ("classes.py",) else 400
    assert len(path.read_text().splitlines()) <= limit


def test_dangerous_calls_stand_in_one_module():
    """`torch.load`, pickle and unsafe evaluation: utils/safeload.py only, and nowhere without its checks."""
    wrong = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                call = ast.unparse(node.func)
                if call in ("torch.load", "pickle.load", "pickle.loads", "eval", "exec", "tarfile.open") and not (
                    path.name in ("safeload.py", "pickle_records.py", "archive.py")
                    or (call == "exec" and path.name == "configparser.py")
                ):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {call}")
                if any(k.arg == "weights_only" and ast.unparse(k.value) == "False" for k in node.keywords):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: weights_only=False")
                if any(k.arg == "shell" and ast.unparse(k.value) == "True" for k in node.keywords):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: shell=True")
    assert not wrong, "\n".join(wrong)
