"""Figures by group, as they go over the wire: what is hidden is null."""

from pydantic import BaseModel, Field

from amont.matching.domain.fairness import Fairness, Group, Scores


class ScoresView(BaseModel):
    """The lowest score, from ten matched people on, and those that a quarter, a half and three quarters do not exceed, from twenty on."""

    lowest: int
    quartiles: tuple[int, int, int] | None

    @classmethod
    def of(cls, scores: Scores) -> "ScoresView":
        return cls(lowest=scores.lowest, quartiles=scores.quartiles)


class GroupView(BaseModel):
    """A group and its figures. Null figures are hidden: they are about fewer than five people, or would give such figures away."""

    name: str = Field(description="empty where the staff record does not say")
    people: int | None
    matched: int | None
    matched_percent: int | None
    scores: ScoresView | None = Field(description="also null when fewer than ten are matched")

    @classmethod
    def of(cls, group: Group) -> "GroupView":
        return cls(
            name=group.name,
            people=group.people,
            matched=group.matched,
            matched_percent=group.percent,
            scores=ScoresView.of(group.scores) if group.scores else None,
        )


class FairnessView(BaseModel):
    """Who was matched, and how well: everybody, and by subsidiary, function, site, grade band and role."""

    everybody: GroupView
    divisions: dict[str, list[GroupView]]

    @classmethod
    def of(cls, figures: Fairness) -> "FairnessView":
        divisions = {name: [GroupView.of(group) for group in groups] for name, groups in figures.divisions.items()}
        return cls(everybody=GroupView.of(figures.everybody), divisions=divisions)
