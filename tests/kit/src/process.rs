//! Processes that a test starts: they are named by their id, and end with their owner.

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, SysconfVar, sysconf};
use std::fs;
use std::process::{Child, Command};
use std::time::Duration;

/// A child process; dropping it kills it, and those that it has started.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts the command.
    ///
    /// # Panics
    ///
    /// The program is missing.
    #[must_use]
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        match command.spawn() {
            Ok(child) => Self { child },
            Err(error) => panic!("{}: {error}", command.get_program().to_string_lossy()),
        }
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process id fits"))
    }

    /// The process and its descendants, itself first.
    #[must_use]
    pub fn family(&self) -> Vec<Pid> {
        family_of(self.pid())
    }

    /// Whether it runs, stopped or not.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_none())
    }

    /// kill -9 of the whole family; returns when it is gone.
    pub fn kill(&mut self) {
        if !self.is_running() {
            return;
        }
        // A stopped parent starts nobody while its children are counted.
        send(self.pid(), Signal::SIGSTOP);
        let family = self.family();
        for pid in &family {
            send(*pid, Signal::SIGKILL);
        }
        let _ = self.child.wait();
        while family.iter().any(|pid| state(*pid).is_some_and(|state| state != 'Z')) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// SIGSTOP: the family keeps its connections and answers nobody.
    pub fn stop(&self) {
        send(self.pid(), Signal::SIGSTOP);
        for pid in self.family() {
            send(pid, Signal::SIGSTOP);
        }
    }

    /// SIGCONT.
    pub fn resume(&self) {
        for pid in self.family() {
            send(pid, Signal::SIGCONT);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A process that has ended meanwhile needs no signal.
fn send(pid: Pid, signal: Signal) {
    let _ = kill(pid, signal);
}

/// The process and its descendants (a driver starts a browser, and that starts many), itself first.
#[must_use]
pub fn family_of(first: Pid) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").expect("/proc");
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let parents = numbers.map(Pid::from_raw).filter_map(|pid| Some((pid, parent_of(pid)?)));
    let parents: Vec<(Pid, Pid)> = parents.collect();
    let mut family = vec![first];
    let mut next = 0;
    while let Some(member) = family.get(next).copied() {
        family.extend(parents.iter().filter(|(_, parent)| *parent == member).map(|(pid, _)| *pid));
        next += 1;
    }
    family
}

/// The fields of `/proc/<pid>/stat` from the third on: what precedes them is the name in brackets,
/// which may hold anything (proc(5)).
fn fields(pid: Pid) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

fn state(pid: Pid) -> Option<char> {
    fields(pid)?.first()?.chars().next()
}

fn parent_of(pid: Pid) -> Option<Pid> {
    Some(Pid::from_raw(fields(pid)?.get(1)?.parse().ok()?))
}

/// The CPU time of a process, its living children, and those that it has waited for, in seconds.
#[must_use]
pub fn cpu_seconds(pid: Pid) -> f64 {
    let family = family_of(pid);
    let ticks: f64 = family.iter().filter_map(|pid| ticks_of(*pid)).sum();
    let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100);
    ticks / f64::from(u32::try_from(per_second).unwrap_or(100))
}

/// utime, stime, cutime and cstime: the fields 14 to 17 of proc(5).
fn ticks_of(pid: Pid) -> Option<f64> {
    let fields = fields(pid)?;
    Some(fields.get(11..15)?.iter().filter_map(|field| field.parse::<f64>().ok()).sum())
}

/// What a process holds in memory (VmRSS), in KiB.
#[must_use]
pub fn resident_kib(pid: Pid) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}
