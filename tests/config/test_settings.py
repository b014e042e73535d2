"""Settings: defaults, what is read, and how a bad value is refused."""

from pathlib import Path

import pytest

from config.settings import SettingError, Settings, provider_key


def test_empty_environment_gives_the_defaults(tmp_path, monkeypatch):
    """With nothing set, every setting has its documented default."""
    monkeypatch.chdir(tmp_path)
    assert Settings.from_environment({}) == Settings(home=tmp_path / ".model-router")


def test_values_are_read(tmp_path):
    """What is set is read, in its own type and unit."""
    settings = Settings.from_environment(
        {
            "PORT": "3100",
            "HEALTH_CHECK_INTERVAL": "5000",
            "MODEL_ROUTER_CONFIG": str(tmp_path),
            "MODEL_ROUTER_WAIT_S": "0.5",
            "MODEL_ROUTER_TASK_EVENTS": "yes",
            "LOG_LEVEL": "DEBUG",
        }
    )
    assert (settings.port, settings.health_check_interval_s, settings.wait_s) == (3100, 5.0, 0.5)
    assert settings.config_dir == Path(tmp_path)
    assert settings.task_events
    assert settings.log_level == "debug"


@pytest.mark.parametrize(
    ("given", "place"),
    [("", "{home}/files"), ("s3://bucket/x", "s3://bucket/x"), ("memory://x", "memory://x"), (" /data ", "/data")],
)
def test_files_are_kept_beside_the_rest_or_where_it_is_said(tmp_path, given, place):
    """A folder of the stack's own, another folder, or a URL; the largest file has a limit of its own."""
    settings = Settings.from_environment({"MODEL_ROUTER_HOME": str(tmp_path), "MODEL_ROUTER_FILES_URL": given})
    assert settings.files_place == place.format(home=tmp_path)
    assert settings.max_file_bytes == 209_715_200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "99999"),
        ("PORT", "http"),
        ("PORT", "80.5"),
        ("MODEL_ROUTER_WAIT_S", "nan"),
        ("MODEL_ROUTER_WAIT_S", "-1"),
        ("MODEL_ROUTER_WAIT_S", "inf"),
        ("LOG_LEVEL", "loud"),
        ("MODEL_ROUTER_TASK_EVENTS", "maybe"),
    ],
)
def test_bad_value_names_its_variable(name, value):
    """A value a setting cannot be is refused by the variable's name."""
    with pytest.raises(SettingError, match=name):
        Settings.from_environment({name: value})


def test_provider_key_is_stripped():
    """A key is read without the blanks around it; a blank or missing one is none."""
    assert provider_key("K", {"K": " x \n"}) == "x"
    assert provider_key("K", {"K": " "}) is None
    assert provider_key("K", {}) is None
    assert provider_key(None, {}) is None


def test_a_secret_is_in_its_variable_or_in_a_file(tmp_path):
    """The admin key stands in the environment or in a file, as containers mount it; without either there is none."""
    file = tmp_path / "admin"
    file.write_text("sixteen-or-more-characters\n")
    for environ in (
        {"MODEL_ROUTER_ADMIN_KEY": "sixteen-or-more-characters"},
        {"MODEL_ROUTER_ADMIN_KEY_FILE": str(file)},
    ):
        settings = Settings.from_environment(environ)
        assert settings.admin_key == "sixteen-or-more-characters"
        assert "sixteen" not in repr(settings)
    assert Settings.from_environment({}).admin_key is None


@pytest.mark.parametrize("value", ["short", "a key with blanks in it", "sixteen-chars-ünd-more"])
def test_a_bad_secret_is_refused_and_not_quoted(tmp_path, value):
    """Too short, or what no header can hold, in the variable or the file; both at once; no such file."""
    file = tmp_path / "admin"
    file.write_text(value)
    for environ in (
        {"MODEL_ROUTER_ADMIN_KEY": value},
        {"MODEL_ROUTER_ADMIN_KEY_FILE": str(file)},
        {"MODEL_ROUTER_ADMIN_KEY": value, "MODEL_ROUTER_ADMIN_KEY_FILE": str(file)},
        {"MODEL_ROUTER_ADMIN_KEY_FILE": str(tmp_path / "none")},
    ):
        with pytest.raises(SettingError, match="MODEL_ROUTER_ADMIN_KEY") as raised:
            Settings.from_environment(environ)
        assert value not in str(raised.value)
