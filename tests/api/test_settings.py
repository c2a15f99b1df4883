"""Settings: a mistyped name, a wrong value is refused at the start, in words that say which."""

import pytest

from service.config import Settings
from service.errors import SettingsInvalid


class TestSettings:
    def test_have_defaults_that_work_on_one_machine(self) -> None:
        settings = Settings.from_env({"PATH": "/bin", "FENPAI_TEST_PG_URL": "x", "FENPAI_PORT": ""})
        assert (settings.database_url, settings.pack, settings.host, settings.port) == ("sqlite:///fenpai.db", "beichen", "127.0.0.1", 8360)

    def test_come_from_the_environment_and_the_command_line_has_the_last_word(self) -> None:
        settings = Settings.from_env({"FENPAI_PORT": "9000", "FENPAI_PACK": "tiny"}, port=9001, host=None)
        assert (settings.port, settings.pack) == (9001, "tiny")

    @pytest.mark.parametrize(
        ("environment", "says"),
        [
            ({"FENPAI_DATABASE_ULR": "x"}, "FENPAI_DATABASE_URL？"),
            ({"FENPAI_XYZZY": "x"}, "没有 FENPAI_XYZZY"),
            ({"FENPAI_PORT": "many"}, "FENPAI_PORT"),
            ({"FENPAI_PORT": "70000"}, "FENPAI_PORT"),
            ({"FENPAI_LOG_LEVEL": "loud"}, "FENPAI_LOG_LEVEL"),
            ({"FENPAI_TRUSTED_PROXIES": "*"}, "FENPAI_TRUSTED_PROXIES"),
            ({"FENPAI_TRUSTED_PROXIES": "10.0.0.1,0.0.0.0/0"}, "FENPAI_TRUSTED_PROXIES"),
            ({"FENPAI_MAX_CASE_BYTES": "-1"}, "FENPAI_MAX_CASE_BYTES"),
        ],
    )
    def test_that_are_wrong_are_named(self, environment: dict[str, str], says: str) -> None:
        with pytest.raises(SettingsInvalid) as refusal:
            Settings.from_env(environment)
        assert says in refusal.value.detail

    def test_all_mistakes_are_told_at_once(self) -> None:
        with pytest.raises(SettingsInvalid) as refusal:
            Settings.from_env({"FENPAI_PORT": "x", "FENPAI_LOGLEVEL": "info"})
        assert len(refusal.value.detail.splitlines()) == 2

    def test_never_show_keys_or_passwords(self) -> None:
        settings = Settings.from_env({"FENPAI_DATA_KEY": "sesame", "FENPAI_DATABASE_URL": "postgresql://u:sesame@h/d"})
        assert "sesame" not in repr(settings)
        with pytest.raises(SettingsInvalid) as refusal:
            Settings.from_env({"FENPAI_DATA_KEY": "sesame", "FENPAI_PORT": "x"})
        assert "sesame" not in refusal.value.detail
