//! `exec`: a program of the user's puts the records.

use std::process::Stdio;

use super::Placed;
use super::variables::Variables;

/// What of a program's words is repeated in the log.
const MOST_WORDS: usize = 1024;

pub(super) struct Exec {
    path: String,
    /// The program makes the record itself, of token and authorization.
    raw: bool,
}

impl Exec {
    pub(super) fn new(variables: &Variables) -> Result<Self, String> {
        let raw = variables.find("EXEC_MODE").is_some_and(|mode| mode.eq_ignore_ascii_case("RAW"));
        Ok(Self { path: variables.need(&["EXEC_PATH"])?, raw })
    }

    fn arguments<'a>(&self, action: &'a str, placed: &'a Placed) -> Vec<&'a str> {
        let answer = &placed.answer;
        if self.raw {
            return vec![action, "--", &answer.name, &answer.token, &answer.authorization];
        }
        vec![action, &placed.host, &answer.value]
    }

    pub(super) async fn run(&self, action: &str, placed: &Placed) -> Result<(), String> {
        let mut command = tokio::process::Command::new(&self.path);
        command.args(self.arguments(action, placed)).stdin(Stdio::null()).kill_on_drop(true);
        let ended = command.output().await.map_err(|error| format!("{}: {error}", self.path))?;
        let words = [ended.stdout, ended.stderr].concat();
        let words = String::from_utf8_lossy(&words[..words.len().min(MOST_WORDS)]).trim().to_owned();
        if !ended.status.success() {
            return Err(format!("{} ended with {}: {words}", self.path, ended.status));
        }
        tracing::debug!(program = self.path, action, words, "The program for DNS records ran.");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Answer;

    fn placed() -> Placed {
        let answer = Answer {
            name: "a.test".into(),
            token: "token".into(),
            authorization: "token.thumb".into(),
            value: "value".into(),
        };
        Placed { answer, host: "_acme-challenge.a.test.".into() }
    }

    #[test]
    fn programs_are_called_as_by_lego() {
        let plain = Exec::new(&Variables::of(&[("EXEC_PATH", "p")])).unwrap();
        assert_eq!(plain.arguments("present", &placed()), ["present", "_acme-challenge.a.test.", "value"]);
        let raw = Exec::new(&Variables::of(&[("EXEC_PATH", "p"), ("EXEC_MODE", "RAW")])).unwrap();
        assert_eq!(raw.arguments("cleanup", &placed()), ["cleanup", "--", "a.test", "token", "token.thumb"]);
    }

    #[tokio::test]
    async fn a_program_that_fails_is_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        std::fs::write(&path, "#!/bin/sh\necho \"no zone for $2\" >&2\nexit 3\n").unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let program = Exec { path: path.to_str().unwrap().to_owned(), raw: false };
        let error = program.run("present", &placed()).await.unwrap_err();
        assert!(error.contains("no zone for _acme-challenge.a.test.") && error.contains('3'), "{error}");
    }
}
