"""The recipe of `fcn_compactunet_camvid` with twice the epochs; not measured in this form.

    ssseg train camvid/fcn_compactunet_camvid_long dataset.rootdir=/path/to/camvid

See docs/Recipes.md for a run of an earlier form.
"""

from .fcn_compactunet_camvid import recipe

SEGMENTOR_CFG = recipe(__file__, epochs=108)
