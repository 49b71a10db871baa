//! Thousands of routers: what one change costs, in time and in memory.
//!
//! `TC_FULL=1` does the memory test in its full size, which in a debug build takes long.

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use crate::support::{Backend, Router};

const ROUTERS: usize = 5_000;
/// Reloads after which memory is taken for settled.
const WARM: usize = 50;
/// What the memory test is told, so that it runs in a process of its own.
const ALONE: &str = "TC_ALONE";

/// `routers` routers that differ, each with a service of its own; number `changed` answers to another path in each `turn`.
fn document(routers: usize, url: &str, changed: usize, turn: usize) -> String {
    let mut text = String::from("http:\n  routers:\n");
    for number in 0..routers {
        let path = if number == changed { format!("turn-{turn}") } else { "path".to_owned() };
        let _infallible = writeln!(
            text,
            "    r{number}: {{rule: \"Host(`h{number}.test`) && PathPrefix(`/{path}`)\", service: s{number}, middlewares: [m]}}"
        );
    }
    text.push_str("  middlewares: {m: {headers: {customResponseHeaders: {X-A: b}}}}\n  services:\n");
    for number in 0..routers {
        let _infallible = writeln!(text, "    s{number}: {{loadBalancer: {{servers: [{{url: '{url}'}}]}}}}");
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_change_among_thousands_is_live_soon() {
    let back = Backend::start("back").await;
    let router = Router::start(&document(ROUTERS, &back.url(), 7, 0)).await;
    router.answers(200, "h7.test", "/turn-0").await;
    let mut times = Vec::new();
    for turn in 1..=5 {
        let text = document(ROUTERS, &back.url(), 7, turn);
        router.write(&text);
        times.push(router.answers(200, "h7.test", &format!("/turn-{turn}")).await);
    }
    assert_eq!(router.get("h4999.test", "/path").await.status, 200);
    times.sort();
    report(&format!("one of {ROUTERS} routers changed, live after (five times, sorted): {times:?}"));
    let bound = if cfg!(debug_assertions) { Duration::from_secs(3) } else { Duration::from_millis(100) };
    assert!(times[2] <= bound, "the median of {times:?} is above {bound:?}");
    router.app.stop().await;
}

#[expect(clippy::print_stdout, reason = "the figures are what the test is run for")]
fn report(line: &str) {
    println!("{line}");
}

/// Memory of this process in pages.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux says how large we are");
    text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("the second number is the resident set")
}

#[test]
fn reloads_do_not_fill_memory() {
    if std::env::var_os(ALONE).is_none() {
        // Other tests of this binary would be measured along with it.
        let program = std::env::current_exe().expect("a test knows its binary");
        let name = "many::reloads_do_not_fill_memory";
        let output = Command::new(program).args([name, "--exact", "--nocapture"]).env(ALONE, "1").output();
        let output = output.expect("the binary runs once more");
        let said = String::from_utf8_lossy(&output.stdout);
        println!("{said}");
        assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("resident"), "the test ran: {said}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime starts").block_on(reload_often());
}

async fn reload_often() {
    let is_full = std::env::var_os("TC_FULL").is_some_and(|value| value == "1");
    let (routers, reloads) = if is_full { (ROUTERS, 1_000) } else { (ROUTERS / 10, 3 * WARM) };
    let back = Backend::start("back").await;
    let router = Router::start(&document(routers, &back.url(), 7, 0)).await;
    router.answers(200, "h7.test", "/turn-0").await;
    let (mut settled, mut largest) = (0, 0);
    for turn in 1..=reloads {
        router.write(&document(routers, &back.url(), turn % routers, turn));
        router.answers(200, &format!("h{}.test", turn % routers), &format!("/turn-{turn}")).await;
        match turn {
            ..=WARM => settled = settled.max(resident()),
            _ => largest = largest.max(resident()),
        }
    }
    let end = resident();
    report(&format!("resident pages: at most {settled} in {WARM} reloads, {largest} later, {end} after {reloads}"));
    assert!(end <= settled + settled / 10, "{end} pages are more than 10 % above {settled}");
    router.app.stop().await;
}
