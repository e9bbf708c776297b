"""Networks and what trains them: backbones, segmentors, losses, samplers, optimizers, schedulers."""
