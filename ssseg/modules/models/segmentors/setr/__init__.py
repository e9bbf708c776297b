"""SETR: convolutional decoders on the maps of a plain vision transformer."""
