"""Installation of the plugin for FiftyOne, which finds plugins by walking one directory.

There is no entry point for plugins, so that ``pip install`` alone changes nothing in the App. The
folder is linked and not copied, and so follows when the package is upgraded.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from mmmsba_plugin.errors import MissingExtraError, OutputError

#: What the manifest calls the plugin, and where it goes below FiftyOne's directory.
NAME = "@mmmsba/fiftyone_ops"

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Installed:
    """Place of the installed plugin.

    Attributes:
        place: The folder that FiftyOne finds.
        message: Summary of what was done.
    """

    place: Path
    message: str


def plugins_dir() -> Path:
    """Return the directory that FiftyOne looks for plugins in.

    Raises:
        MissingExtraError: FiftyOne is not installed.
    """
    try:
        import fiftyone as fo
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"the App needs {error.name}; install it with: pip install 'mmmsba-plugin[fiftyone]'"
        ) from error
    return Path(fo.config.plugins_dir)


def install() -> Installed:
    """Link the plugin into FiftyOne's directory, unless it is there.

    A link that leads elsewhere, as an older environment leaves behind, is replaced. Where
    nothing can be linked, the folder is copied.

    Raises:
        MissingExtraError: FiftyOne is not installed.
        OutputError: A folder of one's own is in the way, or the directory cannot be written to.
    """
    directory = plugins_dir()
    place = directory / NAME
    if directory.resolve() in (HERE, HERE.parent):
        return Installed(HERE, f"already installed: {HERE} leads to {HERE}")
    if place.exists() and place.resolve() == HERE:
        return Installed(place, f"already installed: {place} leads to {HERE}")
    if place.exists() and not place.is_symlink():
        raise OutputError(
            f"{place} is a folder of its own and not a link of ours; move it away, then run "
            "`mmmsba fiftyone install` again"
        )
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        try:
            place.symlink_to(HERE, target_is_directory=True)
        except (NotImplementedError, PermissionError):
            # Windows lets only some people make links. A folder of links is refused by FiftyOne.
            shutil.copytree(HERE, place)
            return Installed(place, f"copied to {place}; do so again after each upgrade")
    except OSError as error:
        raise OutputError(
            f"cannot write to {directory}: {error.strerror or error}; choose another directory "
            "with the environment variable FIFTYONE_PLUGINS_DIR, for this command and the App"
        ) from error
    return Installed(place, f"installed: {place} leads to {HERE}")


def copies(directory: Path) -> list[Path]:
    """List the folders of a directory that hold the plugin, this one or another copy.

    Of several plugins of one name FiftyOne loads the first that it finds, whichever that is.

    Args:
        directory: Where FiftyOne looks for plugins.
    """
    manifests = directory.rglob("fiftyone.yml")
    return sorted({path.parent.resolve() for path in manifests if _names_us(path)})


def rivals() -> list[Path]:
    """List other copies of the plugin, which FiftyOne loads instead of this one or may.

    Raises:
        MissingExtraError: FiftyOne is not installed.
    """
    return [folder for folder in copies(plugins_dir()) if folder != HERE]


def _names_us(manifest: Path) -> bool:
    try:
        lines = manifest.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    return any(
        line.partition(":")[2].strip().strip("\"'") == NAME
        for line in lines
        if line.startswith("name:")
    )


def uninstall() -> Installed:
    """Take the link away, if there is one; nothing else is touched.

    Raises:
        MissingExtraError: FiftyOne is not installed.
        OutputError: It is a folder of one's own, or cannot be removed.
    """
    place = plugins_dir() / NAME
    if not place.exists() and not place.is_symlink():
        return Installed(place, f"not installed: there is no {place}")
    if not place.is_symlink():
        raise OutputError(f"{place} is a folder and not a link of ours; remove it by hand")
    place.unlink()
    return Installed(place, f"uninstalled: {place} is gone; datasets keep their labels")
