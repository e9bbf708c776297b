"""Print what this installation is, for a bug report."""

from ssseg.modules import EnvironmentCollector

for name, value in EnvironmentCollector().collectenv().items():
    print(f"{name}: {value}")
