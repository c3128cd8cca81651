//! Many page views in a SQLite file, without a server: a year of them, of three sites, four to a
//! visit, one visit in eight with an order.

use rusqlite::{Connection, Result};

/// 2025-11-01T00:00:00Z
const BEGUN: i64 = 1_761_955_200_000;

/// A year, in ms.
const SPAN: i64 = 365 * 86_400_000;

/// Fills the tables of a database that `visitflow migrate` has made; what is there stays.
///
/// # Errors
///
/// There are no such tables, or they hold the same rows already.
pub fn fill(database: &mut Connection, page_views: u32) -> Result<()> {
    let transaction = database.transaction()?;
    let step = SPAN / i64::from(page_views.max(1));
    transaction.execute_batch(&format!(
        "CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {page_views})
            SELECT i, {BEGUN} + i * {step} AS at, i - i % 4 AS visit, {BEGUN} + (i - i % 4) * {step} AS visit_at FROM n;
         CREATE TEMP VIEW v AS SELECT *, printf('%08x-%04x-7000-8000-%012x', at >> 16, at & 65535, i) AS id,
            printf('%08x-%04x-7000-9000-%012x', visit_at >> 16, visit_at & 65535, visit) AS visit_id,
            printf('v_00000000-0000-4000-8000-%012x', visit % 50021) AS visitor_id,
            printf('shop%d.example', visit / 4 % 3) AS site FROM n;
         INSERT INTO page_views (id, site, visit_id, occurred_at, received_at, url, path, referrer, title, device, engaged_ms, scroll_pct)
            SELECT id, site, visit_id, at, at + 40, 'https://' || site || '/products/' || i % 997, '/products/' || i % 997,
            CASE WHEN i % 4 = 0 THEN 'https://search.example/' END, 'Schöne Dinge · ' || i % 997,
            '{{\"type\":\"desktop\",\"width\":1920}}', i % 60000, i % 101 FROM v;
         INSERT INTO sessions (id, site, visitor_id, started_at, last_activity, ended_at, page_views, events, entry_url, referrer, referrer_host)
            SELECT visit_id, site, visitor_id, visit_at, MAX(at), MAX(at), COUNT(*), 0, 'https://' || site || '/',
            'https://search.example/', 'search.example' FROM v GROUP BY visit_id;
         INSERT INTO orders (site, id, visit_id, visitor_id, amount, currency, source, created_at, received_at)
            SELECT site, 'filled-' || i, visit_id, visitor_id, printf('%d.%02d', i % 300, i % 100),
            CASE i % 64 WHEN 0 THEN 'CHF' ELSE 'EUR' END, 'browser', at, at + 40 FROM v WHERE i % 32 = 0;
         DROP VIEW v;
         DROP TABLE n;"
    ))?;
    transaction.commit()
}
