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
        """Return whether this person may talk to us.

        Large and small letters are two for who may and one for who may not: whoever has a server
        may call it by another spelling of its name.
        """
        denied = any(is_one_of(person.lower(), glob.lower()) for glob in self.deny)
        return not denied and any(is_one_of(person, glob) for glob in self.users)


def is_one_of(person: str, glob: str) -> bool:
    """Return whether `glob` stands for the person; in it `*` and `?` alone are special.

    Brackets stand for themselves: there are some in ids of servers without a name, @anna:[::1].
    """
    return fnmatchcase(person, glob.replace("[", "[[]"))
