"""Who a secret belongs to: files first, then the book of what was made at run time."""

import dataclasses
import json
import time

import pytest
from structlog.testing import capture_logs

from config.key_hash import digest, key_hash
from config.live import LiveConfiguration
from routing.errors import StoreUnavailable, Unauthenticated
from tests.support.stack import copy_configuration
from workers.access.book import AccessBook
from workers.access.key_record import new_key
from workers.access.tenant_record import TenantRecord
from workers.directory import Directory
from workers.ledger.ledger import Ledger
from workers.pipeline import CommandPipeline
from workers.redis_client import connect

PEPPER = "a pepper that is long enough"
REAL = {"GROQ_API_KEY": "gsk_anything"}


@pytest.fixture
def folder(tmp_path):
    """The shipped configuration."""
    copy_configuration(tmp_path / "config")
    return tmp_path / "config"


@pytest.fixture
def make(settings, ledger, folder):
    """A directory of that folder; `environ` are the providers' keys, `changes` settings."""

    def making(environ=None, **changes):
        own = dataclasses.replace(settings, config_dir=folder, **changes)
        return Directory(LiveConfiguration(own, environ or {}), own, AccessBook(ledger.access))

    return making


def write(folder, name, **fields):
    tenant = {"tenant_id": name, "providers": {"enabled": ["groq"]}, **fields}
    (folder / "tenants" / f"{name}.json").write_text(json.dumps(tenant))


@pytest.mark.parametrize("pepper", [None, PEPPER])
def test_a_file_may_hold_hashes(make, folder, pepper):
    """A key is let in by its hash as by itself, and has the same id either way; another pepper knows neither hash."""
    write(folder, "plain", api_keys=["ak-plain"])
    write(folder, "hashed", api_key_hashes=[key_hash("ak-hashed", pepper)])
    directory = make(key_pepper=pepper)
    assert directory.access("ak-plain")[0].tenant_id == "plain"
    tenant, key = directory.access("ak-hashed")
    assert (tenant.tenant_id, key.prefix) == ("hashed", "")
    assert directory.key(key.id) == key
    with pytest.raises(Unauthenticated):
        directory.access(key_hash("ak-hashed", pepper))
    other = make(key_pepper="another pepper, long enough")
    assert other.access("ak-plain")[0].tenant_id == "plain"
    with pytest.raises(Unauthenticated):
        other.access("ak-hashed")


def test_a_file_needs_no_key(make, folder, ledger):
    """The keys of its tenant may all be made at run time."""
    write(folder, "keyless")
    record, secret = new_key("keyless", None, {})
    ledger.access.create_key(record, tenant_is_stored=False)
    tenant, key = make().access(secret)
    assert (tenant.tenant_id, key.id) == ("keyless", record.id)


def test_the_demo_keys_work_in_the_sandbox_only(make):
    """Beside real providers they are refused in words that help, unless the operator allows them; then it is logged."""
    sandboxed = make()
    assert sandboxed.access("ak-demo123")[0].tenant_id == "default"
    assert sandboxed.access("ak-enterprise-demo")[0].tenant_id == "enterprise"
    with capture_logs() as quiet:
        real = make(REAL)
    for key in ("ak-demo123", "ak-enterprise-demo"):
        with pytest.raises(Unauthenticated, match="model-router keys create"):
            real.access(key)
    with capture_logs() as logs:
        allowed = make(REAL, allow_demo_key=True)
    assert allowed.access("ak-demo123")[0].tenant_id == "default"
    assert [[entry["event"] for entry in told] for told in (quiet, logs)] == [[], ["access.demo_keys"]]


def test_a_file_goes_before_a_tenant_made_at_run_time(make, folder, ledger):
    """Whoever comes later: the file's tenant is the one, and the log says so once."""
    ledger.access.create_tenant(TenantRecord("twice", {"providers": {"enabled": ["groq"]}}, 1, 1))
    write(folder, "twice", providers={"enabled": ["google-gemini"]})
    directory = make()
    directory.book.sync()
    assert directory.tenant("twice").providers == {"google-gemini"}
    with capture_logs() as logs:
        directory._warn_of_shadows()
        directory._warn_of_shadows()
    assert [(entry["event"], entry["tenant_id"]) for entry in logs] == [("access.shadowed", "twice")]


def test_only_who_has_the_secret_is_told_what_became_of_it(make, ledger):
    """Revoked, expired, replaced and of a suspended tenant: each 401 with its reason; anything else is unknown."""
    ledger.access.create_tenant(TenantRecord("off", {"providers": {"enabled": []}, "status": "suspended"}, 1, 1))
    directory = make()
    now = time.time()
    told = {}
    for name, tenant, fields in (
        ("revoked", "default", {"revoked_at": 1}),
        ("expired", "default", {"expires_at": now - 1}),
        ("unknown", "off", {}),
    ):
        record, secret = new_key(tenant, None, fields)
        ledger.access.create_key(record, tenant_is_stored=False)
        told[name] = secret
    record, told["replaced"] = new_key("default", None, {})
    ledger.access.create_key(record, tenant_is_stored=False)
    ledger.access.change_key(record.id, lambda key: key.rotated("mr-" + "x" * 43, None, 0, now))
    told["Incorrect"] = "mr-" + "y" * 43
    for word, secret in told.items():
        with pytest.raises(Unauthenticated) as raised:
            directory.access(secret)
        assert word in raised.value.message or (word == "unknown" and "Incorrect" in raised.value.message)


def test_a_batch_finds_its_key_unless_it_is_no_more(make, ledger):
    """An expired key is found, since its batch was accepted before; a revoked one, and one of nobody, are not."""
    directory = make()
    kept = []
    for fields in ({"expires_at": 5.0, "models": ("fast",)}, {"revoked_at": 1}):
        record, _ = new_key("default", None, fields)
        ledger.access.create_key(record, tenant_is_stored=False)
        kept.append(directory.key(record.id))
    assert (kept[0].models, kept[1]) == ({"fast"}, None)
    assert directory.key("key_" + "0" * 24) is None


def test_nobody_is_a_stranger_without_redis(settings, folder):
    """Without Redis: files' keys are known, words that no key made here looks like are a 401, anything else a 503."""
    own = dataclasses.replace(settings, config_dir=folder)
    away = Ledger(CommandPipeline(connect("redis://127.0.0.1:1/0")), own)
    directory = Directory(LiveConfiguration(own, {}), own, AccessBook(away.access))
    assert directory.access("ak-demo123")[0].tenant_id == "default"
    for stranger in ("", "x", "mr-short", "mr-" + "z" * 44, "mr-" + "\udcff" * 43):
        with pytest.raises(Unauthenticated):
            directory.access(stranger)
    with pytest.raises(StoreUnavailable):
        directory.access("mr-" + "z" * 43)


def test_a_hash_tells_its_pepper_apart():
    """The same secret has another hash with a pepper, of whatever length, and the same one each time."""
    found = [digest("secret", pepper) for pepper in (None, "p" * 16, "p" * 500, None)]
    assert found[0] == found[3]
    assert len(set(found)) == 3
    assert key_hash("secret", "p" * 16) == f"blake2b:{found[1].hex()}"
