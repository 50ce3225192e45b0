"""Settings: every fault names the file and the field."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.settings import SettingsError, load_company

GOOD = "name: Test\nenvironment: dev\ntime_zone: Asia/Shanghai\ncurrency_code: CNY\n"


def test_a_company_is_its_folder(tmp_path: Path) -> None:
    (tmp_path / "company.yml").write_text(GOOD, encoding="utf-8")
    company = load_company(tmp_path)
    assert company.extracts_dir == tmp_path / "extracts"
    assert company.environment.as_of_source == "data"
    assert not company.environment.may_generate_sample


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("environment: dev", "environment: prd", "'prd' is not one of sample, dev, prod"),
        ("environment: dev\n", "", "missing field environment"),
        ("name: Test", "name: Test\ncolour: red", "unknown field colour"),
        ("Asia/Shanghai", "Asia/Shanghigh", "'Asia/Shanghigh' is not an IANA time zone"),
        ("CNY", "yuan", "'yuan' is not a three-letter"),
        ("name: Test", "name: [", "not valid YAML"),
        ("environment: dev", "environment: [dev]", "is not one of sample, dev, prod"),
        ("name: Test", "name: Test\n1: red", "unknown field 1"),
        ("name: Test", "name: Test\ndata_dir: 3", "data_dir must be the path of a folder, not 3"),
        ("name: Test", "name: Test\nreleases_kept: 1", "releases_kept must be a whole number of at least 2, not 1"),
        ("name: Test", "name: Test\nreleases_kept: many", "at least 2, not 'many'"),
        ("name: Test", "name: Test\nreleases_kept: true", "at least 2, not True"),
        ("name: Test", "name: Test\nreleases_kept:", "at least 2, not None"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "company.yml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(SettingsError) as error:
        load_company(tmp_path)
    assert str(path) in str(error.value)
    assert message in str(error.value)


def test_a_file_in_another_encoding_is_a_fault_too(tmp_path: Path) -> None:
    path = tmp_path / "company.yml"
    path.write_text(GOOD.replace("Test", "Käserei"), encoding="latin-1")
    with pytest.raises(SettingsError, match=f"{path}: not valid YAML"):
        load_company(tmp_path)


def test_a_folder_without_settings_is_no_company(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not found"):
        load_company(tmp_path)


def test_an_unknown_environment_variable_is_no_fallback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "company.yml").write_text(GOOD, encoding="utf-8")
    monkeypatch.setenv("SCORECARD_ENV", "staging")
    with pytest.raises(SettingsError, match="'staging' is not one of"):
        load_company(tmp_path)
