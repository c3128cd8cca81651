//! `cargo xtask soak` kills the server and its stores under load. No acknowledged fact may be lost or counted twice.
//!
//! | module | holds |
//! |---|---|
//! | [`stores`] | the databases that a trial runs on |
//! | [`load`] | senders of page views with known ids |
//! | [`kills`] | repeated kill -9 of the server |
//! | [`outage`] | PostgreSQL, Redis or both are away for a while |
//! | [`questions`] | backends that ask meanwhile whose a session is |
//! | [`verdict`] | compares what is stored with what was acknowledged |

#![forbid(unsafe_code)]

mod kills;
mod load;
mod outage;
mod questions;
mod stores;
mod verdict;

use outage::Away;
use std::process::ExitCode;
use std::time::Duration;
use stores::Kind;
use verdict::Verdict;

const HELP: &str = "\
Usage: cargo xtask soak [OPTION]... [TRIAL]...

Trials (default: all):
  kills-postgres     kill -9 of the server under load, 100 times, on PostgreSQL and Redis
  kills-embedded     the same, 20 times, on SQLite
  outage-postgres    PostgreSQL is killed under 2,000 page views a second and is away for 60 s.
                     Meanwhile backends ask about sessions: no live one may be reported as dead
  outage-redis       the same with Redis
  outage-both        the same with both

Options:
  --short            Only 3 and 2 kills, and outages of 5 s
  --kills N          Number of kills
  --seconds S        Length of an outage
  --seed N           Seed for the random times of the kills (default 1)
";

/// What is asked for.
#[derive(Clone, Debug, Default)]
struct Options {
    short: bool,
    kills: Option<usize>,
    seconds: Option<u64>,
    seed: Option<u64>,
    trials: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
enum Trial {
    Kills { on: Kind, times: usize, short: usize },
    Outage(Away),
}

const TRIALS: [(&str, Trial); 5] = [
    ("kills-postgres", Trial::Kills { on: Kind::Postgres, times: 100, short: 3 }),
    ("kills-embedded", Trial::Kills { on: Kind::Embedded, times: 20, short: 2 }),
    ("outage-postgres", Trial::Outage(Away { postgres: true, redis: false })),
    ("outage-redis", Trial::Outage(Away { postgres: false, redis: true })),
    ("outage-both", Trial::Outage(Away { postgres: true, redis: true })),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|word| word == "--help" || word == "-h") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let options = match parse(&arguments) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("error: {error}\n\n{HELP}");
            return ExitCode::FAILURE;
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(soak(&options))
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut number = || {
            let text = words.next().ok_or_else(|| format!("{word} needs a number"))?;
            text.parse::<u64>().map_err(|error| format!("{text:?}: {error}"))
        };
        match word.as_str() {
            "--short" => options.short = true,
            "--kills" => options.kills = Some(usize::try_from(number()?).unwrap_or(usize::MAX)),
            "--seconds" => options.seconds = Some(number()?),
            "--seed" => options.seed = Some(number()?),
            trial if TRIALS.iter().any(|(name, _)| *name == trial) => options.trials.push(word.clone()),
            unknown => return Err(format!("there is no {unknown:?}")),
        }
    }
    Ok(options)
}

async fn soak(options: &Options) -> ExitCode {
    let mut verdicts = Vec::new();
    for (name, trial) in TRIALS {
        if options.trials.is_empty() || options.trials.iter().any(|chosen| chosen == name) {
            println!("\n=== {name}\n");
            let verdict = run(trial, options).await;
            println!("{verdict}");
            verdicts.push((name, verdict));
        }
    }
    println!("\n=== summary\n");
    for (name, verdict) in &verdicts {
        let word = if verdict.is_good() { "passed" } else { "FAILED" };
        println!("{name:<16} {word}");
    }
    let good = verdicts.iter().all(|(_, verdict): &(&str, Verdict)| verdict.is_good());
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn run(trial: Trial, options: &Options) -> Verdict {
    match trial {
        Trial::Kills { on, times, short } => {
            let times = options.kills.unwrap_or(if options.short { short } else { times });
            kills::run(on, times, options.seed.unwrap_or(1)).await
        }
        Trial::Outage(away) => {
            let seconds = options.seconds.unwrap_or(if options.short { 5 } else { 60 });
            outage::run(away, Duration::from_secs(seconds)).await
        }
    }
}
