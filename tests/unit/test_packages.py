"""What importing costs, and whose code it is."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("oxbot", "workflows", "activities", "worker", "api", "infra")
HEAVY = {"ccxt", "temporalio", "sqlalchemy", "numpy", "talib", "fastapi", "redis", "pyarrow"}
SDKS = {"dashscope", "openai"}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_packages_imported_are_the_repositorys_own(package: str) -> None:
    found = importlib.import_module(package).__file__
    assert found is not None
    assert Path(found).resolve().parent == REPOSITORY / package


@pytest.mark.parametrize("module", ["oxbot", "oxbot.cli.main"])
def test_nothing_heavy_is_loaded_before_a_command_runs(module: str) -> None:
    loaded = _modules_after(f"import {module}")
    assert (HEAVY | SDKS) & loaded == set()


def test_the_api_and_the_command_line_never_load_ccxt() -> None:
    loaded = _modules_after("import api.app, oxbot.bootstrap, oxbot.cli.demo_run")
    assert "ccxt" not in loaded


def test_a_models_sdk_is_not_loaded_before_its_provider_is_set_up() -> None:
    loaded = _modules_after("import worker.main, oxbot.adapters.models.choice")
    assert SDKS & loaded == set()


def _modules_after(code: str) -> set[str]:
    """Import in a fresh interpreter; give the top-level names of what is loaded then."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}
