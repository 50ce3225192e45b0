"""Settings: every fault names the file and the field."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from orchestration.settings import SettingsError, load_company
from orchestration.state import NightReport
from orchestration.summary import print_summary

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
        ("CNY", '"A\'B"', "is not a three-letter"),
        ("Asia/Shanghai", "Asia", "'Asia' is not an IANA time zone"),
        ("Asia/Shanghai", "../../etc/passwd", "is not an IANA time zone"),
        ("environment: dev", "environment: [dev]", "environment must be one line of text"),
        ("name: Test", "name: [", "not valid YAML"),
        ("name: Test", "name: Test\nreleases_kept: 1", "releases_kept must be a whole number of at least 2, not 1"),
        ("name: Test", "name: Test\nreleases_kept: many", "at least 2, not 'many'"),
        ("name: Test", "name: Test\nreleases_kept: true", "at least 2, not True"),
        ("name: Test", "name: Test\nreleases_kept:", "at least 2, not None"),
        ("name: Test", "name: {a: 1}", "name must be one line of text"),
        ("name: Test", "name: Test\n5: five\nnull: none", "unknown field 5, None"),
        ("name: Test", 'name: Test\n"\\e[31m": red', r"unknown field \x1b[31m"),
        ("name: Test", "name: Test\ndata_dir: [a]", "data_dir must be one line of text"),
        ("name: Test", "name: !!python/object/apply:os.getcwd []", "not valid YAML"),
        ("name: Test", "name: Test\nalerts: [\"{{ env_var('HOME') }}\"]", "names of environment variables"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "company.yml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(SettingsError) as error:
        load_company(tmp_path)
    assert str(path) in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize("field", ["name", "environment", "time_zone", "currency_code", "data_dir"])
@pytest.mark.parametrize("text", ["a\x07\x1b[31mb", "line\nbreak", "a\u2028b", "", "x" * 300_000])
def test_a_setting_is_one_short_line(tmp_path: Path, field: str, text: str) -> None:
    fields = yaml.safe_load(GOOD) | {field: text}
    (tmp_path / "company.yml").write_text(yaml.safe_dump(fields, allow_unicode=True), encoding="utf-8")
    with pytest.raises(SettingsError, match=rf"company\.yml: {field} must be one line of text"):
        load_company(tmp_path)


def test_settings_that_are_not_utf_8_are_refused(tmp_path: Path) -> None:
    (tmp_path / "company.yml").write_bytes(GOOD.replace("Test", "Caf\u00e9").encode("latin-1"))
    with pytest.raises(SettingsError, match=r"company\.yml: not valid YAML"):
        load_company(tmp_path)


@pytest.mark.parametrize(
    "name", ["{{ env_var('HOME') }}", "{% raw %}", "'; drop table x; --", "[/red]", "../../etc/passwd"]
)
def test_a_hostile_name_is_shown_as_it_is(tmp_path: Path, name: str) -> None:
    fields = yaml.safe_load(GOOD) | {"name": name}
    (tmp_path / "company.yml").write_text(yaml.safe_dump(fields), encoding="utf-8")
    shown = io.StringIO()
    report = NightReport("published", checks_gone=["test.[/x].y"], reasons=[name])
    print_summary(load_company(tmp_path), report, Console(file=shown, width=200))
    assert shown.getvalue().count(name) == 2
    assert "test.[/x].y" in shown.getvalue()


def test_a_folder_without_settings_is_no_company(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not found"):
        load_company(tmp_path)


def test_an_unknown_environment_variable_is_no_fallback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "company.yml").write_text(GOOD, encoding="utf-8")
    monkeypatch.setenv("SCORECARD_ENV", "staging")
    with pytest.raises(SettingsError, match="'staging' is not one of"):
        load_company(tmp_path)
