//! The binary: the command line of the process, and its exit code.

use std::process::ExitCode;

use trafficcop::cli;

fn main() -> ExitCode {
    // One TLS stack for everything; a second installation in the same process would find this one and change nothing.
    let _already_installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    cli::main(&cli::Start::of_this_process())
}
