"""`python -m crm.local.simulator`: start the SMPP server, the CMPP gateway and the page with the providers' doors; print one
JSON line with the ports when ready.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from aiohttp import web

from crm.local.children import free_port
from crm.local.places import prepared_data_dir
from crm.local.simulator.carrier import Carrier
from crm.local.simulator.journal import Journal
from crm.local.simulator.page import application
from crm.local.simulator.roads import Roads


def arguments() -> argparse.Namespace:
    """Ports default to the settings; 0 takes a free one."""
    parser = argparse.ArgumentParser(prog="python -m crm.local.simulator", description=__doc__)
    parser.add_argument("--smsc-port", type=int, default=int(os.environ.get("REGULARS_SMSC_PORT") or 2775))
    parser.add_argument("--cmpp-port", type=int, default=int(os.environ.get("REGULARS_CMPP_PORT") or 0))
    parser.add_argument(
        "--http-port", type=int, default=int(os.environ.get("REGULARS_SIMULATOR_PORT") or 8010)
    )
    parser.add_argument("--journal", type=Path, help="file of accepted submits (default: in the data folder)")
    parser.add_argument("--fsync", action="store_true", help="fsync the journal before each answer")
    return parser.parse_args()


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    journal = options.journal or prepared_data_dir() / "simulator-journal.jsonl"
    smsc_port = options.smsc_port or free_port()
    carrier = Carrier(smsc_port, Journal(journal, options.fsync))
    roads = Roads(carrier, journal.with_name("simulator-ways.json"))
    await carrier.server.start()
    await roads.cmpp.start(options.cmpp_port)
    runner = web.AppRunner(application(carrier, roads), access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", options.http_port)
    await site.start()
    http_port = runner.addresses[0][1]
    ports = {"smsc_port": smsc_port, "cmpp_port": roads.cmpp.port, "http_port": http_port}
    print(json.dumps(ports | {"journal": str(journal)}), flush=True)
    serving = asyncio.create_task(carrier.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        pass
    finally:
        await runner.cleanup()
        await roads.cmpp.stop()
        await carrier.server.stop()


def main() -> None:
    """Serve, then leave at once: the server's own threads may still be running, and an interpreter that waits for
    them while it takes itself apart has been seen to abort ("thread state must be current when releasing").
    """
    asyncio.run(serve(arguments()))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
