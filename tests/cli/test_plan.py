"""`model-router plan` where no API runs."""

from cli.plan import as_table


def test_an_api_that_is_away_is_one_line(run, free_ports):
    """Without a running API the command says where it looked."""
    failed = run("plan", "--model", "fast", **free_ports)
    assert failed.returncode == 1
    assert f"the API at http://127.0.0.1:{free_ports['PORT']} does not answer" in failed.stderr
    assert len(failed.stderr.splitlines()) == 1


def test_outside_the_sandbox_a_key_must_be_given(run, free_ports):
    """A key of the configuration is not used unasked where calls are real."""
    failed = run("plan", "--model", "fast", GROQ_API_KEY="x", **free_ports)
    assert failed.returncode == 1
    assert "an API key is needed" in failed.stderr
    given = run("plan", "--model", "fast", GROQ_API_KEY="x", MODEL_ROUTER_KEY="y", **free_ports)
    assert "does not answer" in given.stderr


def test_the_table_says_after_how_long_a_call_is_hedged():
    """A plan that hedges says so beside its policy, and one that does not says nothing of it."""
    found = {"policy": "eager", "candidates": [], "exclusions": []}
    assert as_table({**found, "hedge_after_ms": 812.5}).startswith("policy eager, hedged after 812 ms\n")
    assert as_table(found).startswith("policy eager\n")
