"""Load plug-ins, one at a time, so that a broken one is a line in a list and not a stop.

pluggy's own loader ends at the first entry point that does not import: one broken
distribution would take all others down. Our own parts come through the same entry-point
group as a stranger's, so nothing here knows what they are.
"""

import logging
import os
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pluggy

from mmmsba_plugin import hookspecs
from mmmsba_plugin.errors import PluginBrokenError, PluginClashError
from mmmsba_plugin.hookspecs import PROJECT

#: Environment variable with the names of plug-ins to leave out, separated by commas.
DISABLE_VARIABLE = "MMMSBA_DISABLE_PLUGINS"

_LONGEST_REASON = 300

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PluginState:
    """One plug-in and what became of it.

    Attributes:
        name: Name of its entry point, or of its file without ``.py``.
        distribution: The distribution that it came with, or the path of its file; empty for an
            object that a host registered.
        version: Version of the distribution; empty for a file.
        state: ``disabled`` ones were not even imported.
        reason: One line: why it is broken or disabled.
    """

    name: str
    distribution: str = ""
    version: str = ""
    state: Literal["loaded", "broken", "disabled"] = "loaded"
    reason: str = ""

    def __str__(self) -> str:
        return f"plug-in {self.name!r} ({self.origin})"

    @property
    def file(self) -> str | None:
        """Path of its file; None unless it was loaded from one."""
        return self.distribution if self.distribution.endswith(".py") else None

    @property
    def origin(self) -> str:
        """Distribution and version in one, for a person."""
        return f"{self.distribution} {self.version}".strip() or "registered by the host"


@dataclass(frozen=True, slots=True)
class IsolatedHook:
    """An implementation of a hook that costs the others nothing if it fails.

    Attributes:
        function: The implementation itself.
        plugin: Name of its plug-in.
    """

    function: Callable[..., Any]
    plugin: str

    def __call__(self, *arguments: object) -> object:
        """Call it; return what it yields until it fails, and log the failure."""
        items: list[Any] = []
        with isolated() as failures:
            result = self.function(*arguments)
            if not isinstance(result, Iterable):
                return result
            # Whoever iterates would meet what a generator raises.
            items.extend(result)
        for error in failures:
            _log.warning("plug-in %r failed: %s", self.plugin, one_line(error))
        return items


class _IsolatingManager(pluggy.PluginManager):
    """A manager whose hook calls go on when a plug-in fails."""

    def register(self, plugin: Any, name: str | None = None) -> str | None:  # noqa: ANN401 - any object
        """Register a plug-in, and isolate its implementations, but for wrappers of hooks."""
        registered = super().register(plugin, name)
        for hook in self.get_hookcallers(plugin) or ():
            for implementation in hook.get_hookimpls():
                is_wrapper = implementation.wrapper or implementation.hookwrapper
                if implementation.plugin is plugin and not is_wrapper:
                    # pluggy knows no other way to stand between a call and one implementation.
                    isolated_hook = IsolatedHook(
                        implementation.function, implementation.plugin_name
                    )
                    implementation.function = isolated_hook  # type: ignore[misc]
        return registered


@dataclass(slots=True)
class _Roster:
    manager: pluggy.PluginManager
    states: list[PluginState] = field(default_factory=list)


def manager() -> pluggy.PluginManager:
    """Return the manager with every plug-in that loads; the same one at every call.

    A plug-in that raises in a call of a hook costs the others nothing: what it yielded before
    counts, and the log has the reason. :func:`entries` and :func:`lookup` also say what is
    malformed or has a name twice, and are the way to take.
    """
    return _roster().manager


def forget() -> None:
    """Drop all plug-ins; the next call looks for them anew, as after an installation."""
    _roster.cache_clear()


def states() -> tuple[PluginState, ...]:
    """Return every plug-in that was found, loaded or not."""
    roster = _roster()
    names = {state.name for state in roster.states}
    hosted = (
        PluginState(name)
        for name, plugin in roster.manager.list_name_plugin()
        if plugin is not None and name not in names
    )
    return (*roster.states, *hosted)


def call_alone(plugin: PluginState, hook: str, **arguments: object) -> list[Any]:
    """Call one plug-in's implementations of a hook; wrappers around others' have no part.

    Raises:
        Exception: Whatever it raises; call it within :func:`isolated`.
    """
    # Not `subset_hook_caller`: it needs every plug-in to be hashable, so one that is not
    # would stop the rest.
    return [
        implementation.function.function(*(arguments[name] for name in implementation.argnames))
        for implementation in getattr(manager().hook, hook).get_hookimpls()
        if implementation.plugin_name == plugin.name
        and isinstance(implementation.function, IsolatedHook)
    ]


def load_file(path: str | Path) -> PluginState:
    """Register one ``.py`` file as a plug-in, before it is packaged.

    Loading the same file again replaces what it offered, as one wants while writing it.

    Raises:
        PluginBrokenError: There is no such file, it does not import, or it offers nothing.
    """
    path = Path(path).resolve()
    if not path.is_file():
        raise PluginBrokenError(
            f"there is no plug-in file {path}; give the path of a .py file", plugin=str(path)
        )
    state = PluginState(name=path.stem, distribution=str(path))
    roster = _roster()
    for earlier in [s for s in roster.states if s.distribution == state.distribution]:
        roster.states.remove(earlier)
        roster.manager.unregister(name=earlier.name)
    if roster.manager.is_blocked(state.name):
        state = replace(state, state="disabled", reason=f"named in {DISABLE_VARIABLE}")
    elif error := _admit(roster, state, lambda: _import_file(roster.manager, path)):
        raise PluginBrokenError(
            f"the plug-in file {path} cannot be used: {one_line(error)}", plugin=str(path)
        ) from error
    roster.states.append(state)
    return state


@cache
def _roster() -> _Roster:
    roster = _Roster(_IsolatingManager(PROJECT))
    roster.manager.add_hookspecs(hookspecs)
    for name in filter(None, os.environ.get(DISABLE_VARIABLE, "").split(",")):
        roster.manager.set_blocked(name.strip())
    for point in sorted(entry_points(group=PROJECT), key=lambda point: point.name):
        dist = point.dist
        state = PluginState(point.name, dist.name if dist else "", dist.version if dist else "")
        if roster.manager.is_blocked(point.name):
            state = replace(state, state="disabled", reason=f"named in {DISABLE_VARIABLE}")
        elif error := _admit(roster, state, point.load):
            state = replace(state, state="broken", reason=one_line(error))
        roster.states.append(state)
    return roster


def _admit(roster: _Roster, state: PluginState, load: Callable[[], object]) -> BaseException | None:
    """Register what ``load`` returns, or return what was wrong with it."""
    # What a plug-in prints while it loads must not end up in somebody's `--json`.
    with isolated() as failures, redirect_stdout(sys.stderr):
        loaded = (s for s in roster.states if s.state == "loaded")
        if namesakes := [s for s in loaded if s.name == state.name]:
            raise PluginClashError(f"{namesakes[0]} already has that name; rename one of the two")
        plugin = load()
        if roster.manager.register(plugin, state.name) is None:
            raise TypeError("it leads to None")
        _check_hooks(roster.manager, plugin)
    return failures[0] if failures else None


def _check_hooks(manager: pluggy.PluginManager, plugin: object) -> None:
    """Refuse a plug-in with a misspelt hook: pluggy would take it, and never call it."""
    unknown = [
        hook.name
        for hook in manager.get_hookcallers(plugin) or ()
        if not hook.has_spec()
        and not all(i.optionalhook for i in hook.get_hookimpls() if i.plugin is plugin)
    ]
    if unknown:
        manager.unregister(plugin)
        names = ", ".join(sorted(n for n in vars(hookspecs) if n.startswith("forensics_")))
        raise AttributeError(f"no hook is called {unknown[0]!r}; hooks: {names}")


def _import_file(manager: pluggy.PluginManager, path: Path) -> ModuleType:
    name = f"_{PROJECT}_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("it is not a .py file")
    module = module_from_spec(spec)
    # pydantic and dataclasses look a class's module up by its name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    if not any(manager.parse_hookimpl_opts(module, name) for name in dir(module)):
        raise ImportError("no function in it is marked @hookimpl, so it offers nothing")
    return module


@contextmanager
def isolated() -> Iterator[list[BaseException]]:
    """Run the code of a plug-in; the errors that it raises are put into the yielded list."""
    failures: list[BaseException] = []
    try:
        yield failures
    except KeyboardInterrupt:
        raise
    # SystemExit, and the panics of compiled extensions, are no Exception.
    except BaseException as error:  # noqa: BLE001 - whatever it is, it must not stop the rest
        failures.append(error)


def one_line(error: BaseException) -> str:
    """Format an error in one line, short enough for a table."""
    text = f"{type(error).__name__}: {error}".removesuffix(": ")
    return textwrap.shorten(text, _LONGEST_REASON, placeholder=" …")
