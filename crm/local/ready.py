"""What `make run` tells the person who started it: ports chosen, addresses, log-ins, where things are."""

import json
import os
from dataclasses import dataclass

from crm.local.children import next_free_port
from crm.local.places import data_dir
from crm.local.servers import Servers

WANTED = {
    "web": ("REGULARS_PORT", 8000),
    "simulator": ("REGULARS_SIMULATOR_PORT", 8010),
    "smsc": ("REGULARS_SMSC_PORT", 2775),
    "cmpp": ("REGULARS_CMPP_PORT", 7890),
}


@dataclass(frozen=True)
class Ports:
    """The ports in use: the wanted ones, or the next free ones."""

    web: int
    simulator: int
    smsc: int
    cmpp: int

    @classmethod
    def choose(cls) -> "Ports":
        """Step around taken ports, and say so."""
        chosen = {}
        for name, (variable, default) in WANTED.items():
            wanted = int(os.environ.get(variable) or default)
            chosen[name] = next_free_port(wanted)
            if chosen[name] != wanted:
                print(f"  port {wanted} ({variable}) is taken: using {chosen[name]}", flush=True)
        return cls(**chosen)

    def environment(self) -> dict[str, str]:
        """The variables that tell the processes."""
        return {variable: str(getattr(self, name)) for name, (variable, _) in WANTED.items()}


def announce(servers: Servers, ports: Ports, seconds: float) -> None:
    """Print READY and everything needed to begin."""
    web = f"http://127.0.0.1:{ports.web}"
    lines = [
        f"READY in {seconds:.1f} s",
        "",
        f"  Till             {web}/till/",
        f"  Back office      {web}/admin/",
        f"  Member portal    {web}/portal/",
        f"  Phone simulator  http://127.0.0.1:{ports.simulator}/",
        f"  API docs         {web}/api/docs/",
        *_log_ins(),
        "",
        f"  Data             {servers.data or 'in the servers named by REGULARS_DATABASE_URL'}",
        f"  Other files      {data_dir()}",
        f"  Logs             {data_dir() / 'logs'}/*.log",
        "  Stop             Ctrl-C here, or `make stop` in another terminal",
    ]
    print("\n".join(lines), flush=True)


def _log_ins() -> list[str]:
    """Demo log-ins, a member's number and a key, as `manage.py seed --demo` left them; nothing when the database was
    filled otherwise.
    """
    try:
        demo = json.loads((data_dir() / "demo.json").read_text())
    except (OSError, ValueError):
        return []
    lines = ["", "  Log in as"]
    lines += [
        f"    {login['user']:<14} {login['password']:<22} {login['role']}" for login in demo.get("logins", [])
    ]
    if demo.get("members"):
        lines += [f"  Demo member      {demo['members'][0]}  (log-in codes arrive on the phone simulator)"]
    if demo.get("api_key"):
        lines += [f"  Demo API key     {demo['api_key']}"]
    return lines
