"""`python -m tests.fuzz.atheris_run TARGET FOLDER [libFuzzer options]`: one target, guided by coverage of `streams`."""

from __future__ import annotations

import asyncio
import sys

import atheris

with atheris.instrument_imports(include=["streams"]):
    from tests.fuzz.targets import TARGETS


async def main() -> None:
    """Ends the process with libFuzzer's exit status."""
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    asyncio.run(main())
