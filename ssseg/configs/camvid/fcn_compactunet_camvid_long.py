"""The recipe of `fcn_compactunet_camvid` with twice the epochs, more scales and larger pictures in the test.

    ssseg train camvid/fcn_compactunet_camvid_long dataset.rootdir=/path/to/camvid

70.9 % mIoU with the seed 0, after 18.0 CPU-minutes on a very busy machine; tested at 416 x 312 it has 70.0 %. With the
scales of the short recipe it was 69.5 and 69.8 %. Scales and size were chosen on val.
"""

from .fcn_compactunet_camvid import recipe

SEGMENTOR_CFG = recipe(__file__, epochs=108, scale_range=(0.5, 1.7), test_size=(336, 448))
