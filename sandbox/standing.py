"""The behaviours in force, by provider, and how often their faults may still strike. No I/O."""

from collections import OrderedDict
from dataclasses import dataclass, replace
from random import Random

from sandbox.behaviour import DEFAULT, Behaviour, Fault

ANY_PROVIDER = "*"
# Uses of a request's own `times` are remembered for this many different requests.
_REMEMBERED = 10_000


def of_key(provider: str, key: str) -> str:
    """What the behaviour of one of a provider's keys is kept under: no provider has a slash in its name."""
    return f"{provider}/{key}"


@dataclass(slots=True)
class _Entry:
    behaviour: Behaviour
    used: int = 0


class Standing:
    """What was set over the control route, and what one call gets of it."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._entries: dict[str, _Entry] = {}
        self._requested: OrderedDict[tuple[str, Behaviour, str], _Entry] = OrderedDict()

    def put(self, provider: str, behaviour: Behaviour) -> None:
        """Replace a provider's behaviour, or everyone's where it is `*`; that of one key is under `of_key`'s name."""
        self._entries[provider] = _Entry(behaviour)

    def get(self, provider: str) -> Behaviour:
        """What was put for exactly this name."""
        entry = self._entries.get(provider)
        return DEFAULT if entry is None else entry.behaviour

    def delete(self, provider: str) -> None:
        """Forget what was put for exactly this name; `*` forgets everyone's."""
        if provider == ANY_PROVIDER:
            self._entries.clear()
            self._requested.clear()
        else:
            self._entries.pop(provider, None)

    def resolve(self, provider: str, requested: Behaviour | None, marker: str, key: str = "") -> Behaviour:
        """What this call meets: the request's own over its key's over the provider's over everyone's.

        Its `fault` is set only if it strikes this time; the use is counted. A request's own `times` counts calls
        with the same behaviour and marker, so that a retried request recovers.
        """
        if requested is None and not self._entries:
            return DEFAULT
        behaviour, owner = DEFAULT, None
        for entry in self._layers(provider, key, requested, marker):
            behaviour = entry.behaviour.over(behaviour)
            if "fault" in entry.behaviour.given:
                owner = entry
        if behaviour.fault is None or owner is None or self._strikes(behaviour, owner):
            return behaviour
        return replace(behaviour, fault=None)

    def lasting(self, provider: str, key: str = "") -> Behaviour:
        """What a request that is no call meets: a fault only if it strikes every time, and without using it up."""
        behaviour = DEFAULT
        for entry in self._layers(provider, key, None, ""):
            behaviour = entry.behaviour.over(behaviour)
        if behaviour.times is None and behaviour.probability == 1:
            return behaviour
        return replace(behaviour, fault=None)

    def _layers(self, provider: str, key: str, requested: Behaviour | None, marker: str) -> list[_Entry]:
        names = (ANY_PROVIDER, provider, of_key(provider, key))
        layers = [self._entries.get(name) for name in names]
        if requested is not None:
            layers.append(self._remembered(provider, requested, marker))
        return [entry for entry in layers if entry is not None]

    def _remembered(self, provider: str, requested: Behaviour, marker: str) -> _Entry:
        if requested.times is None:
            return _Entry(requested)
        key = (provider, requested, marker)
        entry = self._requested.setdefault(key, _Entry(requested))
        self._requested.move_to_end(key)
        if len(self._requested) > _REMEMBERED:
            self._requested.popitem(last=False)
        return entry

    def _strikes(self, behaviour: Behaviour, owner: _Entry) -> bool:
        assert isinstance(behaviour.fault, Fault)
        if behaviour.times is not None and owner.used >= behaviour.times:
            return False
        if behaviour.probability < 1 and self._rng.random() >= behaviour.probability:
            return False
        owner.used += 1
        return True
