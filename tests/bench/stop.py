"""How long a stop takes, in prefill and while the answer is written.

python -m tests.bench.stop MODEL [--runs 20]
"""

from __future__ import annotations

import argparse
import asyncio
import time
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from app.assistant.assistant import Assistant
from app.assistant.events import Finished, Prefill, Text
from app.boards import profile
from app.engine.client import EngineClient
from app.engine.messages import Load
from tests.bench.statistics import percentile

_BAR_S = 0.5
_QUESTION = "What is it that hurts here and why does it not stop? " * 6


async def stop_seconds(assistant: Assistant, during: type[Prefill] | type[Text]) -> float:
    """From the stop to the end of the stream; the stop comes a little into the stage."""
    await assistant.new_conversation()
    asked, seen = 0.0, 0
    async with aclosing(assistant.ask(_QUESTION)) as events:
        async for event in events:
            seen += isinstance(event, during)
            if seen == 2 and not asked:
                asked = time.monotonic()
                asyncio.get_running_loop().create_task(assistant.stop())
            if isinstance(event, Finished):
                assert event.reason == "cancelled", event
    return time.monotonic() - asked


async def measure(model: Path, runs: int) -> None:
    """Print the median and the 95th percentile of both stages."""
    settings = replace(profile("generic").settings, context=1024)
    assistant = Assistant(EngineClient(), Load(str(model), settings))
    async for _event in assistant.prepare():
        pass
    for name, stage in (("prefill", Prefill), ("decode", Text)):
        taken = [await stop_seconds(assistant, stage) for _ in range(runs)]
        high = percentile(taken, 0.95)
        verdict = "holds" if high <= _BAR_S else "does not hold"
        print(
            f"stop in {name}: p50 {percentile(taken, 0.5) * 1000:.0f} ms, "
            f"p95 {high * 1000:.0f} ms; at most {_BAR_S * 1000:.0f} ms: {verdict}"
        )
    await assistant.close()


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description="How long a stop takes.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    asyncio.run(measure(options.model, options.runs))


if __name__ == "__main__":
    main()
