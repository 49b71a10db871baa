//! What the process uses, under the names that dashboards know from Go programs.
//!
//! Read from `/proc` when somebody asks; what cannot be read is left out. There is no Go runtime here: of `go_*` only
//! those are shown that mean something for a program without one, and say the nearest thing.

use std::fs;

use super::text::Page;

/// Ticks per second in which Linux tells times to programs; the same on all machines we are built for.
const TICKS: f64 = 100.0;

/// Writes all of it down. `connections`: how many are open.
pub(super) fn write(page: &mut Page, connections: i64) {
    let status = read("/proc/self/status");
    let kib = |name| number(&status, name).map(|kib| kib * 1024.0);
    let threads = number(&status, "Threads:");
    let own = kib("RssAnon:");
    let tasks = threads.map(|threads| threads + f64::from(i32::try_from(connections).unwrap_or(i32::MAX)));
    let mut one = |name: &str, kind: &str, help: &str, value: Option<f64>| {
        if let Some(value) = value {
            page.family(name, kind, help);
            page.sample(name, &[], value);
        }
    };
    one("go_goroutines", "gauge", "Threads and open connections; there are no goroutines.", tasks);
    one("go_memstats_alloc_bytes", "gauge", "Memory of the process that is its own.", own);
    one("go_memstats_heap_alloc_bytes", "gauge", "Memory of the process that is its own.", own);
    one("go_memstats_heap_inuse_bytes", "gauge", "Memory of the process that is its own.", own);
    one("go_memstats_stack_inuse_bytes", "gauge", "The main thread's stack.", kib("VmStk:"));
    one("go_memstats_sys_bytes", "gauge", "Memory in use.", kib("VmRSS:"));
    one("go_threads", "gauge", "Threads.", threads);

    let limits = read("/proc/self/limits");
    let times = read("/proc/self/stat");
    let since = number(&read("/proc/stat"), "btime").zip(field(&times, 22));
    let (received, sent) = network(&read("/proc/self/net/netstat")).unzip();
    let cpu = field(&times, 14).zip(field(&times, 15)).map(|(user, system)| (user + system) / TICKS);
    one("process_cpu_seconds_total", "counter", "Time spent computing, in seconds.", cpu);
    one("process_max_fds", "gauge", "Descriptors that may be open.", number(&limits, "Max open files"));
    one("process_network_receive_bytes_total", "counter", "Bytes that the network namespace received.", received);
    one("process_network_transmit_bytes_total", "counter", "Bytes that the network namespace sent.", sent);
    one("process_open_fds", "gauge", "Descriptors that are open.", open_descriptors());
    one("process_resident_memory_bytes", "gauge", "Memory in use.", kib("VmRSS:"));
    let started = since.map(|(boot, ticks)| boot + ticks / TICKS);
    one("process_start_time_seconds", "gauge", "When the process began, in seconds since 1970.", started);
    one("process_virtual_memory_bytes", "gauge", "Address space in use.", kib("VmSize:"));
    let most = number(&limits, "Max address space").or((!limits.is_empty()).then_some(UNLIMITED));
    one("process_virtual_memory_max_bytes", "gauge", "Address space that may be used.", most);
}

/// As Go's collector shows that there is no limit: all bits set.
const UNLIMITED: f64 = 18_446_744_073_709_551_615.0;

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The first number of the line that begins with `name`.
fn number(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// A field of `stat`, counted from 1 as its manual does. The name may contain blanks and brackets.
fn field(stat: &str, number: usize) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

/// Bytes received and sent.
fn network(netstat: &str) -> Option<(f64, f64)> {
    let mut lines = netstat.lines().filter_map(|line| line.strip_prefix("IpExt:"));
    let (names, values) = (lines.next()?.split_whitespace(), lines.next()?.split_whitespace());
    let all: Vec<_> = names.zip(values).collect();
    let of = |name| all.iter().find(|(known, _)| *known == name).and_then(|(_, value)| value.parse().ok());
    Some((of("InOctets")?, of("OutOctets")?))
}

fn open_descriptors() -> Option<f64> {
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    // One of them reads the folder.
    u32::try_from(count.saturating_sub(1)).ok().map(f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_the_process_is_shown() {
        let mut page = Page::default();
        write(&mut page, 3);
        let page = page.into_text();
        for name in [
            "go_goroutines",
            "go_memstats_alloc_bytes",
            "go_memstats_heap_alloc_bytes",
            "go_memstats_heap_inuse_bytes",
            "go_memstats_stack_inuse_bytes",
            "go_memstats_sys_bytes",
            "go_threads",
            "process_cpu_seconds_total",
            "process_max_fds",
            "process_network_receive_bytes_total",
            "process_network_transmit_bytes_total",
            "process_open_fds",
            "process_resident_memory_bytes",
            "process_start_time_seconds",
            "process_virtual_memory_bytes",
            "process_virtual_memory_max_bytes",
        ] {
            let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            assert!(value.is_some_and(|value| value.parse::<f64>().is_ok()), "{name} is not in\n{page}");
        }
    }

    #[test]
    fn names_of_processes_cannot_shift_the_fields() {
        let stat = "7 (a ) b (c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19";
        assert_eq!(field(stat, 4), Some(1.0));
        assert_eq!(field(stat, 14), Some(11.0));
        assert_eq!(field(stat, 22), Some(19.0));
        assert_eq!(field(stat, 99), None);
    }

    #[test]
    fn an_unlimited_number_is_none() {
        assert_eq!(number("Max address space         unlimited     unlimited     bytes", "Max address space"), None);
        assert_eq!(number("Max open files            1024     4096     files", "Max open files"), Some(1024.0));
    }

    #[test]
    fn bytes_of_the_network_are_found_by_name() {
        let text = "TcpExt: A B\nTcpExt: 1 2\nIpExt: X InOctets OutOctets\nIpExt: 1 20 30\n";
        assert_eq!(network(text), Some((20.0, 30.0)));
        assert_eq!(network(""), None);
    }
}
