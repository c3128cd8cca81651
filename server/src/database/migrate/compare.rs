//! Whether both sides have the same content: the number of rows of each table, and the figures of every site.

use std::time::Duration;

use super::report::Report;
use super::source::Source;
use super::tables::TABLES;
use super::target::Target;
use crate::contract::reports::Selection;
use crate::database::error::Result;
use crate::database::postgres::pool::Pool;
use crate::database::postgres::reports::PostgresReports;
use crate::database::postgres::url::PostgresUrl;
use crate::database::reports::Reports;
use crate::session::Millis;

/// Compares rows and figures.
pub(super) async fn compare(source: &Source, target: &Target, url: &PostgresUrl) -> Result<Report> {
    let mut report = Report::default();
    for table in TABLES {
        let (file, postgres) = (source.count(table).await?, target.count(table).await?);
        report.tables.push((table.name, file, postgres));
        if file != postgres {
            report
                .differences
                .push(format!("{}: {file} rows in the file, {postgres} in Postgres", table.name));
        }
    }
    let file = Reports::Sqlite(source.readers.clone());
    let postgres = PostgresReports::new(Pool::patient(url)?).within(Duration::MAX);
    let postgres = Reports::Postgres(postgres);
    let mut sites = vec![None];
    while let Some(site) = sites.pop() {
        let ever = Selection { from: Millis::MIN, to: Millis::MAX, site };
        let ours = file.overview(ever.clone(), 0).await?;
        let theirs = postgres.overview(ever.clone(), 0).await?;
        if ours != theirs {
            let whose = ever.site.as_deref().unwrap_or("all sites");
            report.differences.push(format!("{whose}: {ours:?} in the file, {theirs:?} in Postgres"));
        }
        if ever.site.is_none() {
            let all = file.sites(ever.from, ever.to, u32::MAX).await?;
            report.sites = all.len();
            sites.extend(all.into_iter().map(|site| Some(site.label)));
        }
    }
    Ok(report)
}
