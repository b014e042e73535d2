"""Secrets in variables and files, of settings and of providers: found, read again, and never shown."""

import pytest

from config.configuration import ConfigurationError
from config.live import LiveConfiguration
from config.loader import load
from config.secret import SecretFileError, secret_in


def test_a_secret_is_read_from_its_variable_or_its_file(tmp_path):
    """Either way without the blanks around it; a blank variable is no secret."""
    file = tmp_path / "key"
    file.write_text("\ufeff in-a-file \n")
    assert secret_in("K", {"K": " x \n"}) == "x"
    assert secret_in("K", {"K": "", "K_FILE": str(file)}) == "in-a-file"
    assert secret_in("K", {"K": " ", "K_FILE": " "}) is None
    assert secret_in("K", {}) is None
    assert secret_in(None, {}) is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read"),
        (b" \n", "is empty"),
        (b"canary\xff", "is not text"),
        (b"canary" * 20_000, "is larger than"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_by_its_path_alone(tmp_path, content, told):
    """The variable and the path, and nothing of what is in it."""
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SecretFileError, match=f"^K_FILE: {file} {told}") as caught:
        secret_in("K", {"K_FILE": str(file)})
    assert "canary" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_a_variable_and_its_file_at_once_are_refused(tmp_path):
    """Nobody would know which of two keys is used."""
    with pytest.raises(SecretFileError, match=r"^K and K_FILE are both set; set one of them$"):
        secret_in("K", {"K": "x", "K_FILE": str(tmp_path)})


def test_a_provider_has_the_keys_that_are_there(settings, edit, tmp_path):
    """From variables and files, in the row's order, each once; none of them is in what is printed."""
    file = tmp_path / "second"
    file.write_text("canary-2\n")
    edit("providers.json", "groq.api_key_envs", ["GROQ_API_KEY_2", "GROQ_API_KEY_3", "GROQ_API_KEY_4"])
    environ = {"GROQ_API_KEY": "canary-1", "GROQ_API_KEY_2_FILE": str(file), "GROQ_API_KEY_4": "canary-1"}
    loaded = load(settings, environ)
    groq = loaded.providers["groq"]
    assert [(key.variable, key.secret) for key in groq.keys] == [
        ("GROQ_API_KEY", "canary-1"),
        ("GROQ_API_KEY_2", "canary-2"),
    ]
    assert "canary" not in repr(loaded)
    assert "canary" not in repr(groq.keys)


def test_further_keys_are_enough_and_all_are_named_where_none_is_there(settings, edit):
    """A row may have api_key_envs alone."""
    edit("providers.json", "groq.api_key_env", ...)
    edit("providers.json", "groq.api_key_envs", ["A_KEY", "B_KEY"])
    assert load(settings, {"B_KEY": "x"}).providers["groq"].usable
    reason = load(settings, {"GOOGLE_API_KEY": "x"}).providers["groq"].unusable_reason
    assert reason == "no key: A_KEY, B_KEY are not set"


@pytest.mark.parametrize("envs", ["A_KEY", ["A KEY"], ["A", "A"], [1], None])
def test_further_keys_are_names_of_variables(settings, edit, envs):
    """What is no list of names is refused with its place."""
    edit("providers.json", "groq.api_key_envs", envs)
    with pytest.raises(ConfigurationError, match=r"providers.json: groq.api_key_envs"):
        load(settings, {})


def test_a_server_without_a_key_has_no_further_ones(settings, edit):
    """`"api_key_env": null` and a list of keys contradict each other."""
    edit("providers.json", "groq.api_key_env", None)
    edit("providers.json", "groq.api_key_envs", ["A_KEY"])
    with pytest.raises(ConfigurationError, match=r"groq.api_key_envs: expected none"):
        load(settings, {})


def test_a_file_that_cannot_be_read_is_refused_at_start_where_its_provider_is_enabled(settings, edit, tmp_path):
    """With the path; a disabled provider's file is not looked at."""
    environ = {"GROQ_API_KEY_FILE": str(tmp_path / "away")}
    with pytest.raises(ConfigurationError, match=f"environment: GROQ_API_KEY_FILE: {tmp_path}/away cannot be read"):
        load(settings, environ)
    edit("providers.json", "groq.enabled", to=False)
    assert load(settings, environ).sandbox


def test_a_rotated_file_is_read_without_a_restart(settings, tmp_path):
    """A new content, also by a swapped link as Kubernetes does it; while it cannot be read the old key stays."""
    first, second, link = tmp_path / "1", tmp_path / "2", tmp_path / "key"
    first.write_text("old")
    second.write_text("new")
    link.symlink_to(first)
    live = LiveConfiguration(settings, {"GROQ_API_KEY_FILE": str(link)})

    def key():
        return live.current.providers["groq"].keys[0].secret

    assert (key(), live.poll()) == ("old", False)
    link.unlink()
    assert (live.poll(), key()) == (False, "old")
    link.symlink_to(second)
    assert (live.poll(), key()) == (True, "new")
