"""Finds clips whose folders are spelt otherwise than the table says, as copies of a dataset are."""

from collections.abc import Sequence
from pathlib import Path

from mmmsba_plugin.errors import DatasetError


class ClipFinder:
    """Finds clips below a folder by what their folders' names have in common.

    Args:
        root: The folder.
        spellings: Two ways to write one word, of which the name of a file may have either. Else
            its name must be right: files that are almost alike are different clips.
    """

    def __init__(self, root: Path, *, spellings: tuple[str, str]) -> None:
        self._root = root
        self._spellings = spellings
        self._folders: dict[tuple[str, ...], Path | None] = {(): root}

    def find(self, parts: Sequence[str], *, need_it: bool) -> Path:
        """Find a clip; return where it would lie, if it is not there nor needed.

        Args:
            parts: Its folders and its name, as the table spells them.
            need_it: Whether it must be there.

        Raises:
            DatasetError: It is needed and not there, or two folders are spelt alike.
        """
        *folders, name = parts
        folder = self._folder(tuple(folders))
        exact, other = self._spellings
        names = (name, name.replace(exact, other), name.replace(other, exact))
        if folder and (match := next((folder / n for n in names if (folder / n).is_file()), None)):
            return match
        if need_it:
            key = "/".join(parts)
            raise DatasetError(f"there is no {key} in {self._root}; download it again")
        return folder / name if folder else self._root.joinpath(*parts)

    def _folder(self, parts: tuple[str, ...]) -> Path | None:
        if parts not in self._folders:
            above = self._folder(parts[:-1])
            folder = above / parts[-1] if above else None
            if above and folder and not folder.is_dir():
                name = normalize_name(parts[-1])
                inner = [
                    p for p in above.iterdir() if p.is_dir() and normalize_name(p.name) == name
                ]
                if len(inner) > 1:
                    raise DatasetError(
                        f"{above} has {' and '.join(sorted(p.name for p in inner))}, and the table "
                        f"says {parts[-1]}; keep one"
                    )
                folder = inner[0] if inner else None
            self._folders[parts] = folder
        return self._folders[parts]


def normalize_name(name: str) -> str:
    """Normalize a name to the form that all its spellings have in common.

    Example:
        >>> normalize_name("Caucasian (American)") == normalize_name("Caucasian_American")
        True
    """
    return "".join(sign for sign in name.casefold() if sign.isalnum())
