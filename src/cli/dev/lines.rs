//! What people read while they develop: a line for each request, and what is wrong with the files.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use trafficcop_exchange::Reason;
use trafficcop_observe::{Line, Tail};
use trafficcop_snapshot::Snapshot;

use crate::diagnose::Style;

/// Lines that are shown at once; more are counted.
const AT_ONCE: usize = 200;

/// What has been said.
#[derive(Default)]
pub(super) struct Told {
    last: u64,
    /// What is wrong, as it was told last.
    wrong: BTreeSet<String>,
    routers: Option<usize>,
}

impl Told {
    /// The requests that have ended since.
    pub(super) fn requests(&mut self, tail: &Tail, style: Style) -> String {
        let (lines, passed_over) = tail.read(self.last, AT_ONCE);
        let mut text = String::new();
        if passed_over > 0 {
            let _memory_takes_all = writeln!(text, "({passed_over} more requests)");
        }
        for line in &lines {
            self.last = self.last.max(line.number);
            text.push_str(&request(line, style));
        }
        text
    }

    /// What is in force now, when it changed, and what is wrong with it.
    pub(super) fn configuration(&mut self, snapshot: &Snapshot, style: Style) -> String {
        let http = &snapshot.report.http;
        let of_objects = http.routers.values().chain(http.services.values()).chain(http.middlewares.values());
        let notes = of_objects.flat_map(|report| &report.notes).chain(&snapshot.report.notes);
        let wrong: BTreeSet<String> = notes.map(|note| note.error.to_string()).collect();
        let is_theirs = |name: &&trafficcop_config::Name| name.provider() == "file";
        let routers = snapshot.merged.http.routers.keys().filter(is_theirs).count();
        let mut text = String::new();
        if self.routers != Some(routers) || self.wrong != wrong {
            let state = format!("-- {routers} HTTP routers, {} complaints", wrong.len());
            let _memory_takes_all = writeln!(text, "{}", dressed(&state, 2, style));
        }
        for new in wrong.difference(&self.wrong) {
            let _memory_takes_all = writeln!(text, "{} {new}", dressed("!", 31, style));
        }
        (self.wrong, self.routers) = (wrong, Some(routers));
        text
    }
}

/// `16:28:31 GET http://a.test/x → 404 in 0.2 ms: no_route (No router of the entry point matches.)`
pub(super) fn request(line: &Line, style: Style) -> String {
    let time = line.time.get(11..19).unwrap_or_default();
    let colour = match line.status {
        500.. => 31,
        400.. => 33,
        300.. => 36,
        _ => 32,
    };
    let status = dressed(&line.status.to_string(), colour, style);
    let millis = line.micros as f64 / 1000.0;
    let mut text = format!("{time} {:<4} {}{} → {status} in {millis:.1} ms", line.method, line.host, line.path);
    if !line.router.is_empty() {
        let _memory_takes_all = write!(text, "  router {}", line.router);
    }
    if !line.server.is_empty() {
        let _memory_takes_all = write!(text, " → {}", line.server);
    }
    if let Some(reason) = Reason::ALL.iter().find(|reason| reason.code() == line.reason) {
        let _memory_takes_all = write!(text, "  {}: {}", reason.code(), reason.about());
    }
    if !line.complete {
        text.push_str("  (broken off)");
    }
    text.push('\n');
    text
}

fn dressed(text: &str, colour: u8, style: Style) -> String {
    match style {
        Style::Plain => text.to_owned(),
        Style::Coloured => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_became_of_a_request_and_why() {
        let mut line = Line {
            number: 1,
            time: "2026-11-24T16:28:31.5Z".into(),
            client: "127.0.0.1".into(),
            entry_point: "web".into(),
            method: "GET".into(),
            host: "a.test".into(),
            path: "/x".into(),
            status: 502,
            micros: 1234,
            bytes: 11,
            router: "r@file".into(),
            service: "s@file".into(),
            server: "http://127.0.0.1:1".into(),
            reason: "connect_refused",
            complete: true,
        };
        let expected = "16:28:31 GET  a.test/x → 502 in 1.2 ms  router r@file → http://127.0.0.1:1  connect_refused: \
                        The server refused the connection.\n";
        assert_eq!(request(&line, Style::Plain), expected);
        line.reason = "";
        line.status = 200;
        let shown = request(&line, Style::Coloured);
        assert!(shown.contains("\u{1b}[32m200\u{1b}[0m") && shown.ends_with("http://127.0.0.1:1\n"), "{shown}");
    }
}
