"""Prints the lowest versions that pyproject.toml allows, as constraints for pip: `>=` becomes `==`."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
for wanted in project["dependencies"] + project["optional-dependencies"]["test"]:
    found = re.fullmatch(r"([\w-]+)>=([\d.]+)(,<[\d.]+)?", wanted)
    if found is None:
        raise SystemExit(f"pyproject.toml names no lowest version: {wanted}")
    print(f"{found[1]}=={found[2]}")
