from benchmarks.planning import SIZES, PlanCost, cost, planning, report


def test_what_is_timed_is_a_whole_plan_over_all_candidates():
    """Every candidate is in it, scored on a known price and a known latency, and none is left out."""
    for size in SIZES:
        plan = planning(size)()
        assert len(plan.candidates) == size
        assert plan.exclusions == ()
        assert all(found.cost_microusd and found.latency_ms for found in plan.candidates)


def test_more_candidates_cost_more():
    """The times are of planning: twenty candidates take longer than one."""
    assert 0 < cost(1, batches=3).least_us < cost(20, batches=3).least_us


def test_the_report_says_the_share_and_whether_the_goal_is_reached():
    """Of a request of 1,000 µs, a plan of 50 µs is 5 %; 100 µs is too much."""
    text = report({20: PlanCost(20, 50.0, 60.0)}, 1000.0)
    assert "5.0 %" in text
    assert text.endswith("< 100 µs: 50.0 µs: reached")
    assert report({20: PlanCost(20, 100.0, 100.0)}, None).endswith("NOT reached")
