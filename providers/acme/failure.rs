//! [`Failure`]: why there is no certificate, for which names, and when it may be tried again.

use std::error::Error;
use std::time::Duration;

#[derive(Clone, Debug, Default)]
pub(crate) struct Failure {
    pub(crate) text: String,
    /// The names that could not be proved; none: it is nobody's in particular.
    pub(crate) names: Vec<String>,
    /// How long the authority wants to be left alone.
    pub(crate) rest: Option<Duration>,
}

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// An error with what lies behind it.
    pub(crate) fn of(error: &dyn Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(behind) = source {
            let more = behind.to_string();
            if !text.contains(&more) {
                text = format!("{text}: {more}");
            }
            source = behind.source();
        }
        Self::new(text)
    }

    /// The authority took none of our nonces, which is nobody's fault: worth another try at once.
    pub(crate) fn is_of_nonces(&self) -> bool {
        self.text.contains("badNonce")
    }

    /// The authority has lost the account, or ended it.
    pub(crate) fn is_of_account(&self) -> bool {
        self.text.contains("accountDoesNotExist")
    }
}
