"""What several views share."""

from typing import Annotated, Any

from pydantic import ConfigDict, StringConstraints

from amont.matching.domain.points import Points

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


def example(one: dict[str, Any]) -> ConfigDict:
    """For a model's `model_config`: what one looks like."""
    return ConfigDict(json_schema_extra={"examples": [one]})


def points_of(points: Points) -> dict[str, int]:
    """By criterion."""
    return points._asdict()
