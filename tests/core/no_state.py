"""A state that keeps nothing, for engines that are to begin from nothing."""

from headcount.state import Saved, Update


class NoState:
    """Keeps nothing."""

    notices: tuple[str, ...] = ()

    def load(self, *, counted: bool = True) -> Saved:
        """Nothing was kept."""
        return Saved()

    def load_counted(self, saved: Saved) -> None:
        """Nobody was counted."""

    def save(self, update: Update) -> None:
        """Keeps nothing."""

    def close(self) -> None:
        """There is nothing to let go of."""
