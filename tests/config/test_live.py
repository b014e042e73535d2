"""Hot reload: a sound edit is taken, a broken one is refused and logged once."""

import gevent
import pytest
from structlog.testing import capture_logs

from config.configuration import ConfigurationError
from config.live import LiveConfiguration
from config.settings import Settings


def test_sound_edit_is_taken_and_told(settings, edit):
    """A sound edit replaces the configuration and calls each listener with it."""
    live = LiveConfiguration(settings, {})
    told = []
    live.on_change(told.append)
    assert not live.poll()
    edit("models.json", "mine", ["groq/openai/gpt-oss-20b"])
    with capture_logs() as logs:
        assert live.poll()
    assert live.current.aliases["mine"] == ("groq/openai/gpt-oss-20b",)
    assert told == [live.current]
    assert [entry["event"] for entry in logs] == ["configuration.loaded"]


def test_broken_edit_keeps_the_old_and_is_logged_once(settings, edit):
    """A broken edit leaves the old configuration in force and is logged once, until the next edit."""
    live = LiveConfiguration(settings, {})
    before = live.current
    edit("providers.json", "groq.enabled", "yes")
    with capture_logs() as logs:
        assert not live.poll()
        assert not live.poll()
    assert live.current is before
    assert [entry["event"] for entry in logs] == ["configuration.rejected"]
    assert logs[0]["problems"] == ["providers.json: groq.enabled: expected true or false"]
    edit("providers.json", "groq.enabled", to=False)
    assert live.poll()
    assert not live.current.providers["groq"].usable


def test_new_and_removed_tenant_files_are_seen(settings):
    """A tenant file that comes or goes is an edit."""
    live = LiveConfiguration(settings, {})
    file = settings.config_dir / "tenants" / "enterprise.json"
    content = file.read_text()
    file.unlink()
    assert live.poll()
    assert set(live.current.tenants) == {"default"}
    file.write_text(content)
    assert live.poll()
    assert set(live.current.tenants) == {"default", "enterprise"}


def test_folder_that_vanishes_keeps_the_old(settings, tmp_path):
    """A folder that is moved away and back loses nothing."""
    live = LiveConfiguration(settings, {})
    before = live.current
    settings.config_dir.rename(tmp_path / "away")
    with capture_logs() as logs:
        assert not live.poll()
    assert [entry["event"] for entry in logs] == ["configuration.rejected"]
    assert live.current is before
    (tmp_path / "away").rename(settings.config_dir)
    assert live.poll()


def test_broken_at_start_is_refused(settings, edit):
    """A process does not start on a broken configuration."""
    edit("providers.json", "groq.enabled", "yes")
    with pytest.raises(ConfigurationError):
        LiveConfiguration(settings, {})


def test_greenlet_picks_up_an_edit(settings, edit):
    """Once started, an edit is in force without anybody polling; stopping ends that."""
    quick = Settings(config_dir=settings.config_dir, home=settings.home, config_poll_s=0.01)
    live = LiveConfiguration(quick, {})
    changed = gevent.event.Event()
    live.on_change(lambda _: changed.set())
    live.start()
    live.start()
    try:
        edit("models.json", "mine", ["groq/openai/gpt-oss-20b"])
        assert changed.wait(timeout=10)
        assert "mine" in live.current.aliases
    finally:
        live.stop()
