"""Joint pyramid upsampling in place of dilated backbones."""
