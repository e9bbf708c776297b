from torch import nn

from ....utils.errors import ConfigError
from ...backbones import NormalizationBuilder


def explain_single_value(segmentor: nn.Module, error: ValueError) -> None:
    """Raise a `ConfigError` that names the layer, where `error` is that of a normalization with one value a channel.

    Torch's own message has the shape only. Which layer it was stands in the frames that the error passed through.
    """
    if "more than 1" not in str(error):
        return
    names = {module: name for name, module in segmentor.named_modules()}
    traceback, name = error.__traceback__, None
    while traceback is not None:
        module = traceback.tb_frame.f_locals.get("self")
        if isinstance(module, nn.Module) and NormalizationBuilder.isnorm(module):
            name = names.get(module)
        traceback = traceback.tb_next
    if name is not None:
        raise ConfigError(
            f"{name}: this normalization has one value a channel to learn from ({error}). Give each process two images "
            "or more (SEGMENTOR_CFG['dataloader']), keep the running averages (SEGMENTOR_CFG['is_freeze_norm'] = "
            "'averages') or take another normalization, such as SEGMENTOR_CFG['norm_cfg'] = {'type': 'GroupNorm', "
            "'num_groups': 8}."
        ) from error
