"""What is promised of a reader, held against all that members of a group do and the broker takes, as it happens."""

MOST_COMPLAINTS = 5


class Judge:
    """`prefix` says of each partition up to where every record has been handled by somebody; `again` what was handled more than once."""

    def __init__(self, partitions: int) -> None:
        self.prefix, self._position = [0] * partitions, [0] * partitions
        self.again: list[tuple[int, int]] = []
        self.complaints: list[str] = []

    def complain(self, what: str) -> None:
        if len(self.complaints) < MOST_COMPLAINTS:
            self.complaints.append(what)

    def begins(self, who: str, partition: int, first: int) -> None:
        """Nobody takes a record before those before it have been handled."""
        if first > self.prefix[partition]:
            self.complain(f"{who} takes {partition}:{first} before {self.prefix[partition]} has been handled")

    def handled(self, partition: int, first: int, last: int) -> None:
        prefix = self.prefix[partition]
        if first < prefix:
            self.again.append((partition, first))
        if first <= prefix:  # what is beyond has been complained about, and what was skipped stays open
            self.prefix[partition] = max(prefix, last + 1)

    def committed(self, partition: int, position: int) -> None:
        """No position is behind a record that nobody has handled, nor goes back."""
        if position < self._position[partition]:
            self.complain(f"position {partition}:{position} is committed behind {self._position[partition]}")
        self._position[partition] = position
        if position > self.prefix[partition]:
            self.complain(f"position {partition}:{position} is committed, and {self.prefix[partition]} has not been handled")
