//! The file: locked, so that no server changes it, and only read.

use std::error::Error;
use std::fs::File;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rusqlite::Row;
use rusqlite::types::ValueRef;
use tokio::sync::mpsc;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use super::tables::Table;
use crate::database::error::{Result, StoreError};
use crate::database::postgres::partitions::next_month;
use crate::database::schema::Schema;
use crate::database::sqlite::readers::Readers;
use crate::database::sqlite::{Sqlite, migrations};
use crate::ledger::kinds::columns::Column;
use crate::session::Millis;

/// Rows that travel together, in one transaction.
pub(super) const CHUNK: usize = 5_000;

/// Chunks that are read ahead of Postgres.
const AHEAD: usize = 2;

/// The file.
pub(super) struct Source {
    pub(super) readers: Readers,
    _claim: File,
}

/// Some rows, in the order of the table's columns.
pub(super) type Chunk = Vec<Vec<Value>>;

/// What SQLite keeps in a field.
#[derive(Debug)]
pub(super) enum Value {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Source {
    /// Locks the file.
    ///
    /// # Errors
    /// When there is none, a server runs on it, or its schema is of another version.
    pub(super) async fn open(sqlite: &Sqlite) -> Result<Self> {
        let path = sqlite.path().display();
        if !sqlite.path().is_file() {
            return Err(StoreError::Configuration(format!("--from: there is no file {path}")));
        }
        let claim = sqlite.claim().map_err(|error| match error {
            StoreError::Claimed(path) => StoreError::Configuration(format!(
                "a visitflow server runs on {path}; stop it first, because what it stores during the migration would not be copied"
            )),
            other => other,
        })?;
        let readers = Readers::new(sqlite.clone(), 1);
        let wrong = match readers.read(|db| Ok(migrations::schema(db)?)).await? {
            Schema::Current => return Ok(Self { readers, _claim: claim }),
            Schema::Behind => format!(
                "the schema of {path} is not up to date; first run: visitflow migrate --database-url sqlite://{path}"
            ),
            Schema::Other => format!(
                "--from: the schema of {path} was made by another version of visitflow, whose tables are different; run the version that made it"
            ),
        };
        Err(StoreError::Configuration(wrong))
    }

    /// What distinguishes this installation from all others, independent of the file's name: the instant of its first
    /// migration, to the nanosecond.
    pub(super) async fn name(&self) -> Result<String> {
        let first = "SELECT applied_on FROM refinery_schema_history ORDER BY version LIMIT 1";
        self.readers.read(move |db| Ok(db.query_row(first, [], |row| row.get(0))?)).await
    }

    /// How many rows a table has.
    pub(super) async fn count(&self, table: &Table) -> Result<u64> {
        let count = format!("SELECT COUNT(*) FROM {}", table.name);
        self.readers.read(move |db| Ok(db.query_row(&count, [], |row| row.get(0))?)).await
    }

    /// One instant of each month in which facts of a table occurred, by the server's clock. What has
    /// an id from another month comes from a browser whose clock is wrong: no month is made for it.
    pub(super) async fn months(&self, table: &str) -> Result<Vec<Millis>> {
        // From month to month over the index, however many rows there are.
        let first = format!("SELECT MIN(occurred_at) FROM {table} WHERE occurred_at >= ?1");
        self.readers
            .read(move |db| {
                let mut statement = db.prepare(&first)?;
                let (mut months, mut from) = (Vec::new(), Millis::MIN);
                while let Some(at) = statement.query_row([from], |row| row.get::<_, Option<Millis>>(0))? {
                    months.push(at);
                    from = next_month(at).ok_or(StoreError::Malformed("occurred_at"))?;
                }
                Ok(months)
            })
            .await
    }

    /// The rows of a table, and the task that reads them: it runs while chunks are taken, and must be awaited after the
    /// last one.
    pub(super) fn chunks(&self, table: &'static Table) -> (mpsc::Receiver<Chunk>, Reading) {
        let (sender, chunks) = mpsc::channel(AHEAD);
        let columns: Vec<_> = table.columns().map(source).collect();
        let select = format!("SELECT {} FROM {} ORDER BY {}", columns.join(", "), table.name, table.key);
        let width = columns.len();
        let readers = self.readers.clone();
        let read = tokio::spawn(async move {
            let read = readers.read(move |db| {
                let mut statement = db.prepare(&select)?;
                let mut rows = statement.query([])?;
                let mut chunk = Vec::with_capacity(CHUNK);
                while let Some(row) = rows.next()? {
                    chunk.push((0..width).map(|column| value(row, column)).collect::<Result<_>>()?);
                    // Nobody takes it: Postgres has failed, and that error is reported.
                    if chunk.len() == CHUNK && sender.blocking_send(std::mem::take(&mut chunk)).is_err() {
                        return Ok(());
                    }
                }
                if !chunk.is_empty() {
                    let _ = sender.blocking_send(chunk); // as above
                }
                Ok(())
            });
            read.await
        });
        let reading = async move { read.await.unwrap_or(Err(StoreError::Unavailable("reading panicked"))) };
        (chunks, reading.boxed())
    }
}

/// Ends when a table was read.
pub(super) type Reading = BoxFuture<'static, Result<()>>;

fn value(row: &Row<'_>, column: usize) -> Result<Value> {
    Ok(match row.get_ref(column)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Number(number),
        ValueRef::Text(_) => Value::Text(row.get(column)?),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_owned()),
        ValueRef::Real(_) => return Err(StoreError::Malformed("number")),
    })
}

/// A column's expression in SQLite's query.
fn source(column: &Column) -> &'static str {
    if matches!(column, Column::IdTime(_)) { "id" } else { column.name() }
}

/// The time within a UUIDv7, in ms: its first 48 bits, RFC 9562 §5.7.
fn id_time(id: Uuid) -> std::result::Result<Millis, std::num::TryFromIntError> {
    Millis::try_from(id.as_u128() >> 80)
}

/// As the column wants it.
impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Number(number) if *ty == Type::INT4 => i32::try_from(*number)?.to_sql(ty, out),
            Self::Number(number) if *ty == Type::INT8 => number.to_sql(ty, out),
            Self::Number(number) if *ty == Type::BOOL => (*number != 0).to_sql(ty, out),
            Self::Text(id) if *ty == Type::UUID => id.parse::<Uuid>()?.to_sql(ty, out),
            Self::Text(id) if *ty == Type::INT8 => id_time(id.parse()?)?.to_sql(ty, out),
            Self::Text(text) if *ty == Type::TEXT => text.to_sql(ty, out),
            Self::Bytes(bytes) if *ty == Type::BYTEA => bytes.to_sql(ty, out),
            _ => Err(format!("a value that is no {ty}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true // what does not fit is refused above, by its value
    }

    to_sql_checked!();
}
