"""Checks of arguments that the compiled part would refuse in words of its own."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import SupportsIndex, TypeVar

from . import _glint
from ._errors import InvalidArgumentError

Value = TypeVar("Value")

MOST_THREADS = 1024


def choice(name: str, value: str, values: Mapping[str, Value]) -> Value:
    """What a word stands for."""
    if value in values:
        return values[value]
    raise InvalidArgumentError(f"{name}={value!r}: it is one of {', '.join(values)}")


def integer(name: str, value: SupportsIndex, least: int, most: int) -> int:
    """An integer of a range. What is none is a TypeError of Python's."""
    number = operator.index(value)
    if least <= number <= most:
        return number
    raise InvalidArgumentError(f"{name}={number}: it is {least} to {most}")


def integers(
    name: str, values: Iterable[SupportsIndex], count: int, most: int
) -> tuple[int, ...]:
    """So many integers from 0 on."""
    given = tuple(values)
    if len(given) != count:
        raise InvalidArgumentError(f"{name}={given}: it has {count} numbers")
    return tuple(integer(name, value, 0, most) for value in given)


def limits_of(limits: _glint.Limits | None) -> _glint.Limits:
    """The limits of a call."""
    if limits is None:
        return _glint.Limits()
    if isinstance(limits, _glint.Limits):
        return limits
    raise TypeError(f"limits is a {type(limits).__name__}, not a glint.Limits")
