"""Lines of batches have all of a worker while it is theirs, and little of it while others come and it is late."""

from workers.gaps import LATE_S, MEMORY_S, UNBOUND, Gaps


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def gaps_at_work(lines):
    clock = Clock()
    gaps = Gaps(clock)
    for _ in range(lines):
        gaps.begin(line=True)
    return gaps, clock


def test_lines_alone_are_unbound():
    """However late the loop is: nobody else is held up."""
    gaps, _ = gaps_at_work(300)
    gaps.look(10.0)
    assert gaps.room == UNBOUND - 300


def test_others_are_given_way_while_the_loop_is_late():
    """Fewer lines are taken until it is not, but never none; those that run go on."""
    gaps, _ = gaps_at_work(300)
    gaps.begin(line=False)
    assert gaps.room == 0
    for _ in range(50):
        gaps.look(2 * LATE_S)
    for _ in range(299):
        gaps.end()
    assert gaps.room == 1


def test_lines_take_more_while_nobody_is_held_up():
    """What was given away comes back, step by step, where it is used."""
    gaps, _ = gaps_at_work(0)
    gaps.begin(line=False)
    first = gaps.room
    gaps.look(0.0)
    assert gaps.room == first
    for _ in range(first):
        gaps.begin(line=True)
    for _ in range(50):
        gaps.look(0.0)
        while gaps.room:
            gaps.begin(line=True)
    for _ in range(first):
        gaps.end()
    assert gaps.room >= first


def test_when_the_others_are_gone_lines_have_it_all_again():
    """After a while without any."""
    gaps, clock = gaps_at_work(10)
    gaps.begin(line=False)
    clock.now += MEMORY_S
    gaps.look(1.0)
    assert gaps.room == UNBOUND - 10
