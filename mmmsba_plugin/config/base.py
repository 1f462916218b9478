"""Base of all settings: frozen, and strict about its keys."""

from collections.abc import Iterator
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from mmmsba_plugin.errors import ConfigError


class Config(BaseModel):
    """Base of all settings: frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def read(cls, settings: dict[str, Any]) -> Self:
        """Validate settings.

        Args:
            settings: Values by key, as read from JSON.

        Raises:
            ConfigError: A key is unknown or a value is out of bounds; the message lists the
                keys that are allowed.
        """
        try:
            return cls.model_validate(settings)
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, e['loc'])) or 'settings'}: "
                # What pydantic puts before the message of a validator of ours.
                f"{e['msg'].removeprefix('Value error, ')}"
                for e in error.errors()
            )
            # The config, this one or one inside it, that the misspelt key belongs to.
            owner: type[Config] = cls
            for key in error.errors()[0]["loc"][:-1]:
                if field := owner.model_fields.get(str(key)):
                    owner = next(_configs_in(field.annotation), owner)
            allowed = ", ".join(owner.model_fields) or "none"
            where = "" if owner is cls else f" of {owner.__name__}"
            raise ConfigError(f"{cls.__name__}: {wrong}. Allowed keys{where}: {allowed}") from error


def _configs_in(annotation: object) -> Iterator[type[Config]]:
    """Yield the configs that a field's type names, as ``dict[str, FrontEndChoice]`` does."""
    if isinstance(annotation, type) and issubclass(annotation, Config):
        yield annotation
    for inner in get_args(annotation):
        yield from _configs_in(inner)
