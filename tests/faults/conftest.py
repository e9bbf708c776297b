"""What the tests of faults share: one small data set, one experiment, one finished run."""

import pytest

from ssseg.engine.trainer import train
from ssseg.modules.utils.configparser import load_config
from tests.tiny import write_config, write_data


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """A data set that tests only read."""
    return write_data(tmp_path_factory.mktemp("data"), train=8, val=3)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Likewise, with 12 training images: three iterations of 4 an epoch."""
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def trained(tmp_path_factory, root):
    """The config and the work directory of a finished run; tests only read them."""
    config = write_config(tmp_path_factory.mktemp("trained"), root)
    train(load_config(config, ["scheduler.max_epochs=1"]), device="cpu")
    return config, config.parent / "run"


@pytest.fixture
def own(tmp_path):
    """A data set and an experiment that a test may spoil: the root folder and the config file."""
    root = write_data(tmp_path / "data", train=8, val=3)
    return root, write_config(tmp_path, root)
