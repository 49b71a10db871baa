//! `trafficcop upgrade`: tells a running router to hand over to a new process, and says whether it did.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// What a process that has handed over calls itself, so that it can be told from one that serves.
pub(crate) const HANDED_OVER: &str = "handed-over";
/// Longer than a new process may take to be ready.
const PATIENCE: Duration = Duration::from_secs(75);
/// A new process has appeared by then.
const APPEARS: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(50);

/// The operand is the number of the process; without one there must be exactly one router that serves.
pub(super) fn run(operands: &[String], out: &mut impl Write) -> ExitCode {
    match upgrade(operands) {
        Ok(pid) => {
            let _ = writeln!(out, "Process {pid} has handed over.");
            ExitCode::SUCCESS
        }
        Err(why) => super::refuse(&format!("trafficcop upgrade: {why}")),
    }
}

fn upgrade(operands: &[String]) -> Result<i32, String> {
    let number = match operands {
        [] => only()?,
        [number] => number.parse().map_err(|_| format!("{number} is no number of a process"))?,
        _ => return Err("one process at a time".to_owned()),
    };
    let before = below(number);
    let pid = Pid::from_raw(number).ok_or("0 is no number of a process")?;
    kill_process(pid, Signal::USR2).map_err(|error| format!("process {number}: {error}"))?;
    let began = Instant::now();
    let mut new = None;
    while began.elapsed() < PATIENCE {
        match name(number) {
            None => return Ok(number),
            Some(name) if name == HANDED_OVER => return Ok(number),
            Some(_) => {}
        }
        let now = below(number);
        new = new.or_else(|| now.iter().copied().find(|pid| !before.contains(pid)));
        let is_gone =
            new.is_some_and(|new| !now.contains(&new) && name(number).is_some_and(|name| name != HANDED_OVER));
        if is_gone || (new.is_none() && began.elapsed() > APPEARS) {
            return Err(format!("process {number} goes on serving: the new one was not ready; the log says why"));
        }
        std::thread::sleep(LOOK);
    }
    Err(format!("process {number} has not handed over yet"))
}

/// The one router that serves, of those whose program is the file that this process is.
fn only() -> Result<i32, String> {
    let ours = std::env::current_exe().map_err(|error| error.to_string())?;
    let ours = ours.to_string_lossy().into_owned();
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let found: Vec<i32> = processes()
        .filter(|pid| *pid != own && program(*pid).as_deref() == Some(&*ours))
        .filter(|pid| name(*pid).is_some_and(|name| name != HANDED_OVER))
        .collect();
    match found.as_slice() {
        [] => Err(format!("no process of {ours} was found; name its number")),
        [one] => Ok(*one),
        many => Err(format!("several processes of {ours} serve ({many:?}); name the number of one")),
    }
}

fn processes() -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_string_lossy().parse().ok())
}

/// The file of a process's program, also when another has taken its place.
fn program(pid: i32) -> Option<String> {
    let path = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    Some(path.to_string_lossy().trim_end_matches(" (deleted)").to_owned())
}

/// What a process calls itself.
fn name(pid: i32) -> Option<String> {
    Some(std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim().to_owned())
}

/// The processes that this one started.
fn below(pid: i32) -> Vec<i32> {
    let is_below = |other: &i32| {
        let stat = std::fs::read_to_string(Path::new("/proc").join(other.to_string()).join("stat")).unwrap_or_default();
        // After the name in brackets: state, then the parent.
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        parent == Some(pid)
    };
    processes().filter(is_below).collect()
}
