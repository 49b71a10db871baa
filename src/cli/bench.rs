//! `trafficcop bench URL`: sends requests and says, while it does and at the end, how fast they are answered.
//!
//! A tool for looking, not a reference: it runs beside what it measures. Each connection sends its next request when the
//! last is answered, or, with `--rate`, when it is due.

mod tally;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method};
use trafficcop_config::settings::ClientTls;

use tally::Tally;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the line that shows the progress is written anew.
const LINE: Duration = Duration::from_millis(200);
/// More connections than this are an attack, not a test.
const MOST_CONNECTIONS: usize = 1000;
const USAGE: &str = "usage: trafficcop bench URL [--connections 8] [--seconds 10] [--rate N] [--method M] \
                     [--header 'N: V'] [--body TEXT] [--insecure]";

/// What was asked for.
#[derive(Clone, Debug)]
struct Asked {
    url: String,
    connections: usize,
    time: Duration,
    /// Requests per second, all connections together.
    rate: Option<f64>,
    method: Method,
    headers: HeaderMap,
    body: String,
    /// Certificates are not looked at.
    insecure: bool,
}

/// 0: every answer came and was below 500, 1: not every one, 2: nothing could be sent.
pub(super) fn run(words: &[String]) -> ExitCode {
    let done = Asked::read(words).and_then(|asked| bench(&asked));
    match done {
        Ok(tally) => {
            let _nobody_reads = std::io::stdout().write_all(tally.summary().as_bytes());
            ExitCode::from(u8::from(!tally.is_well()))
        }
        Err(message) => {
            let _nobody_reads = writeln!(std::io::stderr(), "bench: {message}");
            ExitCode::from(2)
        }
    }
}

impl Asked {
    fn read(words: &[String]) -> Result<Self, String> {
        let mut asked = Self {
            url: String::new(),
            connections: 8,
            time: Duration::from_secs(10),
            rate: None,
            method: Method::GET,
            headers: HeaderMap::new(),
            body: String::new(),
            insecure: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let Some(option) = word.strip_prefix("--") else {
                asked.url.clone_from(word);
                continue;
            };
            if option == "insecure" {
                asked.insecure = true;
                continue;
            }
            let (name, value) = match option.split_once('=') {
                Some((name, value)) => (name, value.to_owned()),
                None => (option, words.next().ok_or_else(|| format!("flag needs an argument: {word}"))?.clone()),
            };
            asked.set(name, value)?;
        }
        if asked.url.is_empty() {
            return Err(USAGE.to_owned());
        }
        if !asked.url.contains("://") {
            asked.url.insert_str(0, "http://");
        }
        Ok(asked)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        let number = || value.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
        let positive = || number().ok_or_else(|| format!("--{name}: {value} is no number above 0"));
        match name {
            "connections" => self.connections = (positive()?.ceil() as usize).min(MOST_CONNECTIONS),
            "seconds" => self.time = Duration::try_from_secs_f64(positive()?).map_err(|error| error.to_string())?,
            "rate" => self.rate = Some(positive()?),
            "method" => self.method = value.parse().map_err(|_| format!("{value} is no method"))?,
            "header" => {
                let (name, value) = value.split_once(':').ok_or_else(|| format!("{value:?} is not `name: value`"))?;
                let named: HeaderName = name.trim().parse().map_err(|_| format!("{name:?} is no name of a header"))?;
                let value: HeaderValue =
                    value.trim().parse().map_err(|_| format!("{value:?} is no value of a header"))?;
                self.headers.append(named, value);
            }
            "body" => self.body = value,
            _ => return Err(format!("there is no option {name}; {USAGE}")),
        }
        Ok(())
    }
}

fn bench(asked: &Asked) -> Result<Tally, String> {
    let tls = ClientTls { insecure_skip_verify: asked.insecure, ..ClientTls::default() };
    let client = trafficcop_remote::client(Some(&tls), "bench").map_err(|error| error.to_string())?;
    let client =
        client.timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(asked.connections);
    let client = client.build().map_err(|error| error.to_string())?;
    // Before anything is counted: a URL that cannot be asked is a mistake, not a result.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let first = request(&client, asked).send().await.map_err(trafficcop_remote::words)?;
        let _read = first.bytes().await.map_err(trafficcop_remote::words)?;
        let tally = Arc::new(Mutex::new(Tally::default()));
        let (started, due) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let mut sending = tokio::task::JoinSet::new();
        for _ in 0..asked.connections {
            sending.spawn(send(client.clone(), asked.clone(), Arc::clone(&tally), Arc::clone(&due), started));
        }
        let shows = std::io::stderr().is_terminal();
        let mut ticks = tokio::time::interval(LINE);
        while !sending.is_empty() {
            tokio::select! {
                _ = ticks.tick(), if shows => {
                    let line = tally.lock().line(started.elapsed());
                    let _nobody_reads = write!(std::io::stderr(), "\r\u{1b}[K{line}");
                }
                _ = sending.join_next() => {}
            }
        }
        if shows {
            let _nobody_reads = write!(std::io::stderr(), "\r\u{1b}[K");
        }
        let mut tally = std::mem::take(&mut *tally.lock());
        tally.took = started.elapsed();
        Ok(tally)
    })
}

fn request(client: &Client, asked: &Asked) -> reqwest::RequestBuilder {
    let request = client.request(asked.method.clone(), &asked.url).headers(asked.headers.clone());
    if asked.body.is_empty() { request } else { request.body(asked.body.clone()) }
}

/// One connection's requests, one after the other, until the time is over.
async fn send(client: Client, asked: Asked, tally: Arc<Mutex<Tally>>, due: Arc<AtomicU64>, started: Instant) {
    loop {
        let mut begun = Instant::now();
        if let Some(rate) = asked.rate {
            let number = due.fetch_add(1, Ordering::Relaxed);
            let at = started + Duration::from_secs_f64(number as f64 / rate);
            if at.duration_since(started) >= asked.time {
                return;
            }
            tokio::time::sleep_until(at.into()).await;
            // From when it was due: what waits for others before it is slow as well.
            begun = at;
        }
        if started.elapsed() >= asked.time {
            return;
        }
        let answered = async {
            let answer = request(&client, &asked).send().await?;
            let status = answer.status().as_u16();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?.len()))
        };
        let answered = answered.await;
        let took = begun.elapsed();
        match answered {
            Ok((status, bytes)) => tally.lock().answered(status, bytes, took),
            Err(error) => {
                tally.lock().failed(&trafficcop_remote::words(error));
                // A server that refuses is not to be asked a million times.
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_read() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let asked = Asked::read(&words("a.test/x --connections 2 --seconds=0.5 --rate 10 --header X-A:1")).unwrap();
        assert_eq!((asked.url.as_str(), asked.connections, asked.rate), ("http://a.test/x", 2, Some(10.0)));
        assert_eq!((asked.time, asked.headers["x-a"].as_bytes()), (Duration::from_millis(500), &b"1"[..]));
        for wrong in ["--seconds 1", "http://a --seconds 0", "http://a --nothing 1", "http://a --rate"] {
            assert!(Asked::read(&words(wrong)).is_err(), "{wrong}");
        }
    }
}
