//! Tables, as several commands print them.

use crate::session::Millis;

/// The day of an instant in UTC, up to the year 9999.
pub(super) fn day(at: Millis) -> Option<String> {
    Some(jiff::Timestamp::from_millisecond(at).ok()?.strftime("%F").to_string())
}

/// Lines of cells, in columns that are as wide as their content.
pub(super) fn in_columns<const N: usize>(lines: &[[String; N]]) -> String {
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let in_columns = |line: &[String; N]| {
        let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    lines.iter().map(in_columns).collect()
}
