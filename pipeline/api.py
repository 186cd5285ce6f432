"""Dagger's decorators, typed.

dagger-io 0.21.8 leaves `cache` out of the overloads of `function`, and hides from type checkers that an object type is
a dataclass. These wrappers say both; they change nothing at run time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import dagger
from typing_extensions import dataclass_transform

P = ParamSpec("P")
R = TypeVar("R")
Class = TypeVar("Class", bound=type)


@dataclass_transform(kw_only_default=True, field_specifiers=(dagger.field, dataclasses.field))
def object_type(cls: Class) -> Class:
    """Make a class an object of the module.

    Args:
        cls: The class; its annotated attributes become the object's state.

    Returns:
        The class, as a dataclass.
    """
    return dagger.object_type(cls)


def cached(policy: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a method a function of the module whose answer is kept otherwise than for the default of 7 days.

    Args:
        policy: `never`, `session`, or a duration such as `12h`.

    Returns:
        The decorator.
    """
    function: Any = dagger.function
    return cast("Callable[[Callable[P, R]], Callable[P, R]]", function(cache=policy))
