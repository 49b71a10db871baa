//! The thread that writes lines, to a file or to standard output.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Lines that may wait, unless the settings ask for more.
const WAITING: usize = 8192;
/// And never more than this.
const MOST_WAITING: usize = 1 << 20;
/// A lasting trouble is told no more often than this.
const TELL_AGAIN: Duration = Duration::from_secs(10);

enum Message {
    Line(Vec<u8>),
    /// Open the file anew.
    Reopen,
    /// Say when all that came before is written.
    Flush(SyncSender<()>),
}

/// A hold on the thread; it ends when the last hold is gone.
#[derive(Clone)]
pub(super) struct Writer {
    out: SyncSender<Message>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    lost: AtomicU64,
    /// Asked for while the queue was full.
    reopen: AtomicBool,
}

impl Writer {
    /// Opens the file (standard output when None), with its folders, and starts the thread. `buffering`: lines that may
    /// wait, if that is more than usual.
    pub(super) fn start(file: Option<PathBuf>, buffering: usize) -> io::Result<Self> {
        let output = Output::open(file)?;
        let (out, lines) = sync_channel(buffering.clamp(WAITING, MOST_WAITING));
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        std::thread::Builder::new().name("access-log".to_owned()).spawn(move || run(output, &lines, &theirs))?;
        Ok(Self { out, shared })
    }

    /// Never waits.
    pub(super) fn write(&self, line: Vec<u8>) {
        if self.out.try_send(Message::Line(line)).is_err() {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Has the file opened anew, after somebody moved it away. Never waits.
    pub(super) fn reopen(&self) {
        if self.out.try_send(Message::Reopen).is_err() {
            self.shared.reopen.store(true, Ordering::Relaxed);
        }
    }

    /// Waits until all that was handed over is written, at most `patience`. Not for threads that carry traffic.
    pub(super) fn flush(&self, patience: Duration) {
        let (done, is_done) = sync_channel(1);
        if self.out.try_send(Message::Flush(done)).is_ok() {
            let _late_or_gone = is_done.recv_timeout(patience);
        }
    }

    /// Lines that were not written since the start.
    pub(super) fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }
}

fn run(mut output: Output, messages: &Receiver<Message>, shared: &Shared) {
    let (mut told_lost, mut told_at): (u64, Option<Instant>) = (0, None);
    let mut waiting = Vec::new();
    while let Ok(first) = messages.recv() {
        let mut next = Some(first);
        let mut result = Ok(());
        while let Some(message) = next {
            let done = match message {
                Message::Line(line) => {
                    let written = output.write(&line);
                    if written.is_err() {
                        shared.lost.fetch_add(1, Ordering::Relaxed);
                    }
                    written
                }
                Message::Reopen => output.reopen(),
                Message::Flush(done) => {
                    waiting.push(done);
                    Ok(())
                }
            };
            result = result.and(done);
            if shared.reopen.swap(false, Ordering::Relaxed) {
                result = result.and(output.reopen());
            }
            next = messages.try_recv().ok();
        }
        result = result.and(output.flush());
        for done in waiting.drain(..) {
            let _nobody_waits = done.try_send(());
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
    }
}

enum Output {
    Stdout,
    File { path: PathBuf, file: BufWriter<File> },
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

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => io::stdout().lock().write_all(line),
            Self::File { file, .. } => file.write_all(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout => io::stdout().lock().flush(),
            Self::File { file, .. } => file.flush(),
        }
    }

    /// Goes on with the old file if the new one cannot be opened.
    fn reopen(&mut self) -> io::Result<()> {
        let Self::File { path, file } = self else { return Ok(()) };
        file.flush()?;
        *file = open(path)?;
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<BufWriter<File>> {
    Ok(BufWriter::new(OpenOptions::new().create(true).append(true).mode(0o664).open(path)?))
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
        writer.write(b"one\n".to_vec());
        writer.flush(PATIENCE);
        let moved = folder.path().join("access.log.1");
        fs::rename(&path, &moved).unwrap();
        writer.write(b"two\n".to_vec());
        writer.reopen();
        writer.write(b"three\n".to_vec());
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
            writer.write(vec![b'x'; 4096]);
        }
        writer.flush(PATIENCE);
        assert!(begun.elapsed() < PATIENCE);
        // What still fits the buffer is not lost yet.
        assert!(writer.lost() >= 98, "{}", writer.lost());
    }

    #[test]
    fn lines_beyond_the_queue_are_lost_and_counted() {
        let (out, lines) = sync_channel(1);
        let writer = Writer { out, shared: Arc::default() };
        writer.write(Vec::new());
        writer.write(Vec::new());
        assert_eq!(writer.lost(), 1);
        writer.reopen();
        assert!(writer.shared.reopen.load(Ordering::Relaxed));
        drop(lines);
    }
}
