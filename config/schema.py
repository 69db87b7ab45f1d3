"""The JSON schema of the settings file, for editors: `python -m config.schema` writes it again."""

from __future__ import annotations

import json
from pathlib import Path

from config.settings import Settings

FILE = Path(__file__).with_name("schema.json")


def settings_schema() -> str:
    """The schema as it stands in `config/schema.json`."""
    return json.dumps(Settings.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(settings_schema(), encoding="utf-8")
