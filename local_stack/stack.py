"""What one installation on one machine is made of: a folder, ports, keys, settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from local_stack.keys import kept_keys
from local_stack.ports import HOST, free_ports


@dataclass(frozen=True)
class Stack:
    """Ports are named as in USUAL_PORTS; `settings` are environment for the worker and the API."""

    folder: Path
    ports: Mapping[str, int] = field(default_factory=free_ports)
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def keys_file(self) -> Path:
        return self.folder / "keys.json"

    @cached_property
    def keys(self) -> Mapping[str, str]:
        """In the clear: `client` and `operator` of the API, and those of the gateways' accounts."""
        return kept_keys(self.keys_file)

    def address(self, name: str) -> str:
        """host:port of SHOP, API, TEMPORAL, TEMPORAL_UI, SIMULATOR, SMTP or MAILBOX."""
        return f"{HOST}:{self.ports[f'{name}_PORT']}"

    def url(self, name: str) -> str:
        return f"http://{self.address(name)}"

    @property
    def driver_env(self) -> Mapping[str, str]:
        """What the demo's driver is told: it is shop, operator and customer in one."""
        urls = {f"{name}_URL": self.url(name) for name in ("API", "MAILBOX", "TEMPORAL_UI")}
        keys = {"API_KEY": self.keys["client"], "OPERATOR_KEY": self.keys["operator"]}
        return {**urls, **keys, "SIMULATOR_URL": self.url("SIMULATOR")}

    @property
    def welcome(self) -> str:
        return f"""Everything is ready.
  Shop          {self.url("SHOP")}
  API           {self.url("API")}/docs
  Temporal UI   {self.url("TEMPORAL_UI")}
  Simulator     {self.url("SIMULATOR")}/simulator/ledger
  Mailbox       {self.url("MAILBOX")}
  Operator key  "operator" in {self.keys_file}
  Logs          {self.logs}
Ctrl-C stops everything."""
