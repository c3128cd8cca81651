//! Environment variables that look like visitflow's, and that no flag has.

use std::collections::BTreeSet;

use clap::CommandFactory as _;
use strsim::normalized_damerau_levenshtein as like;

use super::commands::Cli;

const PREFIX: &str = "VISITFLOW_";

/// Names that are less similar than this are not misspellings of each other (0 to 1, by [`like`]).
const NEAR: f64 = 0.6;

/// A sentence for each variable of this process that begins with `VISITFLOW_` and means nothing.
#[must_use]
pub fn mistakes() -> Vec<String> {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    unknown(std::env::vars_os().map(|(name, value)| (text(name), text(value))))
}

/// A sentence for each variable that begins with `VISITFLOW_` and means nothing.
fn unknown(variables: impl IntoIterator<Item = (String, String)>) -> Vec<String> {
    let known = known();
    let strange = variables.into_iter().filter(|(name, value)| {
        name.to_ascii_uppercase().starts_with(PREFIX)
            && !known.contains(name)
            && !is_of_a_service(name, value)
    });
    let told = strange.map(|(name, _)| match nearest(&name, &known) {
        Some(meant) => format!("{name} is not a variable of visitflow; did you mean {meant}?"),
        None => format!("{name} is not a variable of visitflow; `visitflow serve --help` lists them"),
    });
    told.collect()
}

/// The variables of all flags of all commands.
fn known() -> BTreeSet<String> {
    let cli = Cli::command();
    let of = |command: &clap::Command| -> Vec<String> {
        command.get_arguments().filter_map(|flag| Some(flag.get_env()?.to_str()?.to_owned())).collect()
    };
    cli.get_subcommands().chain([&cli]).flat_map(of).collect()
}

/// What Kubernetes sets in every container for a service whose name begins with visitflow.
fn is_of_a_service(name: &str, value: &str) -> bool {
    let of_a_port = name.ends_with("_PORT") || name.contains("_PORT_");
    name.contains("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || of_a_port
            && ["tcp", "udp", "sctp"]
                .iter()
                .any(|kind| value == *kind || value.starts_with(&format!("{kind}://")))
        || name.contains("_TCP_")
        || name.contains("_UDP_")
}

/// The known variable that is most similar to this one, if one is similar.
fn nearest<'a>(name: &str, known: &'a BTreeSet<String>) -> Option<&'a String> {
    let bare = |name: &str| {
        let name = name.to_ascii_uppercase();
        name.strip_prefix(PREFIX).map(str::to_owned).unwrap_or(name)
    };
    let name = bare(name);
    let likeness = |other: &str| match bare(other) {
        other if name.starts_with(&other) || other.starts_with(&name) => NEAR.max(like(&name, &other)),
        other => like(&name, &other),
    };
    let best = known.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    best.filter(|best| likeness(best) >= NEAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, value: &str) -> String {
        unknown([(name.to_owned(), value.to_owned())]).join("\n")
    }

    #[test]
    fn a_misspelt_variable_is_told_the_nearest() {
        for (name, meant) in [
            ("VISITFLOW_PUBLC_URL", "VISITFLOW_PUBLIC_URL"),
            ("VISITFLOW_ALLOWED_ORIGIN", "VISITFLOW_ALLOWED_ORIGINS"),
            ("VISITFLOW_DATABASE_URL", "DATABASE_URL"),
            ("VISITFLOW_REDIS_URL", "REDIS_URL"),
            ("VISITFLOW_ADMIN_LSITEN", "VISITFLOW_ADMIN_LISTEN"),
            ("visitflow_log", "VISITFLOW_LOG"),
            ("VISITFLOW_TLS_CERTIFICATE", "VISITFLOW_TLS_CERT"),
        ] {
            assert!(told(name, "x").ends_with(&format!("did you mean {meant}?")), "{}", told(name, "x"));
        }
        assert!(told("VISITFLOW_XYZZY", "x").contains("--help"));
    }

    #[test]
    fn what_is_known_or_somebody_else_s_is_not_told_of() {
        for (name, value) in [
            ("VISITFLOW_LOG", "debug"),
            ("VISITFLOW_SPOOL_MAX", "1G"),
            ("DATABASE_URL", "x"),
            ("PATH", "/bin"),
            ("VISITFLOW_SERVICE_HOST", "10.0.0.1"),
            ("VISITFLOW_SERVICE_PORT_HTTP", "8080"),
            ("VISITFLOW_PORT", "tcp://10.0.0.1:8080"),
            ("VISITFLOW_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("VISITFLOW_PORT_8080_TCP_PROTO", "tcp"),
            ("VISITFLOW_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ] {
            assert_eq!(told(name, value), "");
        }
        assert_ne!(told("VISITFLOW_PORT", "8080"), "");
    }
}
