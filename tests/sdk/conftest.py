"""The running product for clients' tests: the fixtures of the integration tests."""

from tests.integration.conftest import configuration_folder, running_stack, stack

__all__ = ["configuration_folder", "running_stack", "stack"]
