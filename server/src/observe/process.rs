//! Figures of the process, with the names that all exporters use
//! (<https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>).

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Reads `/proc/self` at each scrape; only Linux has it.
#[derive(Debug)]
pub(super) struct Process;

/// What is read.
struct Figures {
    cpu_seconds: f64,
    start_seconds: f64,
    open_files: u64,
    max_files: Option<u64>,
    resident_bytes: u64,
    virtual_bytes: u64,
    threads: u64,
}

#[cfg(target_os = "linux")]
fn figures() -> Option<Figures> {
    use procfs::process::LimitValue;

    let process = procfs::process::Process::myself().ok()?;
    let (stat, limits) = (process.stat().ok()?, process.limits().ok()?);
    #[expect(clippy::cast_precision_loss, reason = "centuries of ticks fit")]
    let seconds = |ticks: u64| ticks as f64 / procfs::ticks_per_second() as f64;
    let booted = procfs::boot_time_secs().ok()?;
    Some(Figures {
        cpu_seconds: seconds(stat.utime + stat.stime),
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
        start_seconds: booted as f64 + seconds(stat.starttime),
        open_files: process.fd_count().ok()? as u64,
        max_files: match limits.max_open_files.soft_limit {
            LimitValue::Value(files) => Some(files),
            LimitValue::Unlimited => None,
        },
        resident_bytes: stat.rss * procfs::page_size(),
        virtual_bytes: stat.vsize,
        threads: u64::try_from(stat.num_threads).unwrap_or(0),
    })
}

#[cfg(not(target_os = "linux"))]
fn figures() -> Option<Figures> {
    None
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(figures) = figures() else { return Ok(()) };
        let mut put = |name: &str, help: &str, metric: &dyn Metric| metric.put(&mut encoder, name, help);
        put("process_cpu_seconds", "CPU time, user and system", &ConstCounter::new(figures.cpu_seconds))?;
        put(
            "process_start_time_seconds",
            "Start time of the process, in seconds since 1970",
            &ConstGauge::new(figures.start_seconds),
        )?;
        put("process_open_fds", "Open file descriptors", &ConstGauge::new(figures.open_files))?;
        if let Some(max_files) = figures.max_files {
            put("process_max_fds", "Maximum number of open file descriptors", &ConstGauge::new(max_files))?;
        }
        put("process_resident_memory_bytes", "Resident memory", &ConstGauge::new(figures.resident_bytes))?;
        put("process_virtual_memory_bytes", "Virtual memory", &ConstGauge::new(figures.virtual_bytes))?;
        put("process_threads", "Threads", &ConstGauge::new(figures.threads))
    }
}

/// A metric of any type, for a list of them.
trait Metric {
    fn put(&self, encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str) -> fmt::Result;
}

impl<M: EncodeMetric> Metric for M {
    fn put(&self, encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str) -> fmt::Result {
        self.encode(encoder.encode_descriptor(name, help, None, self.metric_type())?)
    }
}
