//! As much of `wget` as health probes in images without a shell need: `wget -q --spider URL`, `wget -qO- URL`.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use super::health::{Answer, Method, ask};

/// Runs as `wget`: 0 if the answer is a success, 1 otherwise. Options that only change what is shown are accepted.
pub(super) fn run(arguments: &[String], out: &mut impl Write) -> ExitCode {
    match Fetch::read(arguments).and_then(|fetch| fetch.run(out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(std::io::stderr().lock(), "wget: {message}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Fetch {
    url: String,
    spider: bool,
    /// Where the body goes; none means a file named as the last part of the URL, which a probe has no use for.
    output: Option<String>,
    timeout: Duration,
}

impl Fetch {
    fn read(arguments: &[String]) -> Result<Self, String> {
        let mut fetch = Self { url: String::new(), spider: false, output: None, timeout: Duration::from_secs(15) };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
            let mut value = || value.map(str::to_owned).or_else(|| words.next().cloned()).unwrap_or_default();
            match name {
                "--spider" => fetch.spider = true,
                "--output-document" => fetch.output = Some(value()),
                "--timeout" => fetch.timeout = seconds(&value())?,
                "--tries" | "--user-agent" | "--header" => drop(value()),
                _ if name.starts_with("--") => {}
                _ if name.starts_with('-') => fetch.short(&word[1..], &mut words)?,
                _ => fetch.url.clone_from(word),
            }
        }
        if fetch.url.is_empty() { Err("no address was given".into()) } else { Ok(fetch) }
    }

    /// Options of one letter, several behind one dash; the value of the last may follow at once: `-qO-`.
    fn short<'a>(&mut self, letters: &str, words: &mut impl Iterator<Item = &'a String>) -> Result<(), String> {
        for (at, letter) in letters.char_indices() {
            let rest = &letters[at + letter.len_utf8()..];
            let mut value =
                || if rest.is_empty() { words.next().cloned().unwrap_or_default() } else { rest.to_owned() };
            match letter {
                'O' => self.output = Some(value()),
                'T' => self.timeout = seconds(&value())?,
                't' | 'U' | 'o' => drop(value()),
                'n' => {}
                _ => continue,
            }
            return Ok(());
        }
        Ok(())
    }

    fn run(&self, out: &mut impl Write) -> Result<(), String> {
        let method = if self.spider { Method::Head } else { Method::Get };
        let url = if self.url.contains("://") { self.url.clone() } else { format!("http://{}", self.url) };
        let mut answer = ask(method, &url, self.timeout)?;
        // Not every server answers HEAD.
        if self.spider && matches!(answer.status, 405 | 501) {
            answer = ask(Method::Get, &url, self.timeout)?;
        }
        let Answer { status, reason, body } = answer;
        if !(200..300).contains(&status) {
            return Err(format!("server returned error: {status} {reason}"));
        }
        match self.output.as_deref() {
            _ if self.spider => Ok(()),
            Some("-") => out.write_all(&body).map_err(|error| error.to_string()),
            Some(file) => std::fs::write(file, body).map_err(|error| format!("cannot write {file}: {error}")),
            None => Ok(()),
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0).ok_or_else(|| format!("invalid number {text:?}"))?;
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Fetch;

    #[track_caller]
    fn check(arguments: &str, spider: bool, output: Option<&str>, timeout: u64) {
        let words: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        let (url, output) = ("http://a/ping".to_owned(), output.map(str::to_owned));
        assert_eq!(Fetch::read(&words), Ok(Fetch { url, spider, output, timeout: Duration::from_secs(timeout) }));
    }

    #[test]
    fn probes_of_all_spellings_are_understood() {
        check("-q --spider http://a/ping", true, None, 15);
        check("--no-verbose --tries=1 --spider http://a/ping", true, None, 15);
        check("--no-verbose --tries 1 --spider http://a/ping", true, None, 15);
        check("-qO- http://a/ping", false, Some("-"), 15);
        check("-q -O - -T 3 http://a/ping", false, Some("-"), 3);
        check("-q -T3 -O /dev/null http://a/ping", false, Some("/dev/null"), 3);
        check("-nv -t1 --timeout=2 --spider http://a/ping", true, None, 2);
    }

    #[test]
    fn nonsense_is_refused() {
        let read = |text: &str| Fetch::read(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(read("-q --spider"), Err("no address was given".into()));
        assert_eq!(read("-T x http://a"), Err("invalid number \"x\"".into()));
    }
}
