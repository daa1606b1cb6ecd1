"""`python -m app.engine PARENT [LOG]`: requests in on descriptor 0, events out on descriptor 1.

One JSON object a line each way (`app.engine.messages`). A second thread reads, so that a cancel
is seen while an answer runs; the first one works. The process ends when its input does.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from typing import TYPE_CHECKING, BinaryIO

from app.engine.inbox import Inbox
from app.engine.isolation import (
    die_before_the_screen,
    die_with,
    give_up_network,
    give_up_privileges,
    take_channel,
)
from app.engine.messages import (
    Cancel,
    Event,
    Failed,
    Quit,
    SetPace,
    decode_request,
    encode,
)
from app.errors import EngineError

if TYPE_CHECKING:
    from app.engine.service import Service, Work


def main() -> None:
    """Serve until told to quit or the input ends."""
    parent = int(sys.argv[1])
    channel = take_channel(sys.argv[2] if len(sys.argv) > 2 else None)
    die_before_the_screen()
    give_up_privileges()
    network = give_up_network(namespace=True)
    die_with(parent)
    # Only now: whatever the libraries print while they are loaded goes to the log.
    from app.engine.llama import StopFlag
    from app.engine.service import Service

    events = os.fdopen(channel.events, "wb", buffering=0)
    stop = StopFlag()
    inbox: Inbox[Work] = Inbox(stop)
    service = Service(lambda event: _send(events, event), stop, network)
    requests = os.fdopen(channel.requests, "rb")
    threading.Thread(target=_read, args=(requests, inbox, service), daemon=True).start()
    while True:
        with inbox.take() as request:
            try:
                service.handle(request)
            except Exception as error:  # noqa: BLE001  the process's edge: one event, one log entry
                _report(error)
                _send(
                    events, Failed("internal", f"The engine met a defect ({type(error).__name__}).")
                )


def _read(requests: BinaryIO, inbox: Inbox[Work], service: Service) -> None:
    for line in requests:
        try:
            request = decode_request(line)
        except EngineError as error:  # the two sides no longer understand each other
            _report(error)
            os._exit(1)
        match request:
            case Cancel():
                inbox.cancel()
            case SetPace():
                service.pace(request)
            case Quit():
                break
            case _:
                inbox.put(request)
    os._exit(0)  # the other thread may be deep in llama.cpp; there is nothing to save


def _send(events: BinaryIO, event: Event) -> None:
    try:
        events.write(encode(event))
    except BrokenPipeError:
        os._exit(0)  # nobody listens any more


def _report(error: Exception) -> None:
    """Where it happened, without the message: that could hold a user's words."""
    print(type(error).__name__, file=sys.stderr)
    traceback.print_tb(error.__traceback__)


if __name__ == "__main__":
    main()
