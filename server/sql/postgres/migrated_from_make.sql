-- From which file the rows came (`visitflow migrate --from`): one row, or none.
CREATE TABLE IF NOT EXISTS migrated_from (
    source      text PRIMARY KEY,                -- when the file had its first migration
    begun_at    bigint NOT NULL,
    finished_at bigint                           -- null: not every row is here yet
)
