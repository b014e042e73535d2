"""A sandbox process for the folder, clean for every test, and a small client."""

import pytest

from tests.support.sandbox_process import SandboxProcess


@pytest.fixture(scope="session")
def sandbox_process():
    with SandboxProcess() as process:
        yield process


@pytest.fixture
def sandbox(sandbox_process):
    sandbox_process.reset()
    return sandbox_process
