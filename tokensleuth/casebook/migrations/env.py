"""Run by Alembic; the connection, with its transaction, comes from `tokensleuth.casebook.upgrade`."""

from alembic import context

from tokensleuth.casebook.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()
