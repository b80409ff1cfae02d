"""What several commands need to know of the asker: how far a right reaches, so that a list holds what they may see and nothing else."""

from amont.common.errors import NotAllowed
from amont.common.identity import RIGHTS, Action, Actor, Scope

_WIDEST_FIRST = (Scope.GROUP, Scope.TENANT, Scope.SOLE, Scope.OWN)


def reach_of(actor: Actor, action: Action) -> Scope:
    """The widest scope in which the actor may do this. Raises NotAllowed when there is none."""
    rights = RIGHTS[action]
    scopes = {rights[privilege] for privilege in actor.privileges if privilege in rights}
    for scope in _WIDEST_FIRST:
        if scope in scopes:
            return scope
    raise NotAllowed(f"{action.value} is not for {', '.join(sorted(actor.privileges)) or 'nobody'}.")
