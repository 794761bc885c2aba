"""Run in a simulated host: look for a server as `chat-client` does, and print what came of it as one JSON object.

`seconds` from the beginning of the search to a server that has proved its key; or, if none is found, the sentence and
for each interface the reason that the explanation gives.
"""

from __future__ import annotations

import json
import sys
import time

from client import explain
from client.cli import parse
from client.failures import Unreachable
from client.home import Home
from client.locate import servers


def main() -> int:
    options, home = parse(["--name", "bob", *sys.argv[1:]]), Home()
    begun = time.monotonic()
    try:
        found = servers(options, home)
    except Unreachable as failure:
        verdicts = {str(verdict.interface.split()[0]): verdict.reason for verdict in explain.check(options, home)}
        print(json.dumps({"trouble": str(failure), "verdicts": verdicts}))
        return 0
    taken = time.monotonic() - begun
    addresses = [f"{each.address[0]}:{each.address[1]}" for each in found]
    print(json.dumps({"seconds": taken, "names": [each.name for each in found], "addresses": addresses}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
