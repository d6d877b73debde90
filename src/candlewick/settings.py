"""Settings: where each value comes from (environment, ``candlewick.toml``, default), checked before anything runs."""

from __future__ import annotations

import functools
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from candlewick.definitions import FLAGS, NUMBERS, Value, text_of
from candlewick.errors import FileFormatError, InputError, UnknownNameError
from candlewick.postgres_address import is_postgres

if TYPE_CHECKING:
    from pydantic_settings import BaseSettings

PREFIX = "CANDLEWICK_"
TOML = "candlewick.toml"
EXPECTED = {
    "store": "give memory:, duckdb:///path, the path of a DuckDB file or postgresql://user@host/database",
    "cache": "give a folder, which is made when it is absent",
    "sessions": "give the path of an existing CSV file of sessions",
    "control": "give the path of the control journal, in a folder that exists",
    "key": "set the variable to what `candlewick keys create` printed, all of it",
    "log_level": "give debug, info, warning or error",
    **{name: one.right for name, one in (NUMBERS | FLAGS).items()},
}
"""Every setting, with what is right for it; the flags among them are the values that a service starts with."""

KEY_FORM = re.compile("cw_[0-9a-f]{8}_[0-9a-f]{64}")
"""What a key looks like: a mark by which searches find one that went astray, its id, and 256 bits by chance."""

INNER = ("store", "cache", "sessions")
"""Settings that inner rooms and child processes look up in the environment."""


@dataclass(frozen=True)
class Setting:
    """One value in force. ``origin``: ``default``, ``environment CANDLEWICK_X`` or ``candlewick.toml``."""

    name: str
    value: str | None
    origin: str


@dataclass(frozen=True)
class Settings:
    """All values in force, in the order of ``EXPECTED``."""

    items: tuple[Setting, ...]

    def __getitem__(self, name: str) -> Setting:
        return next(item for item in self.items if item.name == name)

    def number(self, name: str) -> float:
        """A number that is set at start, such as ``grace_seconds``."""
        return float(NUMBERS[name].parse(self[name].value))

    def flags(self) -> dict[str, tuple[Value, str]]:
        """Each flag's value at start, typed, and its origin."""
        return {name: (one.parse(self[name].value), self[name].origin) for name, one in FLAGS.items()}

    def export(self) -> None:
        """Put the values of ``candlewick.toml`` into the environment, where inner rooms and child processes look."""
        for item in self.items:
            if item.name in INNER and item.origin == TOML and item.value is not None:
                os.environ[PREFIX + item.name.upper()] = item.value


def load_settings(folder: Path | None = None) -> Settings:
    """The settings in force in a working ``folder``: environment before ``candlewick.toml`` before default.

    The key of the command line comes from the environment alone, and of it the settings say only that it is set:
    ``secret_key`` has it. Raises UnknownNameError for a key or variable that is no setting, InputError for a value that
    cannot be used and FileFormatError for a ``candlewick.toml`` that is not TOML; each says where the value stands.
    """
    from pydantic_settings import EnvSettingsSource

    toml = _read(Path(TOML) if folder is None else folder / TOML)
    for name in toml:
        if name not in EXPECTED:
            raise UnknownNameError(f"key in {TOML}", name, EXPECTED)
    known = [PREFIX + name.upper() for name in EXPECTED]
    for variable in os.environ:
        if variable.startswith(PREFIX) and variable not in known:
            raise UnknownNameError("environment variable", variable, known)
    if "key" in toml:
        raise InputError(
            f"key ({TOML})", "(not shown)", "set the variable CANDLEWICK_KEY", "does not belong into a file of settings"
        )
    environment = EnvSettingsSource(_model())() | {
        name: os.environ[PREFIX + name.upper()] for name in NUMBERS | FLAGS if os.environ.get(PREFIX + name.upper())
    }
    origins = dict.fromkeys(toml, TOML) | {name: f"environment {PREFIX}{name.upper()}" for name in environment}
    values = _checked(toml | environment, origins) | {"key": None if secret_key() is None else "set"}
    if values["key"] is not None:
        origins["key"] = f"environment {PREFIX}KEY"
    return Settings(tuple(Setting(name, values[name], origins.get(name, "default")) for name in EXPECTED))


def secret_key() -> str | None:
    """The key that the command line sends, from ``CANDLEWICK_KEY``. Raises InputError, which does not show it, for one
    that is not whole."""
    given = os.environ.get(f"{PREFIX}KEY", "").strip()
    if given and not KEY_FORM.fullmatch(given):
        raise InputError(f"key (environment {PREFIX}KEY)", "(not shown)", EXPECTED["key"], "is no whole key")
    return given or None


def default_store() -> str:
    """The store used when nothing names one: a file in the user's data folder."""
    return f"duckdb:///{(_data_folder() / 'candlewick.duckdb').as_posix().removeprefix('/')}"


def _data_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("candlewick", appauthor=False))


def control_path(store: str, control: str | None = None) -> Path | None:
    """Where the control journal of a store lies: at ``control``, else beside the store's file.

    None for a store that has no file (``memory:``): then the process that serves it keeps the journal in memory.
    """
    if control is not None:
        return Path(control)
    if store.startswith("duckdb://"):
        path = store.removeprefix("duckdb://")
        file = Path(path[1:] if path[2:3] == ":" else path)  # duckdb:///C:/candles.duckdb
    elif re.match("[A-Za-z][A-Za-z0-9+.-]+:", store):
        return None
    else:
        file = Path(store)
    return file.with_name(f"{file.name}.control.sqlite")


def control_place(store: str, control: str | None = None) -> Path | str | None:
    """Where the control journal of a store is: in the database of a PostgreSQL store, else where `control_path` says.

    ``control`` may be the address of a database too.
    """
    chosen = store if control is None else control
    return chosen if is_postgres(chosen) else control_path(store, control)


def keys_path(control: Path | None) -> Path | None:
    """Where the keys of a server lie: beside its control journal. None where that is in memory."""
    if control is None:
        return None
    return control.with_name(f"{control.name.removesuffix('.sqlite').removesuffix('.control')}.keys.sqlite")


def _default_cache() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("candlewick", appauthor=False))


@functools.cache
def _model() -> type[BaseSettings]:
    from pydantic import AfterValidator, Field, FilePath
    from pydantic_settings import BaseSettings, SettingsConfigDict

    class Values(BaseSettings):
        # An empty variable is how a shell takes one back.
        model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid")

        store: Annotated[str, Field(min_length=1)] = Field(default_factory=default_store)
        cache: Annotated[Path, AfterValidator(_folder)] = Field(default_factory=_default_cache)
        sessions: FilePath | None = None
        control: Path | None = None
        log_level: Literal["debug", "info", "warning", "error"] = "info"

    return Values


def _folder(path: Path) -> Path:
    if path.exists() and not path.is_dir():
        raise ValueError("is not a folder")
    return path


def _checked(given: dict[str, Any], origins: dict[str, str]) -> dict[str, str | None]:
    from pydantic import ValidationError

    defined = NUMBERS | FLAGS
    texts: dict[str, str | None] = {
        name: text_of(one.parse(given[name], f"{name} ({origins[name]})") if name in given else one.default)
        for name, one in defined.items()
    }
    try:
        values = _model()(**{name: value for name, value in given.items() if name not in defined})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        problem = first["msg"].removeprefix("Value error, ")
        raise InputError(
            f"{name} ({origins[name]})", first["input"], EXPECTED[name], f"is refused: {problem}"
        ) from None
    return {name: None if value is None else str(value) for name, value in values.model_dump().items()} | texts


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileFormatError(
            TOML, str(file), 'give lines such as store = "candles.duckdb"', f"is no TOML: {error}"
        ) from None
    except OSError as error:
        raise InputError(TOML, str(file), "give a file that can be read", f"cannot be read: {error.strerror}") from None
