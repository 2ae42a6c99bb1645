"""Applies the Alembic migrations that ship beside this module; imported only when one is due."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from tokensleuth.casebook.schema import HEAD


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's settings without a file; `env.py` finds the connection in the attributes."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def upgrade(connection: Connection) -> None:
    """Bring the database to HEAD inside the transaction the caller holds."""
    command.upgrade(alembic_config(connection), HEAD)
