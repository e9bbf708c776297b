"""Joint pyramid upsampling in place of dilated backbones."""

from .fastfcn import FastFCN
