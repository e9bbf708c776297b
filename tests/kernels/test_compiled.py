"""The kernels compile for a GPU, which takes none: the interpreter would not see a type that changes in a loop."""

import importlib.util

import pytest

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="needs the extra 'triton'"),
    pytest.mark.filterwarnings("ignore:TRITON_DEFAULT_FP_FUSION:UserWarning"),
]
FLOAT, LONG = "*fp32", "*i64"
X = object()  # pointer to the values that come in several dtypes
KERNELS = {
    "_loss_of_pixels": ([X, LONG, FLOAT, LONG, LONG, *[FLOAT] * 5], ["h", "w", "height", "width"], [16, 128]),
    "_gradient_of_cells": ([X, LONG, FLOAT, LONG, LONG, *[FLOAT] * 5], ["h", "w", "height", "width"], [16, 32, 8]),
    "_forward": ([X, "*i32", X, X, X], ["num_heads", "num_points", "num_maps"], [16, 32]),
    "_backward": ([X, "*i32", X, X, X, FLOAT, X, X], ["num_tokens", "num_heads", "num_points", "width"], [16, 1]),
}


@pytest.mark.slow
@pytest.mark.parametrize("ones", [False, True], ids=["any", "ones"])  # 1 is made a constant
@pytest.mark.parametrize("dtype", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize("name", KERNELS)
def test_it_compiles(name, dtype, ones, monkeypatch, tmp_path):
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource, compile

    from ssseg.modules.models.kernels import crossentropy, deformable

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    kernel = getattr(crossentropy, name, None) or getattr(deformable, name)
    pointers, may_be_one, constants = KERNELS[name]
    names = kernel.arg_names
    kinds = {n: "fp32" if n == "label_smoothing" else "i32" for n in names}
    kinds |= {n: f"*{dtype}" if kind is X else kind for n, kind in zip(names, pointers, strict=False)}
    fixed = dict(zip(names[-len(constants) :], constants, strict=True)) | (dict.fromkeys(may_be_one, 1) if ones else {})
    kinds |= dict.fromkeys(fixed, "constexpr")
    source = ASTSource(kernel, kinds, constexprs={(names.index(n),): value for n, value in fixed.items()})
    assert compile(source, target=GPUTarget("cuda", 90, 32)).asm["cubin"]
