from __future__ import annotations

from pathlib import Path

import pytest

from lambda_matrix.credentials import credential_folder, find_credential


@pytest.mark.parametrize("name", ["password", "lambda-matrix_password"])
def test_a_credential_is_found_alone_and_from_a_folder_of_them(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("secret")
    handed_over = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert find_credential("password", handed_over) == tmp_path / name
    assert find_credential("access_token", handed_over) is None


def test_the_one_named_alone_is_the_nearer_one_unless_it_is_empty(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("alone")
    (tmp_path / "lambda-matrix_password").write_text("of a folder")
    handed_over = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert find_credential("password", handed_over) == tmp_path / "password"
    (tmp_path / "password").write_text("\n")
    assert find_credential("password", handed_over) == tmp_path / "lambda-matrix_password"


def test_without_a_service_manager_it_is_looked_for_beside_the_configuration(
    tmp_path: Path,
) -> None:
    configuration = tmp_path / "config.toml"
    folder = credential_folder(configuration)
    assert folder == tmp_path / "credentials"
    assert find_credential("password", {}, configuration) is None
    folder.mkdir()
    (folder / "password").write_text("secret")
    assert find_credential("password", {}, configuration) == folder / "password"
    assert find_credential("password", {}) is None


def test_what_was_handed_over_rules_over_what_lies_beside(tmp_path: Path) -> None:
    configuration = tmp_path / "config.toml"
    credential_folder(configuration).mkdir()
    (credential_folder(configuration) / "password").write_text("secret")
    handed_over = {"CREDENTIALS_DIRECTORY": str(tmp_path / "empty")}
    assert find_credential("password", handed_over, configuration) is None


def test_one_that_cannot_be_looked_at_is_left_to_whoever_reads_it(tmp_path: Path) -> None:
    (tmp_path / "password").mkdir()
    handed_over = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert find_credential("password", handed_over) == tmp_path / "password"
