import dataclasses

from benchmarks.folder import PROVIDER, write_configuration
from benchmarks.request import KEY, MODEL
from config.loader import load
from config.settings import Settings


def test_the_written_configuration_is_one_the_router_loads(tmp_path):
    """The loader takes the folder as it is: a usable provider without a key, an alias to it, and a tenant for it."""
    write_configuration(tmp_path, provider_port=4321, concurrency=300)
    configuration = load(dataclasses.replace(Settings(), config_dir=tmp_path))
    provider = configuration.providers[PROVIDER]
    assert provider.usable
    assert not provider.sandboxed
    assert provider.concurrency == 300
    assert provider.endpoint == "http://127.0.0.1:4321/v1"
    assert configuration.aliases[MODEL] == (f"{PROVIDER}/bench-model",)
    (tenant,) = configuration.tenants.values()
    assert tenant.api_keys == (KEY,)
    assert tenant.quotas.rate_limit_per_minute is None
