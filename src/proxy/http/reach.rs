//! From a picked server to a connection, by way of the others if need be.
//!
//! A server that cannot be reached is not the client's concern while another one can: nothing was sent yet. A server
//! that is silent for long gets a rival, and the first connection wins. Each server is tried at most once.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use smallvec::SmallVec;
use tokio::time::sleep;
use trafficcop_exchange::LocalBoxFuture;

use super::attempt::{Ready, kept, open};
use super::failure::{ConnectError, Failure};
use super::pinned::Way;
use super::transport::Endpoint;

/// How long a server may be silent before another one is asked as well.
pub(crate) const PATIENCE: Duration = Duration::from_millis(150);
/// The same for a server that the client is bound to.
pub(crate) const PATIENCE_IF_BOUND: Duration = Duration::from_secs(3);

/// The servers that were tried for a request, in order.
pub(crate) type Tried = SmallVec<[usize; 4]>;

type Dial<'a> = (usize, LocalBoxFuture<'a, Result<Ready, ConnectError>>);

/// Where a request goes and how to get there.
pub(crate) struct Search<'a, E, P> {
    pub(crate) endpoint: E,
    /// The next to try, given those that were.
    pub(crate) pick: P,
    pub(crate) way: Way,
    pub(crate) patience: Duration,
    pub(crate) tried: &'a mut Tried,
}

impl<'a, E, P> Search<'a, E, P>
where
    E: Fn(usize) -> &'a Arc<Endpoint>,
    P: FnMut(&[usize]) -> Option<usize>,
{
    /// Opens a connection to `first`, or to whoever can be reached. The failure is the first one, with the server it
    /// came from.
    pub(crate) async fn open(mut self, first: usize) -> Result<(usize, Ready), (usize, Failure)> {
        let mut dials: Vec<Dial<'a>> = vec![self.dial(first)];
        let mut failed: Option<(usize, Failure)> = None;
        let mut patience = pin!(sleep(self.patience));
        let mut is_patient = false;
        loop {
            let finished = tokio::select! {
                finished = next(&mut dials) => Some(finished),
                () = patience.as_mut(), if !is_patient => None,
            };
            match finished {
                Some((index, Ok(ready))) => return Ok((index, ready)),
                Some((index, Err(error))) => {
                    tracing::debug!(%error, "Server cannot be reached.");
                    let _the_first_counts = failed.get_or_insert((index, error.into()));
                }
                None => patience.as_mut().reset(tokio::time::Instant::now() + self.patience),
            }
            match (self.pick)(self.tried) {
                Some(other) => {
                    self.tried.push(other);
                    if let Some(ready) = kept((self.endpoint)(other), self.way) {
                        return Ok((other, ready));
                    }
                    dials.push(self.dial(other));
                }
                None => is_patient = true,
            }
            if dials.is_empty() {
                return Err(failed.expect("no dial is left only after one has failed"));
            }
        }
    }

    fn dial(&self, index: usize) -> Dial<'a> {
        (index, Box::pin(open((self.endpoint)(index), self.way)))
    }
}

/// The first to finish, which is taken out.
async fn next(dials: &mut Vec<Dial<'_>>) -> (usize, Result<Ready, ConnectError>) {
    poll_fn(|cx| {
        for at in 0..dials.len() {
            if let Poll::Ready(result) = Pin::new(&mut dials[at].1).poll(cx) {
                return Poll::Ready((dials.swap_remove(at).0, result));
            }
        }
        Poll::Pending
    })
    .await
}
