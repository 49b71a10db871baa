//! [`Publisher`]: the one way out of a provider.

use std::sync::Arc;

use tokio::sync::mpsc;
use trafficcop_config::dynamic::{Configuration, Middleware};
use trafficcop_config::{At, ConfigErrors};

use crate::State;

/// What a provider says: its whole configuration, replacing what it said before; or that a document was refused,
/// which leaves what it said before in force.
#[derive(Debug)]
pub enum Event {
    /// `problems` are what had to be left out of the configuration, replacing the problems told before; they stop
    /// nothing else. Whoever shows errors shows these too.
    Configuration {
        provider: Arc<str>,
        configuration: Arc<Configuration>,
        problems: ConfigErrors,
    },
    Refused {
        provider: Arc<str>,
        errors: ConfigErrors,
    },
}

/// Decodes the settings of a middleware to find out whether they are acceptable; the root hands it in, so that a
/// document is refused where it was read.
pub type MiddlewareCheck = Arc<dyn Fn(&str, &At<Middleware>) -> Result<(), ConfigErrors> + Send + Sync>;

/// Drops what equals the last, sends the rest.
#[derive(Clone)]
pub struct Publisher {
    provider: Arc<str>,
    out: mpsc::Sender<Event>,
    check: MiddlewareCheck,
    last: Arc<std::sync::Mutex<Option<Said>>>,
    state: Arc<State>,
}

struct Said {
    configuration: Arc<Configuration>,
    problems: ConfigErrors,
    /// Something else was refused since: whoever repairs it by undoing the change says the same
    /// again, and must be heard.
    is_refused_since: bool,
}

impl Publisher {
    pub fn new(provider: impl Into<Arc<str>>, out: mpsc::Sender<Event>, check: MiddlewareCheck) -> Self {
        Self { provider: provider.into(), out, check, last: Arc::default(), state: Arc::default() }
    }

    /// What becomes of the provider, for whoever shows it.
    pub fn state(&self) -> &Arc<State> {
        &self.state
    }

    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// Are these middleware settings acceptable? `name` is the middleware's path, for the errors.
    pub fn check(&self, name: &str, middleware: &At<Middleware>) -> Result<(), ConfigErrors> {
        (self.check)(name, middleware)
    }

    /// Publishes a document, or reports why it cannot be read. The settings of middlewares are opaque to the
    /// configuration language, so they are looked at here, where a refusal can still refuse the whole document.
    pub async fn accept(&self, read: Result<Configuration, ConfigErrors>) {
        match read.and_then(|configuration| self.checked(configuration)) {
            Ok(configuration) => self.publish(configuration).await,
            Err(errors) => self.refuse(errors).await,
        }
    }

    fn checked(&self, configuration: Configuration) -> Result<Configuration, ConfigErrors> {
        let http = configuration.http.iter().flat_map(|http| &http.middlewares).map(|object| ("http", object));
        let tcp = configuration.tcp.iter().flat_map(|tcp| &tcp.middlewares).map(|object| ("tcp", object));
        let wrong = http.chain(tcp).filter_map(|(protocol, (name, middleware))| {
            self.check(&format!("{protocol}.middlewares.{name}"), middleware).err()
        });
        wrong.flat_map(|errors| errors.0).collect::<ConfigErrors>().into_result().map(|()| configuration)
    }

    /// Sends a whole configuration unless it equals the last one. Waits when the inbox is full.
    pub async fn publish(&self, configuration: Configuration) {
        self.publish_part(configuration, ConfigErrors::default()).await;
    }

    /// Sends a whole configuration together with what had to be left out of it, unless both equal the last ones.
    /// Waits when the inbox is full.
    pub async fn publish_part(&self, mut configuration: Configuration, problems: ConfigErrors) {
        self.state.spoke();
        let configuration = {
            let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(last) = &*last {
                configuration.share_with(&last.configuration);
                let is_equal = *last.configuration == configuration && last.problems == problems;
                if is_equal && !last.is_refused_since {
                    tracing::debug!(provider = %self.provider, "Configuration is unchanged.");
                    return;
                }
            }
            let configuration = Arc::new(configuration);
            let told = last.as_ref().map(|last| last.problems.0.as_slice()).unwrap_or_default();
            for problem in problems.0.iter().filter(|problem| !told.contains(problem)) {
                tracing::error!(provider = %self.provider, "Left out of the configuration: {problem}");
            }
            *last = Some(Said {
                configuration: Arc::clone(&configuration),
                problems: problems.clone(),
                is_refused_since: false,
            });
            configuration
        };
        let event = Event::Configuration { provider: Arc::clone(&self.provider), configuration, problems };
        let _closing = self.out.send(event).await;
    }

    /// Reports a document that was refused; what was published before stays in force.
    pub async fn refuse(&self, errors: ConfigErrors) {
        self.state.refused(&errors);
        if let Some(last) = &mut *self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner) {
            last.is_refused_since = true;
        }
        let _closing = self.out.send(Event::Refused { provider: Arc::clone(&self.provider), errors }).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::mpsc;
    use trafficcop_config::dynamic::Configuration;
    use trafficcop_config::{ConfigError, ConfigErrors, Origin, Problem};

    use super::{Event, Publisher};

    fn problem(message: &str) -> ConfigErrors {
        let problem = Problem::Other { message: message.to_owned() };
        ConfigErrors(vec![ConfigError { at: Origin::Unknown, path: String::new(), problem }])
    }

    fn with_http() -> Configuration {
        Configuration { http: Some(trafficcop_config::dynamic::http::Http::default()), ..Configuration::default() }
    }

    #[tokio::test]
    async fn sends_only_what_is_new() {
        let (send, mut events) = mpsc::channel(8);
        let publisher = Publisher::new("docker", send, Arc::new(|_, _| Ok(())));
        publisher.publish(Configuration::default()).await;
        publisher.publish(Configuration::default()).await;
        publisher.publish_part(Configuration::default(), problem("a")).await;
        publisher.publish_part(Configuration::default(), problem("a")).await;
        publisher.publish_part(with_http(), problem("a")).await;
        publisher.refuse(problem("b")).await;
        publisher.publish(with_http()).await;
        drop(publisher);
        let mut told = Vec::new();
        while let Some(event) = events.recv().await {
            told.push(match event {
                Event::Configuration { configuration, problems, .. } => {
                    format!("{} {problems}", if configuration.http.is_some() { "http" } else { "nothing" })
                }
                Event::Refused { errors, .. } => format!("refused {errors}"),
            });
        }
        assert_eq!(told, ["nothing ", "nothing a", "http a", "refused b", "http "]);
    }
}
