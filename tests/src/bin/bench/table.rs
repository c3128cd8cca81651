//! Medians over the rounds, in Markdown.

use crate::run::Outcome;
use crate::scripts::Scripts;
use crate::targets::Kind;
use std::fs;
use std::process::Command;
use visitflow_testkit::machine::repository;

const BEGIN: &str = "<!-- begin: cargo xtask bench --write -->";
const END: &str = "<!-- end -->";

/// The table, a line for each kind of request and server.
pub(crate) fn markdown(outcomes: &[Outcome], rounds: usize, seconds: u64) -> String {
    let mut lines = vec![
        format!("Medians of {rounds} × {seconds} s, `wrk -t2 -c64`; {}.", machine()),
        String::new(),
        "| request | server | per second | of bare | failed | p50 ms | p99 ms | server CPU s | of bare \
         | PostgreSQL CPU s | Redis CPU s | stored − acked | RSS MiB |"
            .to_owned(),
        format!("|---|---|{}", "---:|".repeat(11)),
    ];
    for hit in Scripts::HITS {
        for kind in Kind::ALL {
            let of = |kind: Kind| -> Vec<&Outcome> {
                outcomes.iter().filter(|outcome| outcome.hit == hit.name && outcome.kind == kind).collect()
            };
            if !of(kind).is_empty() {
                lines.push(row(&of(kind), &of(Kind::Bare)));
            }
        }
    }
    lines.push(String::new());
    lines.push("CPU seconds are for 100,000 requests. Ratios are those of the same round.".to_owned());
    lines.join("\n")
}

fn row(outcomes: &[&Outcome], bare: &[&Outcome]) -> String {
    let median = |figure: &dyn Fn(&Outcome) -> f64| middle(outcomes.iter().map(|one| figure(one)));
    let ratio = |figure: &dyn Fn(&Outcome) -> f64| {
        middle(outcomes.iter().zip(bare).map(|(one, bare)| figure(one) / figure(bare)))
    };
    let optional = |figure: &dyn Fn(&Outcome) -> Option<f64>| {
        let figures: Vec<f64> = outcomes.iter().filter_map(|one| figure(one)).collect();
        if figures.is_empty() { "—".to_owned() } else { format!("{:.2}", middle(figures.into_iter())) }
    };
    let first = outcomes[0];
    let failures: i64 = outcomes.iter().map(|one| one.failures).sum();
    let differences: Vec<String> =
        outcomes.iter().filter_map(|one| Some((one.rows?.0 - one.rows?.1).to_string())).collect();
    let differences = if differences.is_empty() { "—".to_owned() } else { differences.join(", ") };
    format!(
        "| {} | {} | {:.0} | {:.2} | {failures} | {:.2} | {:.2} | {:.2} | {:.2} | {} | {} | {differences} | {:.0} |",
        first.hit,
        first.kind.name(),
        median(&|one| one.per_second),
        ratio(&|one| one.per_second),
        median(&|one| one.p50_ms),
        median(&|one| one.p99_ms),
        median(&|one| one.server_cpu),
        ratio(&|one| one.server_cpu),
        optional(&|one| Some(one.store_cpu?.0)),
        optional(&|one| Some(one.store_cpu?.1)),
        median(&|one| one.resident_kib as f64 / 1024.0),
    )
}

/// The median; of an even number the mean of the two in the middle.
fn middle(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let half = figures.len() / 2;
    if figures.len() % 2 == 1 { figures[half] } else { f64::midpoint(figures[half - 1], figures[half]) }
}

fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or("unknown processor", |(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let version = Command::new("uname").arg("-sr").output().map(|output| output.stdout);
    let version = String::from_utf8_lossy(&version.unwrap_or_default()).trim().to_owned();
    format!("{cores} cores of {model}, {version}, everything on one machine")
}

/// Puts the table between the two marks of docs/performance.md, with the command that made it.
pub(crate) fn write(table: &str, command: &str) {
    let path = repository().join("docs/performance.md");
    let text = fs::read_to_string(&path).unwrap_or_else(|_| format!("# Performance\n\n{BEGIN}\n{END}\n"));
    let (before, rest) = text.split_once(BEGIN).expect("docs/performance.md has the first mark");
    let (_, after) = rest.split_once(END).expect("docs/performance.md has the second mark");
    let text = format!("{before}{BEGIN}\n\n`{command}`\n\n{table}\n\n{END}{after}");
    fs::write(&path, text).expect("docs/performance.md can be written");
    println!("\nwritten to {}", path.display());
}
