"""What the environment must say before mail leaves for real, and what is assumed where the way to send is handed in."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from amont.common.clock import SystemClock
from amont.common.documents.sqlite import SqliteStore
from amont.common.ids import RandomIds
from amont.common.log.sqlite import SqliteLog
from amont.common.service import Parts
from amont.common.settings import MissingSettings, read_settings
from amont.notifications.app import build
from amont.notifications.commands.deliveries import Post
from amont.notifications.mails import Address
from amont.notifications.sending import FolderSender, MailSender
from amont.notifications.settings import MailSettings, ReachedAt

ENVIRONMENT = {
    "AMONT_MAIL_URL": "smtp://amont:s3cret@mail.example.com",
    "AMONT_MAIL_SENDER": "L'équipe du mentorat <mentorat@example.com>",
    "AMONT_PUBLIC_URL": "https://amont.example.com/",
}


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*ENVIRONMENT, "AMONT_MAIL_DOMAIN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def parts(folder: Path, tools: Mapping[type, object] | None = None) -> Parts:
    clock = SystemClock()
    store, log = SqliteStore(folder / "store.sqlite"), SqliteLog(folder / "log.sqlite")
    return Parts(store=store, log=log, clock=clock, ids=RandomIds(clock), tools=tools or {})


def test_a_start_that_sends_for_real_says_everything_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingSettings) as missing:
        build(parts(tmp_path))
    assert {name for name, _, _ in missing.value.rows} == set(ENVIRONMENT)


@pytest.mark.usefixtures("environment")
def test_with_everything_said_it_starts(tmp_path: Path) -> None:
    assert build(parts(tmp_path)).name == "notifications"
    settings = read_settings(MailSettings)
    assert settings.sender == Address("mentorat@example.com", "L'équipe du mentorat")
    assert (settings.public_url, settings.domain) == ("https://amont.example.com", "example.com")
    assert "s3cret" not in repr(settings)


@pytest.mark.usefixtures("environment")
def test_the_domain_of_message_ids_may_be_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMONT_MAIL_DOMAIN", "amont.example.com")
    assert read_settings(MailSettings).domain == "amont.example.com"


def test_where_the_way_to_send_is_handed_in_nothing_need_be_said(tmp_path: Path) -> None:
    assert build(parts(tmp_path, {MailSender: FolderSender(tmp_path)})).name == "notifications"
    assert read_settings(MailSettings, mail_url=None).domain == "localhost"


def test_a_way_to_send_that_is_handed_in_asks_nothing_of_the_one_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMONT_MAIL_URL", ENVIRONMENT["AMONT_MAIL_URL"])
    assert build(parts(tmp_path, {MailSender: FolderSender(tmp_path)})).name == "notifications"


def test_mail_into_a_folder_needs_no_more_than_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMONT_MAIL_URL", f"folder://{tmp_path}")
    assert build(parts(tmp_path)).name == "notifications"
    settings = read_settings(MailSettings)
    assert (settings.sender, settings.public_url) == (Address("amont@localhost", "Amont"), "http://127.0.0.1:8000")


def test_mail_that_leaves_needs_somebody_who_signs_and_a_place_for_links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMONT_MAIL_URL", ENVIRONMENT["AMONT_MAIL_URL"])
    with pytest.raises(MissingSettings) as missing:
        read_settings(MailSettings)
    assert {name for name, _, _ in missing.value.rows} == {"AMONT_MAIL_SENDER", "AMONT_PUBLIC_URL"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AMONT_MAIL_URL", "ftp://amont:s3cret@mail.example.com"),
        ("AMONT_MAIL_SENDER", "nobody"),
        ("AMONT_MAIL_SENDER", "Équipe <équipe@example.com>"),
        ("AMONT_PUBLIC_URL", "elsewhere.example.com"),
        ("AMONT_PUBLIC_URL", "https://amont.example.com/?page="),
        ("AMONT_PUBLIC_URL", "https://amont.example.com/é"),
        ("AMONT_MAIL_DOMAIN", "a b"),
    ],
)
@pytest.mark.usefixtures("environment")
def test_a_wrong_value_is_refused_by_name_and_not_repeated(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(MissingSettings) as wrong:
        read_settings(MailSettings)
    assert [row[0] for row in wrong.value.rows] == [name]
    assert value not in str(wrong.value)
    assert "s3cret" not in str(wrong.value)


def test_links_lead_to_where_whoever_starts_it_listens_unless_the_environment_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = {MailSender: FolderSender(tmp_path / "mails"), ReachedAt: ReachedAt("http://127.0.0.1:8123")}

    def base() -> str:
        return build(parts(tmp_path, tools)).unit.house.tools[Post]._letterhead.public_url  # type: ignore[attr-defined]

    assert base() == "http://127.0.0.1:8123"
    monkeypatch.setenv("AMONT_PUBLIC_URL", "https://amont.example.com")
    assert base() == "https://amont.example.com"
