//! Notes how a page view was engaged with. The greatest figures stay, so the order does not matter.
//!
//! Serialised by nothing.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ledger::changes::Engagement;
use crate::ledger::known::Wants;
use crate::ledger::rules::{Answer, Held, Rules};
use crate::ledger::world::World;
use crate::session::{Millis, Ttl};

/// Note how a page view was engaged with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engage {
    /// The visit of the session that says so.
    pub visit_id: Uuid,
    /// The page view.
    pub page_view_id: Uuid,
    /// Milliseconds visible and focused.
    pub engaged_ms: i64,
    /// Greatest scroll depth in per cent.
    pub scroll_pct: i64,
}

/// Its outcome. Nothing reads it.
pub type Outcome = ();

impl Rules for Engage {
    type Outcome = Outcome;

    fn wants(&self, wants: &mut Wants, _: Ttl) {
        wants.visits.insert(self.visit_id);
    }

    fn apply<'c>(&'c self, world: &mut World<'_, 'c>) {
        let Self { visit_id, page_view_id, engaged_ms, scroll_pct } = *self;
        if let Some(row) = world.visit(visit_id) {
            let site = row.visit.site.clone();
            world.engage(Engagement { site, page_view_id, visit_id, engaged_ms, scroll_pct });
        }
    }

    fn provisional(&self, _: Held<'_>, _: Ttl) -> Option<Answer<Outcome>> {
        Answer::kept((), None)
    }

    fn now(&self) -> Option<Millis> {
        None
    }

    fn is_of_ping(&self) -> bool {
        true
    }

    fn set_aside(&self) -> Option<Outcome> {
        Some(())
    }
}
