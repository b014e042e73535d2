"""What the doctor says of callers' keys."""

import pytest

from cli.key_diagnosis import key_facts
from config.configuration import Configuration
from config.key_hash import key_hash
from config.settings import Settings
from config.tenant import Tenant

SECRET = "a-secret-of-some-length"


def told(settings=None, *, sandbox=False, **tenant):
    """Each subject with its words, and what to do."""
    default = Tenant("default", **tenant)
    made = Configuration(providers={}, aliases={}, policies={}, tenants={"default": default}, sandbox=sandbox)
    return {fact.subject: (fact.detail, fact.remedy) for fact in key_facts(settings or Settings(), made)}


@pytest.mark.parametrize(
    ("allowed", "sandbox", "words", "remedy"),
    [
        (False, True, "work: the sandbox answers", None),
        (False, False, "are refused", "keys create"),
        (True, False, "everybody knows them", "unset it"),
    ],
)
def test_demo_keys_are_told_of(allowed, sandbox, words, remedy):
    """Whether they work, and what to do where that is not well."""
    found = told(Settings(allow_demo_key=allowed), sandbox=sandbox, api_keys=("ak-demo123",))
    detail, advice = found["demo keys"]
    assert words in detail
    assert (advice is None) if remedy is None else (remedy in advice)
    assert ("files" in found) == (not allowed and not sandbox)


def test_a_file_with_keys_of_its_own_is_well():
    """By itself or by its hash; without either it is said that none of the files' keys works."""
    for tenant in ({"api_keys": ("ak-mine",)}, {"api_key_hashes": (key_hash("ak-mine"),)}):
        assert not {"files", "demo keys"} & told(**tenant).keys()
    assert "keys create" in told()["files"][1]


def test_no_secret_is_told():
    """Whether there is an admin key and a pepper is told, and neither of them."""
    found = told(Settings(admin_key=SECRET, key_pepper=SECRET), api_keys=(SECRET,))
    assert "pepper" in found["made at run time"][0]
    assert "open" in found["admin API"][0]
    assert SECRET not in str(found)
    assert "MODEL_ROUTER_ADMIN_KEY" in told()["admin API"][0]
