"""The running product, for clients that talk to it."""

from tests.integration.conftest import configuration_folder, running_stack, stack

__all__ = ["configuration_folder", "running_stack", "stack"]
