"""Where a person stands between two subsidiaries, in which they have two ids. What is not here: the steps of a move (`moving`)."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Who somebody was in another subsidiary (`former`) and whether what they took part in there has `arrived`; who they are now in another one
    (`successor`) and whether that is `handed_over`. `given_up` are those whom they claimed to have been and who may not have heard that they do no more.
    """

    former: str | None = None
    arrived: bool = False
    successor: str | None = None
    handed_over: bool = False
    given_up: tuple[str, ...] = ()

    @property
    def arriving(self) -> bool:
        return self.former is not None and not self.arrived

    @property
    def open(self) -> bool:
        """Whether there may be a step to take."""
        return self.arriving or bool(self.given_up) or (self.successor is not None and not self.handed_over)

    def naming(self, former: str | None) -> "Move":
        """With whom the newest record names. What has arrived has arrived, whatever is said of it later; but who has gone on from here since may come
        back from wherever they have been.
        """
        if former == self.former or (self.arrived and not (self.handed_over and former)):
            return self
        claimed = (self.former,) if self.former and not self.arrived else ()
        given_up = tuple(one for one in dict.fromkeys((*self.given_up, *claimed)) if one != former)
        return replace(self, former=former, arrived=False, given_up=given_up)

    def hand_over(self) -> "Move":
        """For good. Who goes back to where they came from may come from there again."""
        back = self.successor == self.former
        return replace(self, handed_over=True, former=None if back else self.former, arrived=self.arrived and not back)

    def arrive(self) -> "Move":
        """What they took part in is here; so it is handed over to nobody any more, should it have been."""
        return replace(self, arrived=True, successor=None if self.handed_over else self.successor, handed_over=False)

    def without(self, person: str) -> "Move":
        """Somebody who is erased is named no more; what was handed over stays so."""
        return replace(
            self,
            former=None if self.former == person else self.former,
            successor=None if self.successor == person else self.successor,
            given_up=tuple(one for one in self.given_up if one != person),
        )
