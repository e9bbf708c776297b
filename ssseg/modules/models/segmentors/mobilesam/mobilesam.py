from ..sam.sam import SAM


class MobileSAM(SAM):
    """SAM with an image encoder of a hundredth of the size, which was taught by the large one.

    Paper: Zhang et al., "Faster Segment Anything: Towards Lightweight SAM for Mobile Applications", 2023,
    arXiv:2306.14289.

    Args:
        cfg: as of `SAM`; the backbone is usually MobileSAMTinyViT.
        mode: "TEST".
    """
