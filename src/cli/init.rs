//! The first process of a container must not end before its container: when it has handed over, it stays, passes signals
//! on to whoever serves now, and ends as that one does.

use std::io;
use std::process::ExitCode;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use tokio::signal::unix::{SignalKind, signal};

/// Whether this process is the first of its container (or of the machine).
pub(super) fn is_first() -> bool {
    std::process::id() == 1
}

/// Until no process is left below this one. `serving` is the one that was handed over to.
pub(super) async fn stay(serving: u32) -> io::Result<ExitCode> {
    let mut ended = signal(SignalKind::child())?;
    let mut passed = Vec::new();
    for (kind, number) in [
        (SignalKind::hangup(), Signal::HUP),
        (SignalKind::interrupt(), Signal::INT),
        (SignalKind::terminate(), Signal::TERM),
        (SignalKind::user_defined1(), Signal::USR1),
        (SignalKind::user_defined2(), Signal::USR2),
    ] {
        passed.push((signal(kind)?, number));
    }
    let mut last = ExitCode::SUCCESS;
    loop {
        // Some may have ended before we looked.
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((_, status))) => {
                    last = status.exit_status().map_or(ExitCode::FAILURE, |code| ExitCode::from(code.to_le_bytes()[0]));
                }
                Ok(None) => break,
                Err(_) => return Ok(last),
            }
        }
        let next = std::future::poll_fn(|cx| {
            for (stream, number) in &mut passed {
                if stream.poll_recv(cx).is_ready() {
                    return std::task::Poll::Ready(Some(*number));
                }
            }
            ended.poll_recv(cx).map(|_| None)
        });
        if let Some(number) = next.await {
            for pid in children().unwrap_or_else(|| vec![serving]) {
                if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                    let _gone = kill_process(pid, number);
                }
            }
        }
    }
}

/// The processes below this one: whoever serves may have handed over in turn.
fn children() -> Option<Vec<u32>> {
    let text = std::fs::read_to_string("/proc/self/task/1/children").ok()?;
    Some(text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect())
}
