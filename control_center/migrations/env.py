"""Alembic's entry. Called by control_center.database.migration with an open connection."""

from alembic import context

from control_center.database.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
