"""`ssseg data check`: everything that is wrong with the files of a data set, found before the first training step."""

from .audit import Audit, audit
from .findings import Finding

__all__ = ["Audit", "Finding", "audit"]
