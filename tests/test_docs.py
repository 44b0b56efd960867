"""What is written for operators and developers is true."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from attrs import NOTHING, fields_dict

from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.config.loading import _SECTIONS, keys

ROOT = Path(__file__).parents[1]
CONFIGURATION = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(path for pattern in ("*.md", "docs/**/*.md") for path in ROOT.glob(pattern))


def documented(section: str) -> dict[str, str]:
    """Return the keys of a section's table in docs/configuration.md, and their defaults."""
    text = CONFIGURATION.split(f"### `[{section}]`\n", 1)[1].split("\n#", 1)[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| .+ \|$", text, re.MULTILINE)
    return dict(rows)


@pytest.mark.parametrize("section", _SECTIONS)
def test_each_setting_is_documented_and_nothing_else(section: str) -> None:
    known = {key.name: key.default is NOTHING for key in keys(_SECTIONS[section])}
    described = {key: default == "required" for key, default in documented(section).items()}
    assert described == known


def test_each_key_of_an_agent_is_documented_and_nothing_else() -> None:
    # The registry's loader asks for its keys one by one; there is no list of them to import.
    source = (ROOT / "lambda_matrix/agent/registry.py").read_text(encoding="utf-8")
    loader = source.partition("def load_registry")[2].partition("def registry_from_env")[0]
    asked = set(re.findall(r'[(]"(\w+)"', loader)) & set(fields_dict(AgentEntry))
    asked |= {"token_file"}
    assert set(documented("agent.<id>")) == asked


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if not target.startswith(("http://", "https://")):
            assert (document.parent / target).exists(), target


def test_every_picture_is_shown_somewhere_and_not_large() -> None:
    written = "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    for picture in (ROOT / "docs/images").iterdir():
        assert f"images/{picture.name})" in written, picture.name
        assert picture.stat().st_size < 150_000, picture.name


@pytest.mark.parametrize(
    "name",
    ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/threat-model.md", "docs/reliability.md"],
)
def test_every_file_that_is_named_is_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for named in re.findall(r"`((?:lambda_matrix|tests|docs|systemd|tools)/[\w./-]+)`", text):
        assert (ROOT / named).exists(), named


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    members = chain.from_iterable(project["dependency-groups"].values())
    wanted = [*project["project"]["dependencies"]]
    wanted += [each for each in members if isinstance(each, str)]
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for requirement in wanted:
        name = re.split(r"[^\w-]", requirement, maxsplit=1)[0]
        assert f"| `{name}` |" in text, name


def named_tests(text: str) -> set[tuple[str, str]]:
    """Return the file and the name of each test that is named; a bare file is a scenario."""
    return set(re.findall(r"`([\w/.]+)::(\w+)`", text))


@pytest.mark.parametrize("name", ["coverage", "threat-model", "reliability"])
def test_every_test_that_is_named_exists(name: str) -> None:
    for file, test in sorted(named_tests((ROOT / f"docs/{name}.md").read_text(encoding="utf-8"))):
        path = ROOT / (file if "/" in file else f"tests/scenarios/{file}")
        assert f"def {test}(" in path.read_text(encoding="utf-8"), f"{file}::{test}"


def test_every_promise_names_a_test() -> None:
    text = (ROOT / "docs/coverage.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!promise|---)(.+) \| (.+) \|$", text, re.MULTILINE)
    open_rows = [proof for _, proof in rows if re.fullmatch(r"not yet: issue \d+", proof)]
    named = named_tests(text)
    for promise, proof in rows:
        assert "::" in proof or proof in open_rows, promise
    kept = len(rows) - len(open_rows)
    told = f"{len(rows)} promises: {kept} proven by {len(named)} tests, {len(open_rows)} not yet."
    assert told in text
