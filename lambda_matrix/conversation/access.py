"""Who may talk to us: globs of person ids, and deny wins."""

from fnmatch import fnmatchcase

from attrs import frozen

from lambda_matrix.ids import PersonId


@frozen
class Access:
    """The operator's policy (`[access]`)."""

    users: tuple[str, ...]
    deny: tuple[str, ...] = ()

    def allows(self, person: PersonId) -> bool:
        """Return whether this person may talk to us."""
        denied = any(fnmatchcase(person, glob) for glob in self.deny)
        return not denied and any(fnmatchcase(person, glob) for glob in self.users)
