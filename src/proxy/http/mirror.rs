//! [`Mirroring`]: a service whose requests are also sent, in part, to others, whose answers nobody sees.
//!
//! Mirrors are called when the main answer has been sent, and not at all if the client did not stay for it.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use smallvec::SmallVec;
use trafficcop_balancer::Status;
use trafficcop_config::dynamic::http as config;
use trafficcop_exchange::{
    Body, BodyError, BodyStream, ConnectionInfo, Exchange, Frame, LocalBoxFuture, Reason, Request, Response, Service,
    StatusCode, reply,
};

use super::children::Child;
use super::replay::{NotReplayable, Replay};
use crate::BuildError;

/// Requests on their way to mirrors at a time; those beyond are not mirrored.
const MOST_AT_ONCE: usize = 1024;
/// What one request may take at all mirrors together.
const DEADLINE: Duration = Duration::from_mins(5);

/// See the module.
pub struct Mirroring {
    main: Arc<dyn Service>,
    mirrors: Arc<[Counted]>,
    mirror_body: bool,
    /// None: any size.
    most_body: Option<u64>,
    total: AtomicU64,
    at_once: Arc<AtomicUsize>,
    health: Option<Arc<Status>>,
    name: Arc<str>,
}

/// One mirror.
#[derive(Clone)]
pub struct Mirrored {
    pub service: Arc<dyn Service>,
    /// Of the requests, which share goes there too; 0 to 100.
    pub percent: i64,
}

struct Counted {
    service: Arc<dyn Service>,
    percent: u64,
    sent: AtomicU64,
}

impl Mirroring {
    pub fn new(
        name: &str,
        settings: &config::Mirroring,
        main: Child,
        mirrors: Vec<Mirrored>,
    ) -> Result<Arc<Self>, BuildError> {
        // Without a check of its own the main service leaves this one without; only a parent minds.
        let health = main.health.filter(|_| settings.health_check.is_some());
        let counted = |mirror: Mirrored| {
            let percent = u64::try_from(mirror.percent).ok().filter(|percent| *percent <= 100);
            let percent = percent.ok_or(BuildError::Percent(mirror.percent))?;
            Ok(Counted { service: mirror.service, percent, sent: AtomicU64::new(0) })
        };
        Ok(Arc::new(Self {
            main: main.service,
            mirrors: mirrors.into_iter().map(counted).collect::<Result<_, BuildError>>()?,
            mirror_body: settings.mirror_body,
            most_body: u64::try_from(settings.max_body_size).ok(),
            total: AtomicU64::new(0),
            at_once: Arc::default(),
            health,
            name: name.into(),
        }))
    }

    /// For parents. None unless `healthCheck` is set.
    pub fn health(&self) -> Option<Arc<Status>> {
        self.health.clone()
    }

    async fn answer(&self, request: Request, cx: &mut Exchange) -> Response {
        let chosen = self.choose();
        // A body that is not to be mirrored leaves nothing worth sending; what leaves HTTP cannot be sent twice.
        let is_mirrored = (self.mirror_body || request.body.is_empty()) && request.upgrade.is_none();
        if chosen.is_empty() || !is_mirrored {
            return self.main.call(request, cx).await;
        }
        let replay = match Replay::new(request, self.most_body).await {
            Ok(replay) => replay,
            Err(NotReplayable::TooLarge(request)) => return self.main.call(*request, cx).await,
            Err(NotReplayable::Broken(error)) => {
                tracing::debug!(%error, "The body of a request to be mirrored broke off.");
                cx.reason = Some(Reason::BadBody);
                return reply::error(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
            }
        };
        let mut response = self.main.call(replay.request(), cx).await;
        let send = Sending {
            replay,
            chosen,
            mirrors: Arc::clone(&self.mirrors),
            connection: Rc::clone(&cx.connection),
            at_once: Arc::clone(&self.at_once),
            service: Arc::clone(&self.name),
        };
        match response.body {
            Body::Stream(stream) => response.body = Body::stream(Watched { stream, send: Some(send) }),
            // It is in our hands: sending it takes no longer than getting it did.
            _ => send.start(),
        }
        response
    }

    /// The mirrors whose share this request falls into.
    fn choose(&self) -> SmallVec<[usize; 4]> {
        let total = self.total.fetch_add(1, Ordering::Relaxed) + 1;
        (0..self.mirrors.len()).filter(|index| self.mirrors[*index].takes(total)).collect()
    }
}

impl Counted {
    fn takes(&self, total: u64) -> bool {
        let is_due = |sent: u64| sent * 100 < total * self.percent;
        self.sent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |sent| is_due(sent).then_some(sent + 1)).is_ok()
    }
}

/// What is needed to call the mirrors later.
struct Sending {
    replay: Replay,
    chosen: SmallVec<[usize; 4]>,
    mirrors: Arc<[Counted]>,
    connection: Rc<ConnectionInfo>,
    at_once: Arc<AtomicUsize>,
    service: Arc<str>,
}

impl Sending {
    fn start(self) {
        if self.at_once.fetch_add(1, Ordering::Relaxed) >= MOST_AT_ONCE {
            self.at_once.fetch_sub(1, Ordering::Relaxed);
            tracing::warn!(service = %self.service, "Too many requests are on their way to mirrors, one was not mirrored.");
            return;
        }
        tokio::task::spawn_local(async move {
            let at_once = Arc::clone(&self.at_once);
            let _too_late = tokio::time::timeout(DEADLINE, self.run()).await;
            at_once.fetch_sub(1, Ordering::Relaxed);
        });
    }

    /// One mirror after the other.
    async fn run(self) {
        for index in self.chosen {
            let mut cx = Exchange::new(Rc::clone(&self.connection));
            let mut response = self.mirrors[index].service.call(self.replay.request(), &mut cx).await;
            while let Some(Ok(_unread)) = response.body.frame().await {}
        }
    }
}

/// The main answer, with an eye on its end.
struct Watched {
    stream: Box<dyn BodyStream>,
    send: Option<Sending>,
}

impl BodyStream for Watched {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let polled = self.stream.poll_frame(cx);
        let is_over = match &polled {
            Poll::Ready(None | Some(Ok(Frame::Trailers(_)))) => true,
            Poll::Ready(Some(Ok(_))) => self.stream.remaining() == Some(0),
            _ => false,
        };
        if is_over && let Some(send) = self.send.take() {
            send.start();
        }
        polled
    }

    fn remaining(&self) -> Option<u64> {
        self.stream.remaining()
    }
}

impl Service for Mirroring {
    fn call<'a>(&'a self, request: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        Box::pin(self.answer(request, cx))
    }
}

impl fmt::Debug for Mirroring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirroring").field("mirrors", &self.mirrors.len()).finish_non_exhaustive()
    }
}
