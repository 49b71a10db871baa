//! [`Files`]: a service that answers with the files of a folder.
//!
//! GET and HEAD only. A path is decoded and must then stay within the folder, links included; names that begin with a dot
//! are denied, except `.well-known`. Files carry ETag and Last-Modified, and one range of them can be asked for.

mod conditions;
mod path;
mod types;

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use bytes::Bytes;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt, ReadBuf};
use trafficcop_config::dynamic::http::StaticFiles;
use trafficcop_exchange::conditions::{Range, Validators, Verdict, judge};
use trafficcop_exchange::{
    Body, BodyError, BodyStream, Exchange, Frame, LocalBoxFuture, Method, Reason, Request, Response, Service,
    StatusCode, reply,
};

use crate::BuildError;

/// Files and ranges up to this size are read at once.
const ONE_PIECE: u64 = 64 << 10;

/// See the module.
#[derive(Debug)]
pub struct Files {
    /// Without links, so that paths can be compared with it.
    root: PathBuf,
    index: Box<[PathBuf]>,
    fallback: Option<PathBuf>,
    precompressed: bool,
    cache_control: Option<Bytes>,
}

/// A file that was found.
struct Found {
    file: File,
    size: u64,
    modified: SystemTime,
    kind: &'static str,
    encoding: Option<&'static str>,
}

enum Lookup {
    File(Found),
    /// A folder whose path does not end with a slash.
    Folder,
    Nothing,
}

impl Files {
    /// Looks whether the folder is there: for the control plane.
    pub fn new(settings: &StaticFiles) -> Result<Arc<Self>, BuildError> {
        let bad = |problem: String| BuildError::Files { root: settings.root.clone(), problem };
        if settings.root.is_empty() {
            return Err(bad("root is missing: the folder whose files are served".into()));
        }
        let root = Path::new(&settings.root).canonicalize().map_err(|error| bad(error.to_string()))?;
        if !root.is_dir() {
            return Err(bad("it is no folder".into()));
        }
        let within =
            |name: &String| path::relative(name).ok_or_else(|| bad(format!("{name:?} is no name of a file within it")));
        let cache_control = Some(&settings.cache_control).filter(|value| !value.is_empty());
        if cache_control.is_some_and(|value| value.bytes().any(|byte| byte < b' ' || byte == 127)) {
            return Err(bad("cacheControl is no header value".into()));
        }
        Ok(Arc::new(Self {
            root,
            index: settings.index.iter().map(within).collect::<Result<_, _>>()?,
            fallback: Some(&settings.fallback).filter(|name| !name.is_empty()).map(within).transpose()?,
            precompressed: settings.precompressed,
            cache_control: cache_control.map(|value| Bytes::from(value.clone())),
        }))
    }

    async fn answer(&self, request: Request, cx: &mut Exchange) -> Response {
        if request.method != Method::GET && request.method != Method::HEAD {
            cx.reason = Some(Reason::MethodNotAllowed);
            let mut response = reply::error(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
            response.headers.append("Allow", "GET, HEAD");
            return response;
        }
        let mut found = match path::relative(request.target.path()) {
            Some(path) => self.look_up(&path, request.target.path().ends_with('/'), &request).await,
            None => Lookup::Nothing,
        };
        if let (Lookup::Nothing, Some(fallback)) = (&found, &self.fallback)
            && wants_a_page(&request)
        {
            found = self.open(&self.root.join(fallback), &request).await.map_or(Lookup::Nothing, Lookup::File);
        }
        match found {
            Lookup::File(file) => self.send(file, &request, cx).await,
            Lookup::Folder => {
                cx.reason = Some(Reason::Redirect);
                to_the_folder(&request)
            }
            Lookup::Nothing => {
                cx.reason = Some(Reason::NoFile);
                reply::not_found()
            }
        }
    }

    async fn look_up(&self, path: &Path, as_folder: bool, request: &Request) -> Lookup {
        let whole = self.root.join(path);
        let Ok(about) = tokio::fs::metadata(&whole).await else { return Lookup::Nothing };
        if !about.is_dir() {
            let opened = if as_folder { None } else { self.open(&whole, request).await };
            return opened.map_or(Lookup::Nothing, Lookup::File);
        }
        for name in &self.index {
            if let Some(found) = self.open(&whole.join(name), request).await {
                return if as_folder { Lookup::File(found) } else { Lookup::Folder };
            }
        }
        Lookup::Nothing
    }

    /// That file, or a compressed form of it.
    async fn open(&self, path: &Path, request: &Request) -> Option<Found> {
        let kind = types::of(path);
        if self.precompressed {
            for (coding, ending) in [("br", ".br"), ("gzip", ".gz")] {
                if conditions::accepts(&request.headers, coding) {
                    let mut name = path.as_os_str().to_owned();
                    name.push(ending);
                    if let Some(found) = self.open_as(Path::new(&name), kind, Some(coding)).await {
                        return Some(found);
                    }
                }
            }
        }
        self.open_as(path, kind, None).await
    }

    async fn open_as(&self, path: &Path, kind: &'static str, encoding: Option<&'static str>) -> Option<Found> {
        // Where links lead decides, not where they lie.
        let real = tokio::fs::canonicalize(path).await.ok()?;
        path::is_public(real.strip_prefix(&self.root).ok()?).then_some(())?;
        // A pipe would wait for a writer when it is opened.
        tokio::fs::metadata(&real).await.ok()?.is_file().then_some(())?;
        let file = File::open(real).await.ok()?;
        let about = file.metadata().await.ok()?;
        let modified = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        about.is_file().then(|| Found { file, size: about.len(), modified, kind, encoding })
    }

    async fn send(&self, mut found: Found, request: &Request, cx: &mut Exchange) -> Response {
        let tag = conditions::tag(found.modified, found.size, found.encoding);
        let validators = Validators { tag: Some(&tag), modified: Some(found.modified) };
        let verdict = judge(&request.headers, validators, found.size);
        let mut response = Response::new(verdict.status());
        let headers = &mut response.headers;
        headers.append("Accept-Ranges", "bytes");
        headers.append("ETag", tag);
        headers.append("Last-Modified", conditions::date(found.modified));
        if let Some(value) = &self.cache_control {
            headers.append("Cache-Control", value.clone());
        }
        if self.precompressed {
            headers.append("Vary", "Accept-Encoding");
        }
        let Range { start, length } = match verdict {
            Verdict::NotModified | Verdict::Failed => return response,
            Verdict::Unsatisfiable => {
                headers.append("Content-Range", format!("bytes */{}", found.size));
                return response;
            }
            Verdict::Whole => Range { start: 0, length: found.size },
            Verdict::Part(range) => {
                let last = range.start + range.length - 1;
                headers.append("Content-Range", format!("bytes {}-{last}/{}", range.start, found.size));
                range
            }
        };
        headers.append("Content-Type", found.kind);
        headers.append("Content-Length", length.to_string());
        if let Some(encoding) = found.encoding {
            headers.append("Content-Encoding", encoding);
        }
        if request.method == Method::HEAD {
            return response;
        }
        match read(&mut found.file, start, length).await {
            Ok(Some(bytes)) => response.body = Body::Full(bytes),
            Ok(None) => response.body = Body::stream(Piecewise { file: found.file, rest: length }),
            Err(error) => {
                tracing::warn!(%error, path = request.target.path(), "A file cannot be read.");
                cx.reason = Some(Reason::Failed);
                return reply::error(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
            }
        }
        response
    }
}

/// All of it if it is short; else the file stands where it begins.
async fn read(file: &mut File, start: u64, length: u64) -> io::Result<Option<Bytes>> {
    if start > 0 {
        file.seek(io::SeekFrom::Start(start)).await?;
    }
    if length > ONE_PIECE {
        return Ok(None);
    }
    let mut bytes = vec![0; length as usize];
    file.read_exact(&mut bytes).await?;
    Ok(Some(bytes.into()))
}

fn wants_a_page(request: &Request) -> bool {
    request.headers.get_all("Accept").any(|value| value.windows(9).any(|part| part.eq_ignore_ascii_case(b"text/html")))
}

/// Relative, so that it holds behind whatever has taken a prefix away.
fn to_the_folder(request: &Request) -> Response {
    let last = request.target.path().rsplit('/').next().unwrap_or("");
    let query = request.target.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut response = reply::empty(StatusCode::MOVED_PERMANENTLY);
    response.headers.append("Location", format!("./{last}/{query}"));
    response
}

/// A file in pieces, as they are wanted.
struct Piecewise {
    file: File,
    rest: u64,
}

impl BodyStream for Piecewise {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        if self.rest == 0 {
            return Poll::Ready(None);
        }
        let mut piece = vec![0; self.rest.min(ONE_PIECE) as usize];
        let mut buffer = ReadBuf::new(&mut piece);
        if let Err(error) = ready!(Pin::new(&mut self.file).poll_read(cx, &mut buffer)) {
            return Poll::Ready(Some(Err(BodyError::Other(error.into()))));
        }
        let filled = buffer.filled().len();
        if filled == 0 {
            // It has become shorter than was announced.
            return Poll::Ready(Some(Err(BodyError::Incomplete)));
        }
        piece.truncate(filled);
        self.rest -= filled as u64;
        Poll::Ready(Some(Ok(Frame::Data(piece.into()))))
    }
}

impl Service for Files {
    fn call<'a>(&'a self, request: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        Box::pin(self.answer(request, cx))
    }
}

#[cfg(test)]
mod tests;
