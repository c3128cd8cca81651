//! Compares what is stored with what was acknowledged.

use crate::load::Sent;
use crate::stores::Stand;
use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

/// How long after its return a store may take to have everything.
const CATCH_UP: Duration = Duration::from_secs(60);

/// Figures, and what must not be.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    figures: Vec<String>,
    violations: Vec<String>,
}

impl Verdict {
    /// Nothing was violated.
    pub(crate) fn is_good(&self) -> bool {
        self.violations.is_empty()
    }

    /// A figure to print.
    pub(crate) fn note(&mut self, figure: String) {
        self.figures.push(figure);
    }

    /// A violation, unless it is true.
    pub(crate) fn expect(&mut self, truth: bool, otherwise: impl FnOnce() -> String) {
        if !truth {
            self.violations.push(otherwise());
        }
    }

    /// Waits until the database has as many page views as were acknowledged: what waits in the
    /// spool is on its way from this moment on.
    pub(crate) async fn all_stored_after(&mut self, stand: &Stand, sent: &Sent, moment: Instant) {
        let acknowledged = count(sent.acknowledged.len());
        loop {
            let stored = stand.server.number("SELECT COUNT(*) FROM page_views");
            if stored >= acknowledged {
                self.note(format!("all stored after {:.1} s", moment.elapsed().as_secs_f64()));
                return;
            }
            if moment.elapsed() > CATCH_UP {
                let missing = acknowledged - stored;
                self.expect(false, || format!("{missing} are still not stored after {CATCH_UP:?}"));
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Nothing is lost, nothing is there twice, and everybody came once.
    pub(crate) async fn judge(&mut self, stand: &Stand, sent: &Sent) {
        let server = &stand.server;
        // Read before the rows: what a report counts may be a moment ahead of the database.
        let key = server.add_key("soak").await;
        let overview = server.overview(&key, "").await;
        let rows = server.texts("SELECT id FROM page_views");
        let stored: BTreeSet<&str> = rows.iter().map(String::as_str).collect();
        let acknowledged: BTreeSet<&str> = sent.acknowledged.iter().map(String::as_str).collect();
        let missing = acknowledged.difference(&stored).count();
        let twice = rows.len() - stored.len();
        let visitors = count(sent.visitors.len());
        let visits = server.number("SELECT COUNT(*) FROM sessions");
        self.note(format!(
            "{} acknowledged, {} stored, {missing} missing, {twice} twice; {visitors} visitors, {visits} visits",
            acknowledged.len(),
            rows.len()
        ));
        self.expect(sent.unanswered.is_empty(), || {
            format!(
                "{} were never acknowledged, the first is {:?}",
                sent.unanswered.len(),
                sent.refused.first()
            )
        });
        self.expect(missing == 0, || format!("{missing} acknowledged page views are lost"));
        self.expect(twice == 0, || format!("{twice} page views are stored twice"));
        self.expect(visits == visitors, || format!("{visitors} visitors made {visits} visits"));
        let counted = server.number("SELECT CAST(SUM(page_views) AS bigint) FROM sessions");
        let stored = count(rows.len());
        self.expect(counted == stored, || {
            format!("the visits count {counted} page views, but {stored} are stored")
        });
        for (name, exact) in
            [("page_views", stored), ("total_visits", visitors), ("unique_visitors", visitors)]
        {
            let found = &overview[name];
            self.expect(*found == exact, || format!("the overview's {name} is {found}, not {exact}"));
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for figure in &self.figures {
            writeln!(to, "  {figure}")?;
        }
        for violation in &self.violations {
            writeln!(to, "  VIOLATION: {violation}")?;
        }
        Ok(())
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
