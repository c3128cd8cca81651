//! The two text formats. The library writes OpenMetrics, where a counter `requests` has samples
//! `requests_total`; in Prometheus' own format 0.0.4 both have one name
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use prometheus_client::registry::Registry;

/// How metrics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The text format 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

/// Everything that is registered.
pub(super) fn write(registry: &Registry, format: Format) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = prometheus_client::encoding::text::encode(&mut text, registry);
    match format {
        Format::OpenMetrics => text,
        Format::Prometheus => prometheus(&text),
    }
}

/// OpenMetrics as the format 0.0.4.
fn prometheus(open: &str) -> String {
    let mut text = String::with_capacity(open.len());
    let mut help = "";
    for line in open.lines() {
        if let Some(said) = line.strip_prefix("# HELP ") {
            help = said.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|said| said.split_once(' '))
        {
            let (ending, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                other => ("", other),
            };
            text.extend(["# HELP ", name, ending, " ", help, "\n"]);
            text.extend(["# TYPE ", name, ending, " ", kind, "\n"]);
        } else if !line.starts_with('#') {
            text.extend([line, "\n"]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::prometheus;

    #[test]
    fn a_counter_and_an_info_have_the_names_of_their_samples() {
        let open = "# HELP a Answers.\n# TYPE a counter\na_total{b=\"# c\"} 1\n# HELP v Build.\n# TYPE v info\nv_info 1\n\
                    # HELP s_bytes Size.\n# TYPE s_bytes gauge\n# UNIT s_bytes bytes\ns_bytes 2\n# EOF\n";
        let expected = "# HELP a_total Answers.\n# TYPE a_total counter\na_total{b=\"# c\"} 1\n\
                        # HELP v_info Build.\n# TYPE v_info gauge\nv_info 1\n\
                        # HELP s_bytes Size.\n# TYPE s_bytes gauge\ns_bytes 2\n";
        assert_eq!(prometheus(open), expected);
    }
}
