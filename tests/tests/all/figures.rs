//! The figures for Prometheus, by the rules of `promtool check metrics`
//! (<https://prometheus.io/docs/practices/naming/>).

use std::collections::{BTreeMap, BTreeSet};
use visitflow_testkit::{Redis, Server};

/// A sample: its name, its labels, its value.
fn sample(line: &str) -> (&str, Vec<(&str, &str)>, f64) {
    let (series, value) = line.rsplit_once(' ').expect("series and value");
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}').expect("a brace")),
        None => (series, ""),
    };
    let pairs = labels.split(',').filter(|pair| !pair.is_empty());
    let labels = pairs.map(|pair| {
        let (key, value) = pair.split_once("=\"").expect("key and value");
        (key, value.strip_suffix('"').expect("a quote"))
    });
    (name, labels.collect(), value.parse().expect("a number"))
}

fn is_snake(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The type of each family; every family has one HELP before its TYPE.
fn families(text: &str) -> BTreeMap<&str, &str> {
    let (mut families, mut helped) = (BTreeMap::new(), BTreeSet::new());
    for line in text.lines().filter(|line| line.starts_with('#')) {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|said| said.split_once(' ')) {
            assert!(help.len() > 3 && helped.insert(name), "{line}");
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|said| said.split_once(' '))
        {
            assert!(helped.contains(name) && families.insert(name, kind).is_none(), "{line}");
        } else {
            panic!("{line}");
        }
    }
    families
}

#[track_caller]
fn assert_is_named_well(family: &str, kind: &str) {
    assert!(is_snake(family), "{family}");
    assert!(["counter", "gauge", "histogram"].contains(&kind), "{family}: {kind}");
    assert_eq!(family.ends_with("_total"), kind == "counter", "{family}: {kind}");
    for word in family.split('_') {
        for bad in [
            "counter",
            "gauge",
            "histogram",
            "summary",
            "sum",
            "bucket",
            "ms",
            "us",
            "sec",
            "kb",
            "mb",
            "kib",
        ] {
            assert_ne!(word, bad, "{family}");
        }
    }
    assert!(!family.ends_with("_count"), "{family}");
}

#[tokio::test]
async fn promtool_accepts_the_metrics() {
    let redis = Redis::start().await;
    let server = Server::with().redis_url(&redis.url()).user("alice").start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    ada.event("click").await.expect(204);
    ada.order("1", "1.00", "EUR").await.expect(204);
    ada.log_in("alice").await.expect(200);
    let text = server.ask_admin("/metrics").await.expect(200).text();
    let families = families(&text);
    for (family, kind) in &families {
        assert_is_named_well(family, kind);
    }
    let mut seen = BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, labels, _) = sample(line);
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|ending| name.strip_suffix(ending));
        let family = if families.contains_key(name) { name } else { base.unwrap_or(name) };
        assert!(families.contains_key(family), "{line}: no HELP");
        for (key, value) in labels {
            assert!(is_snake(key), "{line}");
            let free = ["le", "version", "revision", "status"].contains(&key);
            assert!(free || is_snake(value), "{line}");
        }
        assert!(seen.insert(line.rsplit_once(' ').map(|(series, _)| series)), "{line} comes twice");
    }
}

#[tokio::test]
async fn the_metrics_include_the_version_and_the_process_s_resources() {
    let server = Server::start().await;
    let text = server.ask_admin("/metrics").await.expect(200).text();
    let version = server.run_plain(&["--version"]).await;
    let version = version.trim().rsplit(' ').next().expect("a version");
    assert!(text.contains(&format!("visitflow_build_info{{version=\"{version}\"}} 1\n")), "{text}");
    let value = |name: &str| {
        let line = text.lines().find(|line| line.split(' ').next() == Some(name));
        sample(line.unwrap_or_else(|| panic!("no {name}: {text}"))).2
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("now").as_secs_f64();
    let age = now - value("process_start_time_seconds");
    assert!((-2.0..600.0).contains(&age), "{age}");
    assert!(value("process_cpu_seconds_total") >= 0.0);
    assert!(value("process_open_fds") > 3.0 && value("process_open_fds") < value("process_max_fds"));
    assert!(value("process_resident_memory_bytes") > 1e6);
    assert!(value("process_virtual_memory_bytes") > value("process_resident_memory_bytes"));
    assert!(value("process_threads") >= 2.0);

    let open =
        server.administrator().get("/metrics").header("accept", "application/openmetrics-text").send().await;
    let open = open.expect(200).text();
    assert!(open.contains("# TYPE visitflow_build info\n") && open.ends_with("# EOF\n"), "{open}");
}
