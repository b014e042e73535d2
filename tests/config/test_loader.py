"""The loader: what sound files become, and how broken ones are refused."""

from dataclasses import replace
from decimal import Decimal

import pytest

from config.configuration import ConfigurationError
from config.key_hash import key_hash
from config.loader import load
from config.provider import Price
from config.tenant import TenantQuotas


def refusal(settings, environ=None):
    """The whole message of the error that loading raises."""
    with pytest.raises(ConfigurationError) as caught:
        load(settings, environ or {})
    return str(caught.value)


def test_agreed_shapes_load_unchanged(settings):
    """Files in the agreed shapes load from a folder outside the project that holds nothing else."""
    loaded = load(settings, {})
    groq = loaded.providers["groq"]
    assert (groq.limits.requests_per_minute, groq.limits.requests_per_day) == (30, 14400)
    model = loaded.providers["hugging-face"].models["openai/gpt-oss-20b"]
    assert model.price == Price(Decimal("0.1"), Decimal("0.5"), Decimal("0.05"))
    assert model.capabilities == {"chat", "tools"}
    assert loaded.aliases["gpt-3.5-turbo"][1] == "google-gemini/gemini-2.5-flash"
    assert loaded.policies["cost-optimized"].max_latency_s == 2.0
    assert loaded.policies["cost-optimized"].exploration == 0.05
    assert loaded.policies["cost-optimized"].weights.cost > loaded.policies["balanced"].weights.cost
    assert loaded.tenants["default"].quotas.daily_requests == 1000


def test_a_tenant_has_the_limits_that_are_written(settings, edit):
    """Those of the fixed shape and ours beside them; what is left out, or null, is no limit."""
    written = {"rate_limit_per_minute": 1, "tokens_per_minute": 2, "daily_tokens": 3, "monthly_tokens": 4}
    written |= {"concurrent_jobs": 5, "queued_jobs": 0, "daily_requests": None}
    edit("tenants/default.json", "quotas", written)
    quotas = load(settings, {}).tenants["default"].quotas
    assert quotas == TenantQuotas(**written)
    assert (quotas.monthly_requests, quotas.max_tokens_per_request) == (None, None)


@pytest.mark.parametrize(("written", "share"), [(False, None), (None, None), (True, 0.95), (90, 0.9)])
def test_a_policy_hedges_only_where_it_says_so(settings, edit, written, share):
    """Hedging is off unless a policy turns it on, at the 95th percentile or at one it names."""
    edit("policies/routing.json", "balanced.hedge", written)
    policies = load(settings, {}).policies
    assert (policies["balanced"].hedge, policies["cost-optimized"].hedge) == (share, None)


def test_a_row_may_say_whether_it_collects_data(settings, edit):
    """What the operator states is kept, and silence is neither yes nor no."""
    edit("providers.json", "groq.collects_data", to=False)
    loaded = load(settings, {})
    assert loaded.providers["groq"].collects_data is False
    assert loaded.providers["google-gemini"].collects_data is None


def test_enterprise_form(settings):
    """The enterprise form loads: a top-level policy goes first, its underscore is a hyphen, and ms become seconds."""
    tenant = load(settings, {}).tenants["enterprise"]
    assert tenant.routing_policy == "performance-first"
    assert (tenant.primary_provider, tenant.fallback_order) == ("google-gemini", ("groq",))
    assert (tenant.features.timeout_s, tenant.features.retry_attempts) == (1.5, 3)
    assert tenant.active


def test_sandbox_stands_in_for_every_enabled_provider(settings, edit):
    """Without any key the sandbox stands in at the same path; a disabled provider stays out."""
    edit("providers.json", "hugging-face.enabled", to=False)
    loaded = load(settings, {})
    assert loaded.sandbox
    groq, gemini, hugging_face = (loaded.providers[name] for name in ("groq", "google-gemini", "hugging-face"))
    assert groq.endpoint == f"{settings.sandbox_base_url}/groq/openai/v1/chat/completions"
    assert gemini.endpoint.endswith("/google-gemini/v1beta/models/gemini-1.5-flash-latest:generateContent")
    assert groq.sandboxed
    assert groq.usable
    assert not hugging_face.usable
    assert hugging_face.unusable_reason == "disabled"


def test_one_key_ends_the_sandbox(settings):
    """With one key its provider is real and the others, which have none, are not usable."""
    loaded = load(settings, {"GROQ_API_KEY": "x"})
    assert not loaded.sandbox
    assert loaded.providers["groq"].usable
    assert loaded.providers["groq"].endpoint.startswith("https://api.groq.com/")
    assert not loaded.providers["google-gemini"].usable
    assert "GOOGLE_API_KEY is not set" in loaded.providers["google-gemini"].unusable_reason


@pytest.mark.parametrize("value", ["", "   "])
def test_blank_key_is_no_key(settings, value):
    """A key variable that is blank is not a key."""
    assert load(settings, {"GROQ_API_KEY": value}).sandbox


def test_disabled_provider_with_a_key_is_not_real(settings, edit):
    """A key of a disabled provider does not end the sandbox."""
    edit("providers.json", "groq.enabled", to=False)
    assert load(settings, {"GROQ_API_KEY": "x"}).sandbox


def test_null_key_variable_is_a_local_server(settings, edit):
    """`"api_key_env": null` is a real server without a key; an absent variable is a hosted one nobody can reach."""
    edit("providers.json", "groq.api_key_env", None)
    edit("providers.json", "google-gemini.api_key_env", ...)
    loaded = load(settings, {})
    assert not loaded.sandbox
    assert loaded.providers["groq"].keyless
    assert loaded.providers["groq"].usable
    assert not loaded.providers["google-gemini"].keyless
    assert loaded.providers["google-gemini"].unusable_reason == "no key: its row names no api_key_env"


def test_comment_keys_are_left_out(settings, edit):
    """Keys that begin with _ or $ are comments anywhere."""
    edit("providers.json", "_note", "ours")
    edit("providers.json", "groq.$comment", ["anything"])
    assert set(load(settings, {}).providers) == {"groq", "google-gemini", "hugging-face"}


@pytest.mark.parametrize(
    ("file", "path", "value", "expected"),
    [
        ("providers.json", "groq.endpoint", ..., "providers.json: groq.endpoint: missing; expected an http"),
        ("providers.json", "groq.endpoint", "ftp://x", "groq.endpoint: expected an http"),
        ("providers.json", "groq.endpoint", "https://user:pw@host/", "groq.endpoint: expected an http"),
        ("providers.json", "groq.endpoint", "https://host:99999/", "groq.endpoint: expected an http"),
        ("providers.json", "groq.enabled", "true", "groq.enabled: expected true or false"),
        ("providers.json", "groq.enabled", 1, "groq.enabled: expected true or false"),
        ("providers.json", "groq.collects_data", "no", "groq.collects_data: expected true or false"),
        ("providers.json", "groq.type", "grok", "groq.type: unknown dialect; did you mean 'groq'?"),
        ("providers.json", "groq.name", "other", "groq.name: expected 'groq', the row's own key"),
        (
            "providers.json",
            "groq.limits.requests_per_minute",
            "30",
            "groq.limits.requests_per_minute: expected a whole",
        ),
        (
            "providers.json",
            "groq.limits.requests_per_minute",
            True,
            "groq.limits.requests_per_minute: expected a whole",
        ),
        ("providers.json", "groq.limits.requests_per_minuet", 3, "did you mean 'requests_per_minute'?"),
        ("providers.json", "groq.endpont", "x", "groq.endpont: unknown field; did you mean 'endpoint'?"),
        ("providers.json", "groq.models", {'a "b"': {}}, "expected a model name as the key"),
        ("providers.json", "groq.models", {"a/../b": {}}, "expected a model name as the key"),
        ("providers.json", "groq.models", {"a": {"price": {"input": 1}}}, "groq.models.a.price.output: missing"),
        (
            "providers.json",
            "groq.models",
            {"a": {"price": {"input": -1, "output": 1}}},
            "price.input: expected a number",
        ),
        ("providers.json", "groq.headers", {"Authorization": "Bearer x"}, "groq.headers: expected no Authorization"),
        (
            "providers.json",
            "google-gemini.capabilities",
            ["chat", "responses"],
            "google-gemini.capabilities: expected no 'responses'",
        ),
        (
            "providers.json",
            "google-gemini.models",
            {"m": {"capabilities": ["responses"]}},
            "google-gemini.models.m.capabilities: expected no 'responses'",
        ),
        ("providers.json", "groq.headers", {"X-A": "a\nb"}, "groq.headers.X-A: expected visible ASCII text"),
        ("providers.json", "groq", [], "groq: expected an object"),
        ("providers.json", "a b", {"type": "groq", "endpoint": "http://h"}, "expected a provider's name as the key"),
        ("models.json", "m", [], "models.json: m: expected a list of strings, each a deployment"),
        ("models.json", "m", ["nowhere/x"], "models.json: m[0]: unknown provider; known are: google-gemini, groq"),
        ("models.json", "m", ["grok/x"], "m[0]: unknown provider; did you mean 'groq'?"),
        ("models.json", "m", ["groq"], "m[0]: expected provider/model"),
        ("models.json", "m", ["groq/a", "groq/a"], "m[1]: this deployment (provider/model) is given twice"),
        ("models.json", "m n", ["groq/a"], "expected a model name as the key"),
        ("policies/routing.json", "balanced.weights.cost", 0.5, "balanced.weights: expected weights that sum to 1"),
        (
            "policies/routing.json",
            "balanced.weights.cost",
            -0.3,
            "balanced.weights.cost: expected a number from 0 to 1",
        ),
        ("policies/routing.json", "balanced.strategy", "balancd", "strategy; did you mean 'balanced'?"),
        ("policies/routing.json", "balanced.min_uptime", 90, "balanced.min_uptime: expected a number from 0 to 1"),
        ("policies/routing.json", "balanced.exploration", 5, "balanced.exploration: expected a number from 0 to 1"),
        (
            "policies/routing.json",
            "balanced.hedge",
            "yes",
            "balanced.hedge: expected true (the 95th percentile), false",
        ),
        ("policies/routing.json", "balanced.hedge", 0.95, "false or a percentile from 50 to 99.9"),
        ("policies/routing.json", "balanced.hedge", 100, "balanced.hedge: expected true"),
        ("policies/routing.json", "mine", {}, "mine.strategy: missing"),
        ("tenants/default.json", "providers.enabled", ["groc"], "unknown provider; did you mean 'groq'?"),
        ("tenants/default.json", "providers", ..., "tenants/default.json: providers: missing"),
        (
            "tenants/default.json",
            "providers.primary",
            "anthropic",
            "expected one of providers.enabled, not 'anthropic'",
        ),
        ("tenants/default.json", "routing_policy", "blanced", "unknown policy; did you mean 'balanced'?"),
        ("tenants/default.json", "tenant_id", "a b", "tenant_id: expected a tenant's id"),
        (
            "tenants/default.json",
            "tenant_id",
            "enterprise",
            "tenant_id: 'enterprise' is also the id in tenants/default",
        ),
        ("tenants/default.json", "status", "asleep", "status: expected active, inactive or suspended"),
        ("tenants/default.json", "quotas.daily_requests", -1, "quotas.daily_requests: expected a whole number from 0"),
        ("tenants/default.json", "quotas.daily_requests", 1.5, "quotas.daily_requests: expected a whole number"),
    ],
)
def test_broken_place_is_named(settings, edit, file, path, value, expected):
    """A broken field is refused with its file, its place and what was expected."""
    edit(file, path, value)
    assert expected in refusal(settings)


def test_shared_key_is_refused_without_being_shown(settings, edit):
    """A key of two tenants is refused by place, and no error quotes a key."""
    edit("tenants/default.json", "api_keys", ["ak-demo123", "ak-secret-two"])
    message = refusal(settings)
    assert "tenants/enterprise.json: api_keys[1]: this key is also in tenants/default.json" in message
    edit("tenants/default.json", "api_keys", ["ak-secret with blank"])
    message += refusal(settings)
    assert "api_keys[0]: expected a key of visible ASCII" in message
    assert "ak-secret" not in message


def test_a_key_and_its_hash_are_one_key(settings, edit):
    """A hash that is another tenant's key is refused by place, with or without a pepper; one that is none is, too."""
    for own in (settings, replace(settings, key_pepper="a pepper of some length")):
        edit("tenants/default.json", "api_key_hashes", [key_hash("ak-secret-one", own.key_pepper)])
        assert "api_keys[0]: this key is also in tenants/default.json" in refusal(own)
        edit("tenants/default.json", "api_key_hashes", [key_hash("ak-another", own.key_pepper)])
        load(own, {})
    edit("tenants/default.json", "api_key_hashes", ["ak-secret-one"])
    message = refusal(settings)
    assert "api_key_hashes[0]: expected a hash as `model-router keys hash` prints it" in message
    assert "ak-secret" not in message


def test_a_tenant_needs_no_key_in_its_file(settings, edit):
    """Its keys may be made at run time."""
    edit("tenants/default.json", "api_keys", ...)
    assert load(settings, {}).tenants["default"].api_keys == ()


def test_problems_of_all_files_come_together(settings, edit):
    """One attempt reports every broken file, and every broken field of each."""
    edit("providers.json", "groq.endpoint", "nope")
    edit("providers.json", "google-gemini.enabled", 3)
    edit("models.json", "m", "groq/a")
    (settings.config_dir / "tenants" / "default.json").write_text("{")
    message = refusal(settings)
    for place in ("groq.endpoint", "google-gemini.enabled", "models.json: m:", "tenants/default.json: expected JSON"):
        assert place in message


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "expected JSON; line 1 column 1"),
        (b"[]", "expected a JSON object"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": {"x": 1, "x": 2}}', "the key 'x' is given twice in one object"),
        (b'{"a": "\xff"}', "expected UTF-8 text; byte 7 is not"),
        (b"\xfe\xff\x00{", "expected UTF-8 text; byte 0 is not"),
        (b"[" * 200_000, "this is nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "expected JSON"),
    ],
)
@pytest.mark.parametrize("file", ["providers.json", "models.json", "policies/routing.json", "tenants/default.json"])
def test_not_strict_json(settings, file, content, expected):
    """Every file must be one strict JSON object in UTF-8."""
    (settings.config_dir / file).write_bytes(content)
    assert f"{file}: " in refusal(settings)
    assert expected in refusal(settings)


@pytest.mark.parametrize("file", ["providers.json", "models.json", "policies/routing.json"])
def test_missing_file(settings, file):
    """A missing file is named."""
    (settings.config_dir / file).unlink()
    assert f"{file}: the file is missing" in refusal(settings)


def test_missing_folders(settings, tmp_path):
    """A missing folder is named, and so is a tenants folder that is missing or empty."""
    for path in (settings.config_dir / "tenants").iterdir():
        path.unlink()
    assert "tenants: expected at least one tenant" in refusal(settings)
    (settings.config_dir / "tenants").rmdir()
    assert "tenants: expected a folder of tenants" in refusal(settings)
    settings.config_dir.rename(tmp_path / "gone")
    assert "expected a folder; set MODEL_ROUTER_CONFIG" in refusal(settings)


def test_file_that_is_a_folder(settings):
    """A folder where a file should be is a clear error."""
    (settings.config_dir / "models.json").unlink()
    (settings.config_dir / "models.json").mkdir()
    assert "models.json: the file cannot be read" in refusal(settings)


def test_byte_order_mark_is_allowed(settings):
    """A file an editor saved with a byte order mark loads."""
    path = settings.config_dir / "models.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load(settings, {}).aliases


def test_an_alias_that_embeds_stands_for_one_model(settings, edit):
    """Vectors of two models cannot be compared: an alias may list several accounts of one model, and no second one."""
    models = {"embed-3": {"capabilities": ["embeddings"]}}
    edit("providers.json", "groq.models", models)
    edit("models.json", "m", ["google-gemini/maker/Embed-3", "groq/embed-3", "hugging-face/embed-3:tag"])
    assert "m" in load(settings, {}).aliases
    edit("models.json", "m", ["groq/embed-3", "google-gemini/embed-3-large"])
    expected = "m[1]: expected another deployment of embed-3, whose vectors this alias stands for, not 'embed-3-large'"
    assert expected in refusal(settings)
