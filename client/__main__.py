"""`python -m client` is `chat-client`."""

import sys

from client.cli import main

sys.exit(main())
