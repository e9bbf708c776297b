"""Context from a statistical memory of the whole data set."""
