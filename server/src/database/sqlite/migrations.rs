//! Brings the schema up to date, in one process at a time.

use rusqlite::{Connection, TransactionBehavior};

use crate::database::schema::{Applied, Schema};

mod embedded {
    refinery::embed_migrations!("sql/sqlite/migrations");
}

/// The schema of the file. An empty file, or a database of another program, counts as behind.
///
/// # Errors
/// When the database refuses.
pub fn schema(db: &Connection) -> rusqlite::Result<Schema> {
    let mut applied: Vec<Applied> = Vec::new();
    if db.table_exists(None, "refinery_schema_history")? {
        let history = "SELECT version, checksum FROM refinery_schema_history ORDER BY version";
        let mut history = db.prepare(history)?;
        let rows = history.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        applied = rows.collect::<rusqlite::Result<_>>()?;
    }
    Ok(Schema::of(&applied, embedded::migrations::runner().get_migrations()))
}

/// Brings the schema up to date. All missing migrations are applied in one transaction, which holds the write lock. If
/// several processes begin at once, one applies them. The others have read what is missing before they got the lock, so
/// they fail on the tables that exist by now, and find nothing missing when they try again.
///
/// # Errors
/// When a migration fails; then none is applied.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), refinery::Error> {
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    let runner = embedded::migrations::runner().set_grouped(true);
    let report = runner.run(connection).or_else(|_| runner.run(connection))?;
    for migration in report.applied_migrations() {
        tracing::info!(version = migration.version(), name = migration.name(), "migration applied");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use refinery::Target;

    use super::*;

    #[test]
    fn a_migration_that_fails_leaves_nothing_behind() {
        let mut db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE erasures (x)").unwrap(); // in the way of V3
        migrate(&mut db).unwrap_err();
        assert!(!db.table_exists(None, "sessions").unwrap());
    }

    #[test]
    fn a_file_of_the_version_before_is_brought_up_to_date_with_what_it_holds() {
        let mut db = Connection::open_in_memory().unwrap();
        embedded::migrations::runner().set_target(Target::Version(2)).run(&mut db).unwrap();
        assert_eq!(schema(&db).unwrap(), Schema::Behind);
        db.execute_batch(
            "INSERT INTO sessions (id, site, started_at, last_activity) VALUES ('a', 'shop.example', 1, 2);
             INSERT INTO page_views (id, site, occurred_at, received_at, url, path) VALUES ('b', 's', 1, 1, 'u', 'p')",
        )
        .unwrap();
        migrate(&mut db).unwrap();
        assert_eq!(schema(&db).unwrap(), Schema::Current);
        let counts = "SELECT (SELECT COUNT(*) FROM sessions) + (SELECT COUNT(*) FROM page_views) + (SELECT COUNT(*) FROM erasures)";
        assert_eq!(db.query_row(counts, [], |row| row.get::<_, i64>(0)).unwrap(), 2);
    }
}
