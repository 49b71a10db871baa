use std::fs;

use super::*;
use crate::http::testing::{exchange, request};

const LARGE: usize = 200_000;

fn folder() -> tempfile::TempDir {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("www");
    fs::create_dir_all(root.join("docs")).unwrap();
    fs::create_dir(root.join("empty")).unwrap();
    for (name, text) in [
        ("www/index.html", "home"),
        ("www/docs/index.html", "docs"),
        ("www/app.js", "plain script"),
        ("www/app.js.br", "brotli"),
        ("www/app.js.gz", "gzip"),
        ("www/.secret", "hidden"),
        ("outside.txt", "outside"),
    ] {
        fs::write(outer.path().join(name), text).unwrap();
    }
    fs::write(root.join("large.bin"), "0123456789".repeat(LARGE / 10)).unwrap();
    std::os::unix::fs::symlink(outer.path().join("outside.txt"), root.join("link.txt")).unwrap();
    std::os::unix::fs::symlink(root.join(".secret"), root.join("shown.txt")).unwrap();
    std::os::unix::fs::symlink(root.join("index.html"), root.join("good.html")).unwrap();
    outer
}

fn settings(outer: &tempfile::TempDir) -> StaticFiles {
    StaticFiles { root: outer.path().join("www").display().to_string(), precompressed: true, ..StaticFiles::default() }
}

async fn ask(files: &Files, target: &'static str, headers: &[(&'static str, &str)]) -> Response {
    let mut asked = request(Method::GET, target);
    for (name, value) in headers {
        asked.headers.append(*name, (*value).to_owned());
    }
    files.call(asked, &mut exchange()).await
}

async fn text(mut response: Response) -> (u16, String) {
    let status = response.status.as_u16();
    let body = response.body.collect(u64::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn files_folders_and_what_is_denied() {
    let outer = folder();
    let files = Files::new(&settings(&outer)).unwrap();
    for (target, status, body) in [
        ("/", 200, "home"),
        ("/docs/", 200, "docs"),
        ("/docs", 301, ""),
        ("/good.html", 200, "home"),
        ("/app.js", 200, "plain script"),
        ("/empty/", 404, "404 page not found\n"),
        ("/app.js/", 404, "404 page not found\n"),
        ("/.secret", 404, "404 page not found\n"),
        ("/%2esecret", 404, "404 page not found\n"),
        ("/shown.txt", 404, "404 page not found\n"),
        ("/link.txt", 404, "404 page not found\n"),
        ("/../outside.txt", 404, "404 page not found\n"),
        ("/docs/%2e%2e/%2e%2e/outside.txt", 404, "404 page not found\n"),
        ("/docs/..%2f..%2foutside.txt", 404, "404 page not found\n"),
    ] {
        assert_eq!(text(ask(&files, target, &[]).await).await, (status, body.into()), "{target}");
    }
    let moved = ask(&files, "/docs?a=b", &[]).await;
    assert_eq!(moved.headers.get_str("Location"), Some("./docs/?a=b"));
    let post = files.call(request(Method::POST, "/"), &mut exchange()).await;
    assert_eq!((post.status.as_u16(), post.headers.get_str("Allow")), (405, Some("GET, HEAD")));
}

#[tokio::test]
async fn ranges_and_conditions() {
    let outer = folder();
    let files = Files::new(&settings(&outer)).unwrap();
    let first = ask(&files, "/large.bin", &[]).await;
    let tag = first.headers.get_str("ETag").unwrap().to_owned();
    let date = first.headers.get_str("Last-Modified").unwrap().to_owned();
    assert_eq!(text(first).await.1.len(), LARGE);
    for (header, value, status, length) in [
        ("Range", "bytes=0-4", 206, 5),
        ("Range", "bytes=199995-", 206, 5),
        ("Range", "bytes=-3", 206, 3),
        ("Range", "bytes=10-100009", 206, 100_000),
        ("Range", "bytes=200000-", 416, 0),
        ("Range", "bytes=5-1", 200, LARGE),
        ("Range", "bytes=0-1,5-6", 200, LARGE),
        ("If-None-Match", &tag, 304, 0),
        ("If-None-Match", "*", 304, 0),
        ("If-None-Match", "\"other\"", 200, LARGE),
        ("If-Modified-Since", &date, 304, 0),
        ("If-Match", "\"other\"", 412, 0),
    ] {
        let (found, body) = text(ask(&files, "/large.bin", &[(header, value)]).await).await;
        assert_eq!((found, body.len()), (status, length), "{header}: {value}");
    }
    let part = ask(&files, "/large.bin", &[("Range", "bytes=3-5"), ("If-Range", &tag)]).await;
    assert_eq!(part.headers.get_str("Content-Range"), Some("bytes 3-5/200000"));
    assert_eq!(text(part).await, (206, "345".into()));
    let changed = ask(&files, "/large.bin", &[("Range", "bytes=3-5"), ("If-Range", "\"old\"")]).await;
    assert_eq!(changed.status.as_u16(), 200);
}

#[tokio::test]
async fn precompressed_files() {
    let outer = folder();
    let files = Files::new(&settings(&outer)).unwrap();
    for (accepted, encoding, body) in [
        ("gzip, br", Some("br"), "brotli"),
        ("gzip", Some("gzip"), "gzip"),
        ("br;q=0, gzip;q=0.5", Some("gzip"), "gzip"),
        ("identity", None, "plain script"),
    ] {
        let answer = ask(&files, "/app.js", &[("Accept-Encoding", accepted)]).await;
        assert_eq!(answer.headers.get_str("Content-Encoding"), encoding);
        assert_eq!(answer.headers.get_str("Vary"), Some("Accept-Encoding"));
        assert_eq!(answer.headers.get_str("Content-Type"), Some("text/javascript; charset=utf-8"));
        assert_eq!(text(answer).await, (200, body.into()));
    }
}

#[tokio::test]
async fn a_page_in_the_place_of_what_does_not_exist() {
    let outer = folder();
    let files = Files::new(&StaticFiles { fallback: "index.html".into(), ..settings(&outer) }).unwrap();
    let page = ask(&files, "/some/route", &[("Accept", "text/html,*/*")]).await;
    assert_eq!(text(page).await, (200, "home".into()));
    assert_eq!(ask(&files, "/missing.js", &[("Accept", "*/*")]).await.status.as_u16(), 404);
}

#[test]
fn bad_settings_are_an_error() {
    let outer = folder();
    assert!(Files::new(&StaticFiles::default()).is_err());
    assert!(Files::new(&StaticFiles { root: "/does/not/exist".into(), ..settings(&outer) }).is_err());
    assert!(Files::new(&StaticFiles { fallback: "../x".into(), ..settings(&outer) }).is_err());
    assert!(Files::new(&StaticFiles { cache_control: "a\nb".into(), ..settings(&outer) }).is_err());
}
