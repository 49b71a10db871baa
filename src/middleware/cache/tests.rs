//! RFC 9111 as a table: what the service said, what came next and when, what the client gets and whether the service was
//! asked again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::task::LocalSet;
use trafficcop_exchange::{
    Body, Chain, Exchange, Fault, Headers, LocalBoxFuture, Method, Request, Response, Service, Side, Stage, StatusCode,
};

use crate::testing;

/// What a service says: a status, headers, a body. 0 is a connection that fails.
type Said = (u16, &'static [(&'static str, &'static str)], &'static str);

/// Says one after the other, the last for ever; keeps what it was asked.
#[derive(Default)]
struct Origin {
    says: Mutex<Vec<Said>>,
    asked: Mutex<Vec<Headers>>,
    /// Waits so long before it answers.
    takes: Duration,
}

impl Service for Origin {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            self.asked.lock().push(req.headers.clone());
            tokio::time::sleep(self.takes).await;
            let (status, headers, body) = {
                let mut says = self.says.lock();
                if says.len() > 1 { says.remove(0) } else { says[0] }
            };
            if status == 0 {
                cx.fault = Some(Fault::new(Side::Upstream, Stage::Connect, "refused"));
                return Response::new(StatusCode::BAD_GATEWAY);
            }
            let mut response = Response::new(StatusCode::from_u16(status).expect("a status"));
            response.headers = headers.iter().copied().collect();
            if req.method != Method::HEAD && status != 304 {
                response.body = Body::from(body);
            }
            response
        })
    }
}

struct Bench {
    origin: Arc<Origin>,
    chain: Chain,
}

impl Bench {
    fn new(settings: &str, says: &[Said]) -> Self {
        Self::slow(settings, says, Duration::ZERO)
    }

    fn slow(settings: &str, says: &[Said], takes: Duration) -> Self {
        let origin = Arc::new(Origin { says: Mutex::new(says.to_vec()), takes, ..Origin::default() });
        let chain = testing::chain("cache", settings, Arc::clone(&origin) as Arc<dyn Service>).expect("good settings");
        Self { origin, chain }
    }

    /// Status, body and what `Cache-Status` says.
    async fn ask(&self, method: Method, uri: &str, headers: &[(&'static str, &'static str)]) -> (u16, Bytes, Headers) {
        let mut request = testing::request(method, uri);
        request.headers = headers.iter().copied().collect();
        let mut exchange = testing::exchange();
        let mut response = self.chain.run(request, &mut exchange).await;
        let body = response.body.collect(1 << 20).await.expect("a whole body");
        (response.status.as_u16(), body, response.headers)
    }

    fn asked(&self) -> usize {
        self.origin.asked.lock().len()
    }
}

fn run(work: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    LocalSet::new().block_on(&runtime, work);
}

type Lines = &'static [(&'static str, &'static str)];

/// One request, `after` seconds, another one. `expected`: status, body, how often the service was asked in all.
#[track_caller]
fn check(says: &[Said], first: Lines, after: u64, second: Lines, expected: (u16, &str, usize)) {
    check_with("{}", says, first, after, second, expected);
}

#[track_caller]
fn check_with(settings: &str, says: &[Said], first: Lines, after: u64, second: Lines, expected: (u16, &str, usize)) {
    let caller = std::panic::Location::caller();
    run(async {
        let bench = Bench::new(settings, says);
        bench.ask(Method::GET, "/a", first).await;
        tokio::time::advance(Duration::from_secs(after)).await;
        let (status, body, headers) = bench.ask(Method::GET, "/a", second).await;
        // What is asked for behind an answer has its time.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let got = (status, &*String::from_utf8_lossy(&body), bench.asked());
        assert_eq!(got, expected, "{caller}: {headers:?}");
    });
}

const AGE: Lines = &[("Cache-Control", "max-age=60")];

#[test]
fn freshness() {
    let two = |headers: Lines| [(200, headers, "one"), (200, headers, "two")];
    check(&two(AGE), &[], 59, &[], (200, "one", 1));
    check(&two(AGE), &[], 61, &[], (200, "two", 2));
    check(&two(&[("Cache-Control", "max-age=60"), ("Age", "30")]), &[], 31, &[], (200, "two", 2));
    check(&two(&[("Cache-Control", "max-age=1, s-maxage=60")]), &[], 30, &[], (200, "one", 1));
    check(&two(&[("Expires", "Thu, 01 Jan 2099 00:00:00 GMT")]), &[], 30, &[], (200, "one", 1));
    check(&two(&[("Expires", "0")]), &[], 0, &[], (200, "two", 2));
    check(&two(&[]), &[], 0, &[], (200, "two", 2));
    check_with("{defaultTtl: 10s}", &two(&[]), &[], 9, &[], (200, "one", 1));
    check_with("{defaultTtl: 10s}", &two(&[]), &[], 11, &[], (200, "two", 2));
    let heuristic = &[("Date", "Tue, 01 Jan 2030 00:00:00 GMT"), ("Last-Modified", "Mon, 01 Jan 2029 00:00:00 GMT")];
    check(&two(heuristic), &[], 3600, &[], (200, "one", 1));
}

#[test]
fn what_must_not_be_kept() {
    let two = |headers: Lines| [(200, headers, "one"), (200, headers, "two")];
    for headers in [
        &[("Cache-Control", "no-store, max-age=60")] as Lines,
        &[("Cache-Control", "private, max-age=60")],
        &[("Cache-Control", "max-age=60"), ("Set-Cookie", "a=b")],
        &[("Cache-Control", "max-age=60"), ("Vary", "*")],
        &[("Cache-Control", "max-age=0")],
        &[("Cache-Control", "max-age=99999999999999999999"), ("Age", "18446744073709551615")],
        &[("Cache-Control", "max-age=18446744073709551615"), ("Age", "18446744073709551615")],
    ] {
        check(&two(headers), &[], 1, &[], (200, "two", 2));
    }
    check(&two(AGE), &[("Cache-Control", "no-store")], 1, &[], (200, "two", 2));
    check(&[(500, AGE, "one"), (500, AGE, "two")], &[], 1, &[], (500, "two", 2));
    check(&[(404, AGE, "one"), (404, AGE, "two")], &[], 1, &[], (404, "one", 1));
    check(&[(206, AGE, "one"), (206, AGE, "two")], &[], 1, &[], (206, "two", 2));
    check_with("{maxEntryBytes: 2}", &two(AGE), &[], 1, &[], (200, "two", 2));
    check_with("{maxBytes: 100}", &two(AGE), &[], 1, &[], (200, "two", 2));
}

#[test]
fn authorization() {
    const WHO: Lines = &[("Authorization", "Bearer x")];
    let two = |headers: Lines| [(200, headers, "one"), (200, headers, "two")];
    check(&two(AGE), WHO, 1, WHO, (200, "two", 2));
    check(&two(&[("Cache-Control", "public, max-age=60")]), WHO, 1, WHO, (200, "one", 1));
    check(&two(&[("Cache-Control", "s-maxage=60")]), WHO, 1, WHO, (200, "one", 1));
    check(&two(&[("Cache-Control", "must-revalidate, max-age=60")]), WHO, 1, WHO, (200, "one", 1));
    check(&two(&[("Cache-Control", "proxy-revalidate, max-age=60")]), WHO, 1, WHO, (200, "two", 2));
    check(&two(&[("Cache-Control", "proxy-revalidate, max-age=60")]), &[], 1, &[], (200, "one", 1));
}

#[test]
fn vary() {
    const VARY: Lines = &[("Cache-Control", "max-age=60"), ("Vary", "Accept-Language")];
    let two = [(200, VARY, "one"), (200, VARY, "two")];
    check(&two, &[("Accept-Language", "de")], 1, &[("Accept-Language", "de")], (200, "one", 1));
    check(&two, &[("Accept-Language", "de")], 1, &[("Accept-Language", "en")], (200, "two", 2));
    check(&two, &[("Accept-Language", "de")], 1, &[], (200, "two", 2));
    run(async {
        let bench = Bench::new("{}", &two);
        for (language, expected) in [("de", "one"), ("en", "two"), ("de", "one"), ("en", "two")] {
            let line: Lines =
                if language == "de" { &[("Accept-Language", "de")] } else { &[("Accept-Language", "en")] };
            assert_eq!(bench.ask(Method::GET, "/a", line).await.1, expected);
        }
        assert_eq!(bench.asked(), 2);
    });
}

#[test]
fn requests_have_a_say() {
    let two = [(200, AGE, "one"), (200, AGE, "two")];
    check(&two, &[], 1, &[("Cache-Control", "no-cache")], (200, "two", 2));
    check(&two, &[], 1, &[("Pragma", "no-cache")], (200, "two", 2));
    check(&two, &[], 10, &[("Cache-Control", "max-age=5")], (200, "two", 2));
    check(&two, &[], 10, &[("Cache-Control", "max-age=20")], (200, "one", 1));
    check(&two, &[], 50, &[("Cache-Control", "min-fresh=20")], (200, "two", 2));
    check(&two, &[], 70, &[("Cache-Control", "max-stale=20")], (200, "one", 1));
    check(&two, &[], 90, &[("Cache-Control", "max-stale=20")], (200, "two", 2));
    check(&two, &[], 10, &[("Cache-Control", "only-if-cached")], (200, "one", 1));
    check(&two, &[], 70, &[("Cache-Control", "only-if-cached")], (504, "Gateway Timeout", 1));
    let strict: Lines = &[("Cache-Control", "max-age=60, must-revalidate")];
    check(&[(200, strict, "one"), (200, strict, "two")], &[], 70, &[("Cache-Control", "max-stale")], (200, "two", 2));
}

#[test]
fn revalidation() {
    const TAGGED: Lines = &[("Cache-Control", "max-age=60"), ("ETag", "\"v1\"")];
    check(&[(200, TAGGED, "one"), (304, TAGGED, "")], &[], 61, &[], (200, "one", 2));
    check(&[(200, TAGGED, "one"), (200, TAGGED, "two")], &[], 61, &[], (200, "two", 2));
    let always: Lines = &[("Cache-Control", "no-cache"), ("ETag", "\"v1\"")];
    check(&[(200, always, "one"), (304, always, "")], &[], 1, &[], (200, "one", 2));
    let dated: Lines = &[("Cache-Control", "max-age=60"), ("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")];
    check(&[(200, dated, "one"), (304, dated, "")], &[], 61, &[], (200, "one", 2));
    run(async {
        let fresh: Lines = &[("Cache-Control", "max-age=100"), ("ETag", "\"v1\""), ("X-New", "1")];
        let bench = Bench::new("{}", &[(200, TAGGED, "one"), (304, fresh, ""), (200, TAGGED, "two")]);
        bench.ask(Method::GET, "/a", &[("If-None-Match", "\"other\"")]).await;
        tokio::time::advance(Duration::from_secs(61)).await;
        let (_, _, headers) = bench.ask(Method::GET, "/a", &[("If-None-Match", "\"other\"")]).await;
        assert_eq!(bench.origin.asked.lock()[1].get_str("If-None-Match"), Some("\"v1\""));
        assert_eq!((headers.get_str("X-New"), headers.get_str("Age")), (Some("1"), Some("0")));
        assert!(headers.get_str("Cache-Status").is_some_and(|told| told.contains("fwd=stale; fwd-status=304; stored")));
        // What the 304 said holds from now on.
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(bench.ask(Method::GET, "/a", &[]).await.1, "one");
        assert_eq!(bench.asked(), 2);
        let (status, body, _) = bench.ask(Method::GET, "/a", &[("If-None-Match", "W/\"v1\"")]).await;
        assert_eq!((status, body.len(), bench.asked()), (304, 0, 2));
    });
}

#[test]
fn stale_while_revalidate() {
    let allowed: Lines = &[("Cache-Control", "max-age=60, stale-while-revalidate=30")];
    check(&[(200, allowed, "one"), (200, allowed, "two")], &[], 80, &[], (200, "one", 2));
    check(&[(200, allowed, "one"), (200, allowed, "two")], &[], 91, &[], (200, "two", 2));
    check_with("{staleWhileRevalidate: 30s}", &[(200, AGE, "one"), (200, AGE, "two")], &[], 80, &[], (200, "one", 2));
    let strict: Lines = &[("Cache-Control", "max-age=60, must-revalidate, stale-while-revalidate=30")];
    check(&[(200, strict, "one"), (200, strict, "two")], &[], 80, &[], (200, "two", 2));
    run(async {
        let bench = Bench::new("{}", &[(200, allowed, "one"), (200, allowed, "two")]);
        bench.ask(Method::GET, "/a", &[]).await;
        tokio::time::advance(Duration::from_secs(80)).await;
        assert_eq!(bench.ask(Method::GET, "/a", &[]).await.1, "one");
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!((bench.ask(Method::GET, "/a", &[]).await.1, bench.asked()), ("two".into(), 2));
    });
}

#[test]
fn stale_if_error() {
    let allowed: Lines = &[("Cache-Control", "max-age=60, stale-if-error=30")];
    check(&[(200, allowed, "one"), (503, &[], "no")], &[], 80, &[], (200, "one", 2));
    check(&[(200, allowed, "one"), (0, &[], "")], &[], 80, &[], (200, "one", 2));
    check(&[(200, allowed, "one"), (503, &[], "no")], &[], 91, &[], (503, "no", 2));
    check(&[(200, AGE, "one"), (503, &[], "no")], &[], 61, &[], (503, "no", 2));
    check_with("{staleIfError: 1h}", &[(200, AGE, "one"), (503, &[], "no")], &[], 3000, &[], (200, "one", 2));
    let shared: Lines = &[("Cache-Control", "s-maxage=60")];
    check_with("{staleIfError: 1h}", &[(200, shared, "one"), (503, &[], "no")], &[], 61, &[], (503, "no", 2));
}

#[test]
fn ranges_heads_and_what_changes() {
    run(async {
        let tagged: Lines = &[("Cache-Control", "max-age=60"), ("ETag", "\"v1\"")];
        let bench = Bench::new("{}", &[(200, tagged, "0123456789"), (200, tagged, "new")]);
        assert_eq!(bench.ask(Method::HEAD, "/a", &[]).await.0, 200);
        bench.origin.says.lock().insert(0, (200, tagged, "0123456789"));
        bench.ask(Method::GET, "/a", &[]).await;
        let (status, body, headers) = bench.ask(Method::GET, "/a", &[("Range", "bytes=2-4")]).await;
        assert_eq!((status, &body[..]), (206, &b"234"[..]));
        assert_eq!(headers.get_str("Content-Range"), Some("bytes 2-4/10"));
        assert_eq!(bench.ask(Method::GET, "/a", &[("Range", "bytes=20-")]).await.0, 416);
        let if_range = &[("Range", "bytes=2-4"), ("If-Range", "\"old\"")];
        assert_eq!(bench.ask(Method::GET, "/a", if_range).await.0, 200);
        let (status, body, headers) = bench.ask(Method::HEAD, "/a", &[]).await;
        assert_eq!((status, body.len(), headers.get_str("Content-Length")), (200, 0, Some("10")));
        assert_eq!(bench.asked(), 2);
        bench.ask(Method::POST, "/a", &[]).await;
        assert_eq!((bench.ask(Method::GET, "/a", &[]).await.1, bench.asked()), ("new".into(), 4));
        bench.ask(Method::GET, "/b?x=1", &[]).await;
        assert_eq!(bench.asked(), 5, "another address is another thing");
    });
}

#[test]
fn those_who_come_together_ask_once() {
    run(async {
        let bench = Bench::slow("{}", &[(200, AGE, "one")], Duration::from_secs(1));
        let all = (0..50).map(|_| bench.ask(Method::GET, "/a", &[]));
        let answers = futures_util::future::join_all(all).await;
        assert!(answers.iter().all(|(status, body, _)| (*status, &body[..]) == (200, b"one")));
        assert_eq!(bench.asked(), 1);
        let bench = Bench::slow("{}", &[(200, &[], "one")], Duration::from_secs(1));
        let all = (0..50).map(|_| bench.ask(Method::GET, "/a", &[]));
        let begun = tokio::time::Instant::now();
        futures_util::future::join_all(all).await;
        assert_eq!((bench.asked(), begun.elapsed().as_secs()), (50, 2), "what is not kept is waited for once");
        let all = (0..50).map(|_| bench.ask(Method::GET, "/a", &[]));
        futures_util::future::join_all(all).await;
        assert_eq!((bench.asked(), begun.elapsed().as_secs()), (100, 3), "and then not at all");
    });
}

#[test]
fn memory_is_bounded_and_may_be_emptied() {
    run(async {
        let bench = Bench::new("{maxBytes: 20000, purge: true}", &[(200, AGE, "x")]);
        for number in 0..100 {
            bench.ask(Method::GET, &format!("/{number}"), &[]).await;
        }
        let router = "r@test";
        let mine = || super::caches().into_iter().filter(|cache| cache.router == router).map(|cache| cache.bytes).max();
        assert!(mine().is_some_and(|bytes| bytes > 10_000 && bytes <= 20_000), "{:?}", mine());
        bench.ask(Method::GET, "/99", &[]).await;
        assert_eq!(bench.asked(), 100, "the last is still there");
        bench.ask(Method::GET, "/0", &[]).await;
        assert_eq!(bench.asked(), 101, "the first is not");
        assert!(super::purge(Some(router), Some("http://a.test/9*")) > Some(1));
        bench.ask(Method::GET, "/99", &[]).await;
        assert_eq!(bench.asked(), 102);
        assert_eq!(super::purge(Some("none@test"), None), None);
    });
}
