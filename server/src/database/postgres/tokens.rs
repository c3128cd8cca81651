//! Single sessions, beside the writer: on the connections for look-ups.

use std::collections::HashMap;

use uuid::Uuid;

use super::pool::Pool;
use super::rows;
use super::statements::{Session, named};
use crate::contract::visit_owner::VisitOwner;
use crate::database::error::Result;
use crate::ledger::known::UserTokens;
use crate::session::Millis;
use crate::session::record::{RETIRED_MAX, Record, Retired};
use crate::session::token::Tag;

/// The record of a token.
///
/// # Errors
/// When Postgres is away, or a row is malformed; so for all below.
pub async fn token(pool: &Pool, tag: Tag) -> Result<Option<Record>> {
    let mut lent = pool.get().await?;
    let session = lent.session()?;
    let rows = session.query(named!("token_get"), &[&[tag.to_string()].as_slice()]).await?;
    let records = rows.iter().map(rows::record).collect::<Result<_>>()?;
    Ok(with_retired(session, records).await?.pop())
}

/// The records that were rotated, given another visit or ended at or after an instant.
///
/// # Errors
/// As above.
pub async fn changed_since(pool: &Pool, since: Millis) -> Result<Vec<Record>> {
    let mut lent = pool.get().await?;
    let session = lent.session()?;
    let rows = session.query(named!("tokens_changed"), &[&since]).await?;
    let records = rows.iter().map(rows::record).collect::<Result<_>>()?;
    with_retired(session, records).await
}

/// The sessions of a user that have not ended, those that began last first, without retired secrets.
///
/// # Errors
/// As above.
pub async fn of_user(pool: &Pool, (user_id, site, most): &UserTokens) -> Result<Vec<Record>> {
    let mut lent = pool.get().await?;
    let session = lent.session()?;
    let most = i64::try_from(*most).unwrap_or(i64::MAX);
    session.query(named!("tokens_of_user"), &[user_id, site, &most]).await?.iter().map(rows::record).collect()
}

/// The site and the visitor of a visit.
///
/// # Errors
/// As above.
pub async fn visit_owner(pool: &Pool, visit_id: Uuid) -> Result<Option<VisitOwner>> {
    let mut lent = pool.get().await?;
    let session = lent.session()?;
    let row = session.query_opt(named!("visit_owner"), &[&visit_id]).await?;
    row.as_ref().map(rows::visit_owner).transpose()
}

async fn with_retired(session: &Session, mut records: Vec<Record>) -> Result<Vec<Record>> {
    // A record that was never rotated has no retired secrets.
    let rotated = records.iter().filter(|record| record.generation > 1);
    let tags: Vec<String> = rotated.map(|record| record.tag.to_string()).collect();
    if tags.is_empty() {
        return Ok(records);
    }
    let mut retired: HashMap<Tag, Vec<Retired>> = HashMap::new();
    for row in session.query(named!("retired_of_token"), &[&tags, &(RETIRED_MAX as i64)]).await? {
        let (tag, secret) = rows::retired(&row)?;
        retired.entry(tag).or_default().push(secret);
    }
    for record in &mut records {
        record.retired = retired.remove(&record.tag).unwrap_or_default();
    }
    Ok(records)
}
