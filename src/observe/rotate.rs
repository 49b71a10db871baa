//! [`Rotating`]: a file that is put aside when it has grown, under a name with the time, as Traefik's log does it.
//!
//! `log.2026-11-21T06-30-00.000.gz`-like: `traefik.log` becomes `traefik-2026-11-21T06-30-00.000.log`. What must hold: a file that
//! cannot be put aside goes on being written to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

const MEGABYTE: u64 = 1 << 20;
/// Where the settings say nothing, as in Traefik.
const USUAL: u64 = 100;
const DAY: Duration = Duration::from_hours(24);

/// When a file is put aside, and how many are kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Megabytes; 0: as usual.
    pub size: u64,
    /// Days that files are kept; 0: without end.
    pub age: u64,
    /// Files that are kept; 0: all.
    pub backups: usize,
    /// Files put aside are packed.
    pub compress: bool,
}

/// See the module.
pub(crate) struct Rotating {
    path: PathBuf,
    file: File,
    written: u64,
    most: u64,
    limits: Limits,
}

impl Rotating {
    /// Opens the file, with its folders.
    pub(crate) fn open(path: &Path, limits: Limits) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = append(path)?;
        // What is no file (a terminal, say) is never put aside.
        let about = file.metadata()?;
        let size = if limits.size == 0 { USUAL } else { limits.size };
        let most = if about.is_file() { size.saturating_mul(MEGABYTE) } else { u64::MAX };
        Ok(Self { path: path.to_owned(), file, written: about.len(), most, limits })
    }

    fn rotate(&mut self) -> io::Result<()> {
        let aside = self.aside();
        fs::rename(&self.path, &aside)?;
        self.file = append(&self.path)?;
        self.written = 0;
        let (path, limits) = (self.path.clone(), self.limits);
        // Packing takes its time; whoever logs does not wait for it.
        std::thread::Builder::new().name("log-rotation".to_owned()).spawn(move || tidy(&path, &aside, limits))?;
        Ok(())
    }

    fn aside(&self) -> PathBuf {
        let (stem, ending) = parts(&self.path);
        let time = Timestamp::now().strftime("%Y-%m-%dT%H-%M-%S%.3f");
        self.path.with_file_name(format!("{stem}-{time}{ending}"))
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// The name without its ending, and the ending with its dot.
fn parts(path: &Path) -> (String, String) {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy()));
    (stem, ending.unwrap_or_default())
}

/// Packs what was put aside, and forgets what is too old or too much. What fails is left as it is.
fn tidy(path: &Path, aside: &Path, limits: Limits) {
    if limits.compress {
        let _left_unpacked = pack(aside);
    }
    let (stem, _) = parts(path);
    let Some(entries) = path.parent().and_then(|folder| fs::read_dir(folder).ok()) else { return };
    let begins = format!("{stem}-");
    let is_ours =
        |name: &str| name.strip_prefix(&begins).is_some_and(|rest| rest.starts_with(|it: char| it.is_ascii_digit()));
    let mut old: Vec<PathBuf> = (entries.flatten())
        .filter(|entry| entry.file_name().to_str().is_some_and(is_ours))
        .map(|entry| entry.path())
        .collect();
    // Names hold the time, so that their order is that of time.
    old.sort();
    old.reverse();
    let too_many = if limits.backups == 0 { old.len() } else { limits.backups };
    let is_old = |path: &Path| {
        let changed = fs::metadata(path).and_then(|about| about.modified()).ok();
        let age = changed.and_then(|changed| SystemTime::now().duration_since(changed).ok());
        limits.age > 0 && age.is_some_and(|age| age > DAY * u32::try_from(limits.age).unwrap_or(u32::MAX))
    };
    for (number, path) in old.iter().enumerate() {
        if number >= too_many || is_old(path) {
            let _left_there = fs::remove_file(path);
        }
    }
}

fn pack(aside: &Path) -> io::Result<()> {
    let mut packed = aside.as_os_str().to_owned();
    packed.push(".gz");
    let mut out = flate2::write::GzEncoder::new(File::create(&packed)?, flate2::Compression::default());
    io::copy(&mut File::open(aside)?, &mut out)?;
    out.finish()?;
    fs::remove_file(aside)
}

impl Write for Rotating {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.written + line.len() as u64 > self.most && self.written > 0 && self.rotate().is_err() {
            // Tried again when as much has been written once more.
            self.written = 0;
        }
        let written = self.file.write(line)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_that_has_grown_is_put_aside_and_few_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/traefik.log");
        let limits = Limits { size: 1, backups: 1, ..Limits::default() };
        let mut log = Rotating::open(&path, limits).unwrap();
        let line = vec![b'x'; 600 << 10];
        log.write_all(&line).unwrap();
        assert_eq!(names(path.parent().unwrap()), ["traefik.log"]);
        log.write_all(&line).unwrap();
        let aside = names(path.parent().unwrap());
        assert!(
            aside.len() == 2 && aside[0].starts_with("traefik-2") && aside[0].strip_suffix(".log").is_some(),
            "{aside:?}"
        );
        assert_eq!(fs::metadata(&path).unwrap().len(), 600 << 10);
        let older = path.with_file_name("traefik-2001-01-01T00-00-00.000.log");
        fs::write(&older, "old").unwrap();
        fs::write(path.with_file_name("traefik-other.log"), "not ours").unwrap();
        tidy(&path, Path::new("/nowhere"), limits);
        assert!(!older.exists());
        assert_eq!(names(path.parent().unwrap()).len(), 3);
    }

    #[test]
    fn what_is_put_aside_may_be_packed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        fs::write(&path, "a\n").unwrap();
        pack(&path).unwrap();
        assert_eq!(names(folder.path()), ["a.log.gz"]);
    }
}
