"""What the switches of KMS and of S3 have alike: which calls they hold for, and draws."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar


class Settings(Protocol):
    """The settings that both have; `switches.py` and `s3_switches.py` say what they do."""

    @property
    def latency_ms(self) -> float: ...
    @property
    def throttle(self) -> float: ...
    @property
    def seed(self) -> int: ...
    @property
    def before(self) -> str: ...
    @property
    def after(self) -> str: ...
    @property
    def calls(self) -> int | None: ...
    @property
    def spare(self) -> int: ...


SettingsT = TypeVar("SettingsT", bound=Settings)


def check(settings: Settings, *, before: Collection[str], after: Collection[str]) -> None:
    """Raise ValueError for settings that mean nothing."""
    if settings.before not in before or settings.after not in after:
        raise ValueError(f"before is one of {before}, after one of {after}")
    if not 0 <= settings.throttle <= 1 or settings.latency_ms < 0:
        raise ValueError("throttle is a share from 0 to 1, latency_ms is not negative")


def _drawing(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - which calls fail has to be the same each time


@dataclass
class Board(Generic[SettingsT]):
    """The settings of now, and what they need to remember from call to call."""

    now: SettingsT
    _random: random.Random = field(default_factory=lambda: _drawing(0))
    _counted: int = 0

    def set(self, changes: dict[str, Any]) -> None:
        """Change some settings; count and draw from the start. Raises: TypeError, ValueError."""
        if "deny" in changes:
            changes["deny"] = tuple(changes["deny"])
        self.now = replace(self.now, **changes)
        self._random, self._counted = _drawing(self.now.seed), 0

    def clear(self) -> None:
        self.set(asdict(type(self.now)()))

    def counted(self, healthy: SettingsT) -> SettingsT:
        """Return what holds for a call, which is counted: `healthy`, or the settings of now."""
        self._counted += 1
        number = self._counted - self.now.spare
        is_over = self.now.calls is not None and number > self.now.calls
        return healthy if is_over or number <= 0 else self.now

    def draws_throttling(self, settings: SettingsT) -> bool:
        return bool(settings.throttle) and self._random.random() < settings.throttle
