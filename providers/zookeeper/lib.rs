//! The ZooKeeper provider: nodes of ZooKeeper, under one watch for the whole tree.
//!
//! Speaks ZooKeeper's protocol itself, as far as reading needs it. A task of its own holds the session; what it tells comes
//! in order. What must hold: the watch stands before the first node is read, and a server that is silent for longer than
//! the session may be is given up.

mod session;
mod wire;

use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use trafficcop_config::settings::stores::ZooKeeper as Settings;
use trafficcop_kv::{Change, Pairs, Store, StoreError, root, watch};
use trafficcop_provider::{Provider, ProviderError, Publisher};

use session::Session;

/// Changes that wait to be decoded; when there are more, ZooKeeper waits.
const WAITING: usize = 256;

/// See the crate.
pub struct ZooKeeper {
    root: String,
    endpoints: Vec<String>,
    /// `user:password`, if there is any.
    digest: Option<String>,
    open: Option<Open>,
}

struct Open {
    told: mpsc::Receiver<Result<Change, StoreError>>,
    _task: AbortOnDropHandle<()>,
}

impl Provider for ZooKeeper {
    const NAME: &'static str = "zookeeper";
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, ProviderError> {
        if settings.endpoints.is_empty() {
            return Err(ProviderError("providers.zooKeeper.endpoints is empty".into()));
        }
        let root = root(&settings.root_key).to_owned();
        if root.is_empty() {
            return Err(ProviderError("providers.zooKeeper.rootKey is empty".into()));
        }
        let digest =
            (!settings.username.is_empty()).then(|| format!("{}:{}", settings.username, settings.password.reveal()));
        Ok(Self { root, endpoints: settings.endpoints, digest, open: None })
    }

    async fn run(&mut self, out: &Publisher) -> Result<(), ProviderError> {
        let root = self.root.clone();
        match watch(self, &root, out).await {}
    }
}

impl Store for ZooKeeper {
    const NAME: &'static str = "zookeeper";

    async fn open(&mut self) -> Result<Pairs, StoreError> {
        self.open = None;
        let mut session = Session::open(&self.endpoints, self.digest.as_deref()).await?;
        let path = format!("/{}", self.root);
        session.watch(&path).await?;
        let mut pairs = Pairs::default();
        session.read_all(&path, &mut pairs).await?;
        let (tell, told) = mpsc::channel(WAITING);
        let task = tokio::spawn(async move {
            loop {
                let change = session.next().await;
                let is_over = change.is_err();
                if tell.send(change.map(Change::Keys)).await.is_err() || is_over {
                    return;
                }
            }
        });
        self.open = Some(Open { told, _task: AbortOnDropHandle::new(task) });
        Ok(pairs)
    }

    async fn next(&mut self) -> Result<Change, StoreError> {
        let Some(open) = &mut self.open else { return Err(StoreError::lost("it is not open")) };
        open.told.recv().await.unwrap_or_else(|| Err(StoreError::lost("the session ended")))
    }
}
