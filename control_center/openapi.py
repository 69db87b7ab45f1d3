"""Write the API's description: `python -m control_center.openapi [FILE]` (default docs/reference/openapi.json)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from config.settings import Settings
from control_center.api.app import create_app


def description_text() -> str:
    """The OpenAPI document as it stands in the repository."""
    return json.dumps(create_app(Settings(), worker_token="").openapi(), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference/openapi.json")
    target.write_text(description_text(), encoding="utf-8")
    print(f"wrote {target}")


if __name__ == "__main__":
    main()
