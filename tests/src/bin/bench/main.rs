//! `cargo xtask bench`: the speed of the server, compared with a bare HTTP server on this machine.
//!
//! | module | holds |
//! |---|---|
//! | [`bare`] | the limit: a server that reads the body and answers 204 |
//! | [`scripts`] | what wrk is to send |
//! | [`targets`] | the servers, and the stores that they use |
//! | [`run`] | one run of wrk, and what it took |
//! | [`table`] | medians, in Markdown |

#![forbid(unsafe_code)]

mod bare;
mod run;
mod scripts;
mod table;
mod targets;

use run::{Length, Outcome};
use scripts::{Hit, Scripts};
use std::process::ExitCode;
use std::time::Duration;
use targets::{Kind, Target};

const HELP: &str = "\
Usage: cargo xtask bench [OPTION]...

Options:
  --short            One round of 2 s, to see whether it works
  --rounds N         Rounds (default 3)
  --seconds S        Seconds per run (default 10)
  --only A,B         Only these of bare, postgres, embedded; bare always runs
  --requests A;B     Only these requests, as the table names them; not with --write
  --write            Put the table into docs/performance.md
";

struct Options {
    rounds: usize,
    seconds: u64,
    kinds: Vec<Kind>,
    hits: Vec<Hit>,
    write: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    if arguments.first().is_some_and(|first| first == bare::SUBCOMMAND) {
        runtime.block_on(bare::serve());
        return ExitCode::SUCCESS;
    }
    match parse(&arguments) {
        Ok(Some(options)) => runtime.block_on(bench(&options, &arguments)),
        Ok(None) => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}\n\n{HELP}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: &[String]) -> Result<Option<Options>, String> {
    let mut options = Options {
        rounds: 3,
        seconds: 10,
        kinds: Kind::ALL.to_vec(),
        hits: Scripts::HITS.to_vec(),
        write: false,
    };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        let number = |text: &String| text.parse::<u64>().map_err(|error| format!("{text:?}: {error}"));
        match word.as_str() {
            "--short" => (options.rounds, options.seconds) = (1, 2),
            "--rounds" => options.rounds = number(value()?)?.max(1).try_into().unwrap_or(1),
            "--seconds" => options.seconds = number(value()?)?.max(1),
            "--only" => {
                let names: Vec<&str> = value()?.split(',').collect();
                if let Some(unknown) = names.iter().find(|name| !Kind::ALL.iter().any(|k| k.name() == **name))
                {
                    return Err(format!("there is no {unknown:?}"));
                }
                options.kinds.retain(|kind| *kind == Kind::Bare || names.contains(&kind.name()));
            }
            "--requests" => {
                let names: Vec<&str> = value()?.split(';').collect();
                if let Some(unknown) =
                    names.iter().find(|name| !Scripts::HITS.iter().any(|h| h.name == **name))
                {
                    return Err(format!("there is no request {unknown:?}"));
                }
                options.hits.retain(|hit| names.contains(&hit.name));
            }
            "--write" => options.write = true,
            "--help" | "-h" => return Ok(None),
            unknown => return Err(format!("there is no option {unknown:?}")),
        }
    }
    if options.write && options.hits.len() < Scripts::HITS.len() {
        return Err("--write needs the whole table; remove --requests".to_owned());
    }
    Ok(Some(options))
}

async fn bench(options: &Options, arguments: &[String]) -> ExitCode {
    let mut targets = Vec::new();
    for kind in &options.kinds {
        println!("starting {}", kind.name());
        targets.push(Target::start(*kind).await);
    }
    let length = Length(Duration::from_secs(options.seconds));
    let mut outcomes: Vec<Outcome> = Vec::new();
    for hit in options.hits.iter().copied() {
        for round in 1..=options.rounds {
            for target in &targets {
                let outcome = run::measure(target, hit, round, length).await;
                println!("{}", outcome.line());
                outcomes.push(outcome);
            }
        }
    }
    let command = ["cargo xtask bench".to_owned(), arguments.join(" ")].join(" ");
    let table = table::markdown(&outcomes, options.rounds, options.seconds);
    println!("\n{table}");
    if options.write {
        table::write(&table, command.trim());
    }
    let wrong: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.is_sound()).collect();
    for outcome in &wrong {
        println!("NOT SOUND: {}", outcome.line());
    }
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
