//! [`Storage`]: where certificates and accounts are kept; [`File`] is Traefik's `acme.json`. The other kind is
//! [`crate::shared::SharedStorage`].

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::contents::{self, Change, Contents};

/// A place to keep everything in. Its calls may block: they are made on threads that may.
pub(crate) trait Storage: Send + Sync + 'static {
    fn load(&self) -> Result<Contents, String>;

    /// Replaces what was kept, wholly or not at all. `news` is what differs from what was loaded last.
    fn save(&self, contents: &Contents, news: &[Change]) -> Result<(), String>;
}

/// Keeps nothing, as its settings cannot be used.
pub(crate) struct Nothing;

impl Storage for Nothing {
    fn load(&self) -> Result<Contents, String> {
        Ok(Contents::new())
    }

    fn save(&self, _: &Contents, _: &[Change]) -> Result<(), String> {
        Err("there is no storage".to_owned())
    }
}

pub(crate) struct File {
    path: PathBuf,
}

impl File {
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn told(&self) -> impl Fn(io::Error) -> String + '_ {
        |error| format!("{}: {error}", self.path.display())
    }
}

impl Storage for File {
    /// A missing file is made, so that a folder that cannot be written is noticed at once. One that others can read is
    /// refused, as by Traefik.
    fn load(&self) -> Result<Contents, String> {
        if !self.path.exists() {
            create(&self.path).map_err(self.told())?;
            return Ok(Contents::new());
        }
        check_mode(&self.path)?;
        let text = std::fs::read(&self.path).map_err(self.told())?;
        contents::read(&text).map_err(|error| format!("{}: {error}", self.path.display()))
    }

    /// A file that is a mount of its own cannot be replaced and is written over.
    fn save(&self, contents: &Contents, _: &[Change]) -> Result<(), String> {
        let text = contents::write(contents);
        // Behind a link stands the file that is meant.
        let path = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let replaced = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            keep_owner(&path, file.as_file());
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        });
        replaced.or_else(|_| std::fs::write(&path, &text)).map_err(self.told())
    }
}

/// Whoever owned the file owns its successor, as far as we may say so.
#[cfg(unix)]
fn keep_owner(path: &Path, file: &std::fs::File) {
    use std::os::unix::fs::MetadataExt;
    if let (Ok(before), Ok(now)) = (std::fs::metadata(path), file.metadata())
        && (before.uid(), before.gid()) != (now.uid(), now.gid())
    {
        let _not_allowed = std::os::unix::fs::fchown(file, Some(before.uid()), Some(before.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &std::fs::File) {}

fn create(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(format!("permissions {:o} for {} are too open, please use 600", mode & 0o777, path.display()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_: &Path) -> Result<(), String> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).map_or(0, |data| data.permissions().mode() & 0o777)
    }

    #[test]
    fn the_file_is_ours_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acme.json");
        let file = File::new(&path);
        assert!(file.load().unwrap().is_empty());
        assert_eq!(mode(&path), 0o600);
        file.save(&Contents::from([("le".to_owned(), contents::Stored::default())]), &[]).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(file.load().unwrap().len(), 1);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left behind");
    }

    #[test]
    fn one_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acme.json");
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = File::new(&path).load().unwrap_err();
        assert!(refused.contains("permissions 644") && refused.contains("too open, please use 600"), "{refused}");
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("real.json"), folder.path().join("acme.json"));
        create(&path).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        File::new(&link).save(&Contents::new(), &[]).unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}");
    }
}
