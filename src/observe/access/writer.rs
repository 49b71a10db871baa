//! The thread that writes lines, to a file or to standard output.
//!
//! Lines gather in one buffer, in the order in which they came, and the thread takes all of them at once. It rests a moment
//! after each turn: a busy router wakes nobody for a line, and makes one write of many.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::Thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Lines that may wait, unless the settings ask for more.
const WAITING: usize = 8192;
/// And never more than this.
const MOST_WAITING: usize = 1 << 20;
/// Nor more bytes than this.
const MOST_BYTES: usize = 64 << 20;
/// A buffer that grew beyond this is given back.
const KEPT_BYTES: usize = 4 << 20;
/// How long the thread rests after it wrote.
const REST: Duration = Duration::from_millis(10);
/// A lasting trouble is told no more often than this.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// A hold on the thread; it ends when the hold is gone.
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Thread,
}

struct Shared {
    /// Held for as long as it takes to copy a line.
    waiting: Mutex<Waiting>,
    /// Most lines that wait.
    most: usize,
    lost: AtomicU64,
    /// The thread wants to be woken.
    sleeps: AtomicBool,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    lines: usize,
    /// The file is to be opened anew after so many of the bytes.
    reopen: Option<usize>,
    /// Who wants to hear that everything is written.
    flushes: Vec<SyncSender<()>>,
    is_over: bool,
}

impl Shared {
    fn new(buffering: usize) -> Self {
        let most = buffering.clamp(WAITING, MOST_WAITING);
        Self { waiting: Mutex::default(), most, lost: AtomicU64::new(0), sleeps: AtomicBool::new(false) }
    }

    fn put(&self, line: &[u8]) {
        let mut waiting = self.waiting.lock();
        if waiting.lines >= self.most || waiting.bytes.len() + line.len() > MOST_BYTES {
            drop(waiting);
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.bytes.extend_from_slice(line);
        waiting.lines += 1;
    }

    /// What waits, in exchange for an empty buffer.
    fn take(&self, spare: Vec<u8>) -> Waiting {
        let mut waiting = self.waiting.lock();
        let is_over = waiting.is_over;
        std::mem::replace(&mut *waiting, Waiting { bytes: spare, is_over, ..Waiting::default() })
    }
}

impl Writer {
    /// Opens the file (standard output when None), with its folders, and starts the thread. `buffering`: lines that may
    /// wait, if that is more than usual.
    pub(super) fn start(file: Option<PathBuf>, buffering: usize) -> io::Result<Self> {
        let output = Output::open(file)?;
        let shared = Arc::new(Shared::new(buffering));
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("access-log".to_owned()).spawn(move || run(output, &theirs))?;
        Ok(Self { shared, thread: thread.thread().clone() })
    }

    /// Never waits for the file.
    pub(super) fn write(&self, line: &[u8]) {
        self.shared.put(line);
        if self.shared.sleeps.load(Ordering::Relaxed) {
            self.thread.unpark();
        }
    }

    /// Has the file opened anew, after somebody moved it away. Never waits.
    pub(super) fn reopen(&self) {
        let mut waiting = self.shared.waiting.lock();
        let now = waiting.bytes.len();
        waiting.reopen.get_or_insert(now);
        drop(waiting);
        self.thread.unpark();
    }

    /// Waits until all that was handed over is written, at most `patience`. Not for threads that carry traffic.
    pub(super) fn flush(&self, patience: Duration) {
        let (done, is_done) = sync_channel(1);
        self.shared.waiting.lock().flushes.push(done);
        self.thread.unpark();
        let _late_or_gone = is_done.recv_timeout(patience);
    }

    /// Lines that were not written since the start.
    pub(super) fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.waiting.lock().is_over = true;
        self.thread.unpark();
    }
}

fn run(mut output: Output, shared: &Shared) {
    let (mut told_lost, mut told_at): (u64, Option<Instant>) = (0, None);
    let mut spare = Vec::new();
    loop {
        let mut taken = shared.take(std::mem::take(&mut spare));
        if taken.bytes.is_empty() && taken.reopen.is_none() && taken.flushes.is_empty() {
            if taken.is_over {
                return;
            }
            spare = taken.bytes;
            shared.sleeps.store(true, Ordering::Relaxed);
            // A line that came before this was seen is there now; one that comes after it wakes us.
            if shared.waiting.lock().lines == 0 {
                std::thread::park();
            }
            shared.sleeps.store(false, Ordering::Relaxed);
            continue;
        }
        let (before, after) = taken.bytes.split_at(taken.reopen.unwrap_or(taken.bytes.len()));
        let mut result = output.write(before, shared);
        if taken.reopen.is_some() {
            result = result.and(output.reopen());
            result = result.and(output.write(after, shared));
        }
        for done in taken.flushes.drain(..) {
            let _nobody_waits = done.try_send(());
        }
        if taken.bytes.capacity() <= KEPT_BYTES {
            taken.bytes.clear();
            spare = taken.bytes;
        }
        let lost = shared.lost.load(Ordering::Relaxed);
        let is_time = told_at.is_none_or(|told| told.elapsed() >= TELL_AGAIN);
        if is_time && let Err(error) = &result {
            tracing::error!(%error, "The access log cannot be written.");
            told_at = Some(Instant::now());
        } else if is_time && lost > told_lost {
            tracing::warn!(lost = lost - told_lost, "Lines of the access log were lost: writing is too slow.");
            (told_lost, told_at) = (lost, Some(Instant::now()));
        }
        std::thread::park_timeout(REST);
    }
}

enum Output {
    Stdout,
    File { path: PathBuf, file: File },
}

impl Output {
    fn open(path: Option<PathBuf>) -> io::Result<Self> {
        let Some(path) = path else { return Ok(Self::Stdout) };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let file = open(&path)?;
        Ok(Self::File { path, file })
    }

    /// Writes whole lines. Those of which the end was not written are lost, and counted.
    fn write(&mut self, lines: &[u8], shared: &Shared) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut rest = lines;
        let written = match self {
            Self::Stdout => write_all(&mut io::stdout().lock(), &mut rest),
            Self::File { file, .. } => write_all(file, &mut rest),
        };
        let lost = memchr::memchr_iter(b'\n', rest).count() as u64;
        shared.lost.fetch_add(lost, Ordering::Relaxed);
        written
    }

    /// Goes on with the old file if the new one cannot be opened.
    fn reopen(&mut self) -> io::Result<()> {
        let Self::File { path, file } = self else { return Ok(()) };
        *file = open(path)?;
        Ok(())
    }
}

/// As the library does, but leaves in `rest` what was not written.
fn write_all(out: &mut impl Write, rest: &mut &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        match out.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => *rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    out.flush()
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o664).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn a_file_that_was_moved_away_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/access.log");
        let writer = Writer::start(Some(path.clone()), 0).unwrap();
        writer.write(b"one\n");
        writer.flush(PATIENCE);
        let moved = folder.path().join("access.log.1");
        fs::rename(&path, &moved).unwrap();
        writer.write(b"two\n");
        writer.reopen();
        writer.write(b"three\n");
        writer.flush(PATIENCE);
        assert_eq!(fs::read_to_string(moved).unwrap(), "one\ntwo\n");
        assert_eq!(fs::read_to_string(path).unwrap(), "three\n");
        assert_eq!(writer.lost(), 0);
    }

    #[test]
    fn lines_that_a_full_disk_refuses_are_counted() {
        let writer = Writer::start(Some("/dev/full".into()), 0).unwrap();
        let begun = Instant::now();
        for _ in 0..100 {
            writer.write(&[&[b'x'; 4095][..], b"\n"].concat());
        }
        writer.flush(PATIENCE);
        assert!(begun.elapsed() < PATIENCE);
        assert_eq!(writer.lost(), 100);
    }

    #[test]
    fn lines_beyond_the_queue_are_lost_and_counted() {
        let shared = Shared::new(0);
        (0..WAITING + 2).for_each(|_| shared.put(b"a line\n"));
        assert_eq!(shared.lost.load(Ordering::Relaxed), 2);
        let taken = shared.take(Vec::new());
        assert_eq!((taken.lines, taken.bytes.len()), (WAITING, WAITING * 7));
        shared.put(b"a line\n");
        assert_eq!(shared.lost.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_line_that_comes_while_nobody_is_awake_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        let writer = Writer::start(Some(path.clone()), 0).unwrap();
        let deadline = Instant::now() + PATIENCE;
        while !writer.shared.sleeps.load(Ordering::Relaxed) {
            assert!(Instant::now() < deadline);
            std::thread::yield_now();
        }
        writer.write(b"alone\n");
        while fs::read_to_string(&path).unwrap() != "alone\n" {
            assert!(Instant::now() < deadline);
            std::thread::yield_now();
        }
    }
}
