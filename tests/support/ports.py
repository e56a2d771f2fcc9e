"""Free ports for servers that a test starts."""

from local_stack.ports import free_ports


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    return free_ports(["TEST_PORT"])["TEST_PORT"]
