//! The command line: what is asked for, and where the settings come from.
//!
//! Traefik's flags, subcommands and aliases, and a few of our own. Knows nothing of how the router works: it ends in
//! [`crate::App`] with settings, or in an exit code.

mod bench;
mod check;
mod compose;
mod dev;
mod explain;
mod health;
mod help;
mod init;
mod invocation;
mod plan;
mod serve;
mod socket_proxy;
pub mod source;
mod systemd;
#[cfg(test)]
mod tests;
pub(crate) mod upgrade;
mod version;
mod wget;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use invocation::{Action, Invocation};

use crate::diagnose::{self, Style, Texts};

/// What the process was started with.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The name it was called by.
    pub program: String,
    pub arguments: Vec<String>,
    pub variables: Vec<(String, String)>,
}

impl Start {
    /// Of this process. What is not UTF-8 is no option of ours; it is read as well as it can be.
    pub fn of_this_process() -> Self {
        let mut arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
        let program = arguments.next().unwrap_or_default();
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let variables = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        Self { program, arguments: arguments.collect(), variables }
    }
}

/// Does what the command line asks for.
pub fn main(start: &Start) -> ExitCode {
    if invocation::base_name(&start.program) == "wget" {
        return wget::run(&start.arguments, &mut std::io::stdout().lock());
    }
    let invocation = match Invocation::read(&start.arguments) {
        Ok(invocation) => invocation,
        Err(message) => return refuse(&message),
    };
    match invocation.action {
        Action::Run => run(&invocation, start),
        Action::Version => say(version::text()),
        Action::Help => say(help::text()),
        Action::Health => health::run(source::load(&invocation, start), &mut std::io::stdout().lock()),
        Action::Check => check::run(&invocation, start, &mut std::io::stdout().lock()),
        Action::Explain => explain::run(&invocation.operands, &mut std::io::stdout().lock()),
        Action::SocketProxy => socket_proxy::run(&invocation.operands),
        Action::Upgrade => upgrade::run(&invocation.operands, &mut std::io::stdout().lock()),
        Action::Plan => plan::run(&invocation.operands, &mut std::io::stdout().lock()),
        Action::Demo => crate::demo::run(&invocation.operands),
        Action::Dev => dev::run(&invocation.operands),
        Action::Bench => bench::run(&invocation.operands),
    }
}

fn run(invocation: &Invocation, start: &Start) -> ExitCode {
    match source::load(invocation, start) {
        Ok(loaded) => serve::run(loaded, &systemd::Systemd::of(start)),
        Err(errors) => {
            let style = Style::of(std::io::stderr().is_terminal());
            let text = diagnose::render(&diagnose::errors(errors), &mut Texts::default(), style);
            refuse(text.trim_end())
        }
    }
}

/// Prints to standard output. A reader that went away (`| head`) is no failure.
fn say(text: impl AsRef<str>) -> ExitCode {
    let _ = std::io::stdout().lock().write_all(text.as_ref().as_bytes());
    ExitCode::SUCCESS
}

fn refuse(message: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "{message}");
    ExitCode::FAILURE
}
