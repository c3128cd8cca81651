//! The schema that a database has, compared with the one of this program.

use refinery::Migration;

/// A migration that was applied to a database: its version, and the checksum of its name and its text, as refinery
/// stores it.
pub(super) type Applied = (i32, String);

/// Which of this program's migrations were applied to a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// None, or the first ones: the others can be applied.
    Behind,
    /// All.
    Current,
    /// Other migrations: of a newer version, or of a build in which their text was different.
    Other,
}

impl Schema {
    /// Compares the migrations that were applied to a database, by version, with those of this program.
    pub(super) fn of(applied: &[Applied], ours: &[Migration]) -> Self {
        let mut ours: Vec<Applied> =
            ours.iter().map(|one| (one.version(), one.checksum().to_string())).collect();
        ours.sort_unstable();
        match ours.strip_prefix(applied) {
            None => Self::Other,
            Some([]) => Self::Current,
            Some(_) => Self::Behind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_behind_current_or_another_one() {
        let migration = |name: &str, sql: &str| Migration::unapplied(name, sql).unwrap();
        let ours = [migration("V2__more", "b"), migration("V1__initial", "a")];
        let [second, first] = ours.each_ref().map(|one| (one.version(), one.checksum().to_string()));
        let edited = (1, migration("V1__initial", "edited").checksum().to_string());
        let newer = (3, "3".to_owned());
        for (applied, schema) in [
            (vec![], Schema::Behind),
            (vec![first.clone()], Schema::Behind),
            (vec![first.clone(), second.clone()], Schema::Current),
            (vec![edited.clone()], Schema::Other),
            (vec![edited, second.clone()], Schema::Other),
            (vec![second.clone()], Schema::Other),
            (vec![first, second, newer], Schema::Other),
        ] {
            assert_eq!(Schema::of(&applied, &ours), schema, "{applied:?}");
        }
    }
}
