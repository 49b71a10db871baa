//! `--help`: what can be asked for, and every option of the model.

use trafficcop_config::settings::options::{self, Line};

/// Columns that a description may take.
const WIDTH: usize = 80;

const HEAD: &str = "\
trafficcop    Routes HTTP, TCP and UDP to what your orchestrator runs.
Takes the configuration of Traefik v3.

Usage: trafficcop [command] [flags] [arguments]

Commands:
    bench          Sends requests to a URL and says how fast they are answered.
    check          Says what is wrong with a configuration: static, dynamic, a file or a folder.
    demo           Runs a whole setup in one process, to look at.
    dev            Routes on this machine by the files of a folder, and tells of each request.
    explain        Says what a request would meet, and why.
    plan           Says what files would change in a router that runs.
    healthcheck    Asks the health endpoint (/ping) of a running router.
    socket-proxy   Offers the few questions of the docker provider, instead of the engine's socket.
    upgrade        Has a running router hand over to a new process, without a gap.
    version        Shows the version.

A flag is --flag=value or --flag value, a switch or section just --flag. One dash or two, in any case.
Settings come from a file, else from flags, else from TRAEFIK_* variables; never from two of them.

Of our own:
    -c, --configfile FILE    Settings file. All other flags are ignored.
    --validate               The same as the command check.
    --debug                  Logs at level DEBUG.
    check [PATH…] [--json]   Exit code 0: nothing wrong, 1: errors, 2: could not be checked.
    bench URL [--connections 8] [--seconds 10] [--rate N] [--method M] [--header 'N: V'] [--body TEXT]
            Exit code 0: all were answered, below 500; 1: not all; 2: nothing could be sent.
    dev [FOLDER] [--port 8000] [--api-port 8080]
    explain URL [PATH…] [--at http://HOST:PORT] [--method M] [--header 'N: V'] [--client-ip IP]
            [--sni NAME] [--entry-point NAME]
            Exit code 0: a router holds, 1: none does, 2: could not be found out.
    socket-proxy [--from /var/run/docker.sock] [--to /run/trafficcop/docker.sock] [--mode 666]
            [--swarm]
    upgrade [PID]            Exit code 0: handed over, 1: not; the router serves on.
    plan PATH… --at http://HOST:PORT
            Exit code 0: nothing is lost, 1: something is, 2: could not be found out.

Flags:
";

/// The whole text.
pub(super) fn text() -> String {
    let mut lines = options::all();
    lines.sort_by_key(|line| line.path.to_lowercase());
    let entries = lines.iter().map(entry);
    std::iter::once(HEAD.to_owned()).chain(entries).collect()
}

fn entry(line: &Line) -> String {
    let default = if line.is_section { "false" } else { &line.default };
    let mut out = format!("    --{}  (Default: \"{default}\")\n", line.path.to_lowercase());
    let mut column = 0;
    for word in line.help.split_whitespace() {
        if column == 0 || column + 1 + word.len() > WIDTH {
            out.push_str(if column == 0 { "        " } else { "\n        " });
            column = 0;
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out.push_str("\n\n");
    out
}
