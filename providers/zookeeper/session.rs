//! [`Session`]: one connection to ZooKeeper, from the handshake to the last event.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use trafficcop_kv::{Pairs, StoreError};

use crate::wire::{AUTH, EVENT, NO_NODE, Operation, PING, Reader, frame, put_text, request, take_frame};

/// How long a connection and its handshake may take.
const CONNECT: Duration = Duration::from_secs(2);
/// How long a session may be silent; the server may make it longer.
const SESSION: Duration = Duration::from_secs(6);
/// How long an answer may take. A question that a cut network swallowed must not be waited for when the network is back:
/// what the system sends again comes later and later.
const ANSWER: Duration = Duration::from_secs(4);
/// Requests that are under way at once.
const BATCH: usize = 200;
/// Nodes of a tree; more are not read.
const MAX_NODES: usize = 1_000_000;
/// What other clients write where a node holds nothing.
const NOTHING: &[u8] = b"\x01";

pub(crate) struct Session {
    stream: TcpStream,
    received: BytesMut,
    number: i32,
    /// Nodes that events named and that were not read since.
    changed: VecDeque<String>,
    timeout: Duration,
    heard: Instant,
    pinged: Instant,
}

/// A key, and its value unless it is gone.
pub(crate) type Key = (String, Option<Vec<u8>>);

impl Session {
    /// With the first server that takes us.
    pub(crate) async fn open(endpoints: &[String], digest: Option<&str>) -> Result<Self, StoreError> {
        let mut failures = Vec::new();
        for endpoint in endpoints {
            match timeout(CONNECT, Self::open_one(endpoint, digest)).await {
                Ok(Ok(session)) => return Ok(session),
                Ok(Err(error)) => failures.push(format!("{endpoint}: {error}")),
                Err(_) => failures.push(format!("{endpoint}: no answer within {CONNECT:?}")),
            }
        }
        Err(StoreError::Lost(failures.join("; ")))
    }

    async fn open_one(endpoint: &str, digest: Option<&str>) -> Result<Self, StoreError> {
        let stream = TcpStream::connect(endpoint).await.map_err(StoreError::lost)?;
        stream.set_nodelay(true).map_err(StoreError::lost)?;
        let now = Instant::now();
        let mut session = Self {
            stream,
            received: BytesMut::new(),
            number: 0,
            changed: VecDeque::new(),
            timeout: SESSION,
            heard: now,
            pinged: now,
        };
        let mut out = BytesMut::new();
        frame(&mut out, |out| {
            out.put_i32(0); // version
            out.put_i64(0); // last change seen
            out.put_i32(SESSION.as_millis() as i32);
            out.put_i64(0); // a new session
            out.put_i32(16);
            out.put_bytes(0, 16); // its password
            out.put_u8(1); // a server cut off from the others will do
        });
        session.send(&out).await?;
        let mut answer = Reader(session.receive().await?);
        let (_version, granted) = (answer.int()?, answer.int()?);
        session.timeout = Duration::from_millis(u64::try_from(granted).unwrap_or(0));
        if session.timeout.is_zero() {
            return Err(StoreError::lost("the session was refused"));
        }
        if let Some(digest) = digest {
            session.authenticate(digest).await?;
        }
        Ok(session)
    }

    async fn authenticate(&mut self, digest: &str) -> Result<(), StoreError> {
        let mut out = BytesMut::new();
        frame(&mut out, |out| {
            out.put_i32(AUTH);
            out.put_i32(Operation::Auth as i32);
            out.put_i32(0);
            put_text(out, "digest");
            put_text(out, digest);
        });
        self.send(&out).await?;
        loop {
            let mut answer = Reader(self.receive().await?);
            let (number, _, error) = (answer.int()?, answer.long()?, answer.int()?);
            match (number, error) {
                (AUTH, 0) => return Ok(()),
                (AUTH, error) => return Err(StoreError::Lost(format!("user and password are refused ({error})"))),
                _ => {}
            }
        }
    }

    /// From now on every change of the node and of what lies below it is told.
    pub(crate) async fn watch(&mut self, path: &str) -> Result<(), StoreError> {
        let answers = self.ask(Operation::AddWatch, &[path.to_owned()]).await?;
        match answers.first() {
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => {
                Err(StoreError::Lost(format!("{path} cannot be watched ({}); ZooKeeper 3.6 is needed", words(*error))))
            }
            None => Err(StoreError::lost("a question was not answered")),
        }
    }

    /// Adds every node below `path` that holds something.
    pub(crate) async fn read_all(&mut self, path: &str, pairs: &mut Pairs) -> Result<(), StoreError> {
        let mut open = vec![path.to_owned()];
        let mut found = 0;
        while !open.is_empty() {
            let batch: Vec<_> = open.drain(open.len().saturating_sub(BATCH)..).collect();
            let lists = self.ask(Operation::GetChildren, &batch).await?;
            let mut leaves = Vec::new();
            for (parent, list) in batch.iter().zip(lists) {
                let children = match list {
                    Ok(list) => Reader(list).texts()?,
                    Err(NO_NODE) => continue,
                    Err(error) => return Err(StoreError::Lost(format!("{parent}: {}", words(error)))),
                };
                found += children.len();
                open.extend(children.into_iter().map(|child| format!("{parent}/{child}")));
                leaves.push(parent.clone());
            }
            if found > MAX_NODES {
                return Err(StoreError::TooLarge);
            }
            for (key, value) in self.values(&leaves).await? {
                if let Some(value) = value {
                    pairs.put(key, value)?;
                }
            }
        }
        Ok(())
    }

    /// Waits for changes; tells each changed node once, as it is by now.
    pub(crate) async fn next(&mut self) -> Result<Vec<Key>, StoreError> {
        while self.changed.is_empty() {
            let due = (self.pinged + self.timeout / 3).min(self.heard + self.timeout * 2 / 3);
            tokio::select! {
                frame = receive(&mut self.stream, &mut self.received) => self.sort(frame?).map(drop)?,
                () = sleep_until(due) => self.ping().await?,
            }
        }
        let mut paths: BTreeSet<String> = self.changed.drain(..).collect();
        // What is here already belongs to the same storm.
        while let Some(frame) = take_frame(&mut self.received)? {
            self.sort(frame)?;
            paths.extend(self.changed.drain(..));
        }
        let paths: Vec<_> = paths.into_iter().collect();
        let mut keys = Vec::with_capacity(paths.len());
        for batch in paths.chunks(BATCH) {
            keys.extend(self.values(batch).await?);
        }
        Ok(keys)
    }

    async fn ping(&mut self) -> Result<(), StoreError> {
        if self.heard.elapsed() >= self.timeout * 2 / 3 {
            return Err(StoreError::Lost(format!("no word for {:?}", self.heard.elapsed())));
        }
        self.pinged = Instant::now();
        let mut out = BytesMut::new();
        frame(&mut out, |out| {
            out.put_i32(PING);
            out.put_i32(Operation::Ping as i32);
        });
        self.send(&out).await
    }

    async fn values(&mut self, paths: &[String]) -> Result<Vec<Key>, StoreError> {
        let answers = self.ask(Operation::GetData, paths).await?;
        let mut keys = Vec::with_capacity(paths.len());
        for (path, answer) in paths.iter().zip(answers) {
            let key = path.trim_start_matches('/').to_owned();
            let value = match answer {
                Ok(answer) => Some(Reader(answer).bytes()?),
                Err(NO_NODE) => None,
                Err(error) => return Err(StoreError::Lost(format!("{path}: {}", words(error)))),
            };
            keys.push((key, value.map(|value| if value == NOTHING { Vec::new() } else { value.to_vec() })));
        }
        Ok(keys)
    }

    /// Asks about each of these nodes. The answers come in the order of the questions; between them lie events.
    async fn ask(&mut self, operation: Operation, paths: &[String]) -> Result<Vec<Result<Bytes, i32>>, StoreError> {
        let mut out = BytesMut::new();
        for path in paths {
            self.number = self.number.checked_add(1).unwrap_or(1);
            request(&mut out, self.number, operation, path);
        }
        self.send(&out).await?;
        let mut answers = Vec::with_capacity(paths.len());
        while answers.len() < paths.len() {
            let frame = timeout(ANSWER, self.receive()).await;
            let frame = frame.map_err(|_| StoreError::Lost(format!("no answer within {ANSWER:?}")))??;
            answers.extend(self.sort(frame)?);
        }
        Ok(answers)
    }

    /// An answer is given back; of an event, note is taken.
    fn sort(&mut self, frame: Bytes) -> Result<Option<Result<Bytes, i32>>, StoreError> {
        self.heard = Instant::now();
        let mut reader = Reader(frame);
        let (number, _change, error) = (reader.int()?, reader.long()?, reader.int()?);
        match number {
            EVENT => {
                let (_kind, _state) = (reader.int()?, reader.int()?);
                self.changed.push_back(reader.text()?);
                Ok(None)
            }
            PING | AUTH => Ok(None),
            _ => Ok(Some(if error == 0 { Ok(reader.0) } else { Err(error) })),
        }
    }

    async fn send(&mut self, out: &[u8]) -> Result<(), StoreError> {
        let sent = timeout(ANSWER, self.stream.write_all(out)).await;
        sent.map_err(|_| StoreError::lost("it takes no questions"))?.map_err(StoreError::lost)
    }

    async fn receive(&mut self) -> Result<Bytes, StoreError> {
        receive(&mut self.stream, &mut self.received).await
    }
}

/// May be dropped and called again.
async fn receive(stream: &mut TcpStream, received: &mut BytesMut) -> Result<Bytes, StoreError> {
    loop {
        if let Some(frame) = take_frame(received)? {
            return Ok(frame);
        }
        received.reserve(16 << 10);
        if stream.read_buf(received).await.map_err(StoreError::lost)? == 0 {
            return Err(StoreError::lost("the connection was closed"));
        }
    }
}

fn words(error: i32) -> String {
    match error {
        -6 => "it does not know how".into(),
        -102 => "not allowed".into(),
        -112 => "the session has expired".into(),
        other => format!("error {other}"),
    }
}
