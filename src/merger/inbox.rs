//! [`Inbox`]: keeps the latest configuration of each provider and waits out storms.
//!
//! Unless the user set `providersThrottleDuration`, it adapts: a lone change is handed on at once; while changes keep
//! coming, they are gathered for [`STORM_PAUSE`], or for as long as the last round took to build if that is longer, so
//! that building never takes more than half of a core. With a duration it does as Traefik does: the first change of a
//! provider goes at once, and then only the newest of each such span.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep_until};
use trafficcop_config::ConfigErrors;
use trafficcop_config::dynamic::Configuration;

use crate::Configurations;

/// How long changes are gathered while they keep coming.
pub const STORM_PAUSE: Duration = Duration::from_millis(20);

/// What a provider says; see `trafficcop_provider::Event`, which a floor beside this one defines.
#[derive(Clone, Debug)]
pub enum News {
    Configuration {
        provider: Arc<str>,
        configuration: Arc<Configuration>,
    },
    /// A configuration from which something had to be left out.
    Part {
        provider: Arc<str>,
        configuration: Arc<Configuration>,
        problems: ConfigErrors,
    },
    Refused {
        provider: Arc<str>,
        errors: ConfigErrors,
    },
}

/// What is to be built now.
#[derive(Clone, Debug, Default)]
pub struct Round {
    pub configurations: Configurations,
    /// Documents that were refused and have not been accepted since, and what was left out of those that were accepted;
    /// by provider.
    pub refused: BTreeMap<Arc<str>, ConfigErrors>,
}

/// See the module. `E` is what the channel carries.
pub struct Inbox<E> {
    news: mpsc::Receiver<E>,
    read: fn(E) -> News,
    pace: Pace,
    /// Without it nothing is handed on.
    required: Option<Arc<str>>,
    state: Round,
    /// What a provider said within its own throttle span; the newest only.
    held: BTreeMap<Arc<str>, (Instant, Option<Said>)>,
    is_changed: bool,
    is_closed: bool,
    /// When the last round was handed out, and when the next one was asked for.
    last: Option<(Instant, Instant)>,
}

/// A configuration, and what was left out of it.
type Said = (Arc<Configuration>, ConfigErrors);

enum Pace {
    Adaptive,
    PerProvider(Duration),
}

/// The provider whose word is never held back.
const INTERNAL: &str = "internal";

impl<E> Inbox<E> {
    /// `throttle` is `providersThrottleDuration` if the user set it; None adapts to what comes. Nothing is handed on
    /// before the provider `required` has spoken once.
    pub fn new(
        news: mpsc::Receiver<E>,
        read: fn(E) -> News,
        throttle: Option<trafficcop_config::Duration>,
        required: Option<&str>,
    ) -> Self {
        let pace = match throttle {
            None => Pace::Adaptive,
            Some(throttle) => Pace::PerProvider(throttle.positive().unwrap_or_default()),
        };
        Self {
            news,
            read,
            pace,
            required: required.map(Arc::from),
            state: Round::default(),
            held: BTreeMap::new(),
            is_changed: false,
            is_closed: false,
            last: None,
        }
    }

    /// The next state that is worth building; None when every provider is gone. Call it again when the round was built:
    /// the time between is taken for the time that building takes. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Round> {
        if let Some((given, asked)) = &mut self.last
            && asked == given
        {
            *asked = Instant::now();
        }
        loop {
            while let Ok(event) = self.news.try_recv() {
                self.take(event);
            }
            self.release();
            let due = self.due();
            if self.is_changed && due <= Instant::now() {
                return Some(self.hand_out());
            }
            let wake = if self.is_changed { Some(due) } else { self.next_release() };
            if self.is_closed && wake.is_none() {
                return None;
            }
            tokio::select! {
                event = self.news.recv(), if !self.is_closed => match event {
                    Some(event) => self.take(event),
                    None => self.is_closed = true,
                },
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
            }
        }
    }

    fn take(&mut self, event: E) {
        match (self.read)(event) {
            News::Refused { provider, errors } => {
                if self.state.refused.get(&provider) != Some(&errors) {
                    self.state.refused.insert(provider, errors);
                    self.changed();
                }
            }
            News::Configuration { provider, configuration } => {
                self.hear(provider, (configuration, ConfigErrors::default()));
            }
            News::Part { provider, configuration, problems } => self.hear(provider, (configuration, problems)),
        }
    }

    fn hear(&mut self, provider: Arc<str>, said: Said) {
        let Pace::PerProvider(span) = self.pace else { return self.accept(provider, said) };
        if &*provider == INTERNAL || span.is_zero() {
            return self.accept(provider, said);
        }
        let now = Instant::now();
        match self.held.get_mut(&provider) {
            Some((until, newest)) if *until > now => *newest = Some(said),
            _ => {
                self.held.insert(Arc::clone(&provider), (now + span, None));
                self.accept(provider, said);
            }
        }
    }

    /// Lets go what was held back long enough; each begins a new span.
    fn release(&mut self) {
        let Pace::PerProvider(span) = self.pace else { return };
        let now = Instant::now();
        let mut ripe = Vec::new();
        for (provider, (until, newest)) in &mut self.held {
            if *until <= now
                && let Some(said) = newest.take()
            {
                *until = now + span;
                ripe.push((Arc::clone(provider), said));
            }
        }
        for (provider, said) in ripe {
            self.accept(provider, said);
        }
    }

    fn next_release(&self) -> Option<Instant> {
        self.held.values().filter(|(_, newest)| newest.is_some()).map(|(until, _)| *until).min()
    }

    fn accept(&mut self, provider: Arc<str>, (configuration, problems): Said) {
        let told_before = self.state.refused.remove(&provider).unwrap_or_default();
        let is_equal = self.state.configurations.get(&provider).is_some_and(|known| *known == configuration);
        let is_told = told_before == problems;
        if !problems.0.is_empty() {
            self.state.refused.insert(Arc::clone(&provider), problems);
        }
        if is_equal && is_told {
            tracing::debug!(providerName = %provider, "Configuration is unchanged.");
            return;
        }
        self.state.configurations.insert(provider, configuration);
        self.changed();
    }

    fn changed(&mut self) {
        let is_ready = self.required.as_ref().is_none_or(|required| self.state.configurations.contains_key(required));
        self.is_changed = is_ready;
    }

    /// When a change may be handed on.
    fn due(&self) -> Instant {
        match (&self.pace, self.last) {
            (Pace::Adaptive, Some((given, asked))) => asked + STORM_PAUSE.max(asked - given),
            _ => Instant::now(),
        }
    }

    fn hand_out(&mut self) -> Round {
        self.is_changed = false;
        let now = Instant::now();
        self.last = Some((now, now));
        self.state.clone()
    }
}

#[cfg(test)]
mod tests;
