"""Context from a statistical memory of the whole data set."""

from .mcibiplusplus import MCIBIPlusPlus
