"""What a shell completes, in a real one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from lambda_matrix.cli import _PLACES, main
from lambda_matrix.upkeep.completion import SHELLS, script

INSTALLED = Path(__file__).parents[2] / "systemd/completions"
FILES = {"bash": "lambda-matrix.bash", "zsh": "_lambda-matrix", "fish": "lambda-matrix.fish"}


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_installed_is_what_is_printed(shell: str) -> None:
    printed = CliRunner().invoke(main, ["completion", shell]).output
    assert printed == (INSTALLED / FILES[shell]).read_text(encoding="utf-8")
    assert "lambda-matrix" in printed


def test_a_shell_that_nobody_knows() -> None:
    ended = CliRunner().invoke(main, ["completion", "tcsh"])
    assert ended.exit_code == 2
    with pytest.raises(ValueError, match="no completion for tcsh"):
        script("tcsh")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The program as it is installed: a command that is a link to a file of another name."""
    pex = tmp_path / "lambda-matrix.pex"
    pex.write_text(
        f"#!{sys.executable}\nimport sys\nfrom lambda_matrix.cli import main\nsys.exit(main())\n"
    )
    pex.chmod(0o755)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/lambda-matrix").symlink_to(pex)
    return tmp_path / "bin"


def complete(installed: Path, *words: str) -> list[str]:
    """Return what bash offers for the last of the words."""
    typed = " ".join(f'"{word}"' for word in words)
    lines = (
        f"source {INSTALLED}/lambda-matrix.bash",
        "complete -p lambda-matrix",
        f"COMP_WORDS=({typed}) COMP_CWORD={len(words) - 1}",
        "_lambda_matrix_completion lambda-matrix",
        'printf "%s\\n" "${COMPREPLY[@]}"',
    )
    bash = shutil.which("bash")
    assert bash is not None
    environment = {
        "PATH": f"{installed}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        [bash, "--norc", "-c", "\n".join(lines)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    first, *offered = done.stdout.splitlines()
    assert first == "complete -o nosort -F _lambda_matrix_completion lambda-matrix"
    assert (
        done.stderr.replace(
            "bash: line 4: compopt: not currently executing completion function\n", ""
        )
        == ""
    )
    return offered


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("lambda-matrix", "re"), ["reconcile", "reload", "reset"]),
        (("lambda-matrix", "--v"), ["--version"]),
        (("lambda-matrix", "completion", ""), ["bash", "zsh", "fish"]),
        (("lambda-matrix", "login", "--"), ["--config", "--token", "--stdin", "--help"]),
        (("lambda-matrix", ""), sorted(_PLACES)),
    ],
)
def test_bash_completes(installed: Path, words: tuple[str, ...], offered: list[str]) -> None:
    assert complete(installed, *words) == offered
