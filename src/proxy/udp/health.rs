//! Active checks of UDP servers: do they answer a datagram?

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use trafficcop_balancer::Status;
use trafficcop_config::dynamic::udp::HealthCheck;

const DEFAULT_INTERVAL: Duration = Duration::from_secs(30);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is looked at.
const LARGEST: usize = 4096;

/// The checks of one load balancer; they end with it.
pub(super) struct Checks(JoinHandle<()>);

impl Checks {
    /// The first round comes after one interval; until then every server counts as up.
    pub(super) fn start(
        service: &str,
        settings: &HealthCheck,
        servers: Vec<(String, Arc<Status>)>,
        control: &Handle,
    ) -> Self {
        let (service, settings): (Box<str>, _) = (service.into(), settings.clone());
        Self(control.spawn(async move { rounds(&service, &settings, &servers).await }))
    }
}

impl Drop for Checks {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn rounds(service: &str, settings: &HealthCheck, servers: &[(String, Arc<Status>)]) {
    let interval = settings.interval.and_then(trafficcop_config::Duration::positive).unwrap_or(DEFAULT_INTERVAL);
    let timeout = settings.timeout.and_then(trafficcop_config::Duration::positive).unwrap_or(DEFAULT_TIMEOUT);
    let (payload, expect) = (bytes(&settings.payload), bytes(&settings.expect));
    let mut ticks = interval_at(Instant::now() + interval, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        for (address, status) in servers {
            let asked = tokio::time::timeout(timeout, ask(address, &payload, &expect)).await;
            let result = asked.unwrap_or_else(|late| Err(late.into()));
            let has_changed = status.set(result.is_ok());
            match result {
                Ok(()) if has_changed => tracing::info!(service, %address, "Server is up again."),
                Err(error) if has_changed => {
                    tracing::warn!(service, %address, %error, "Health check failed, the server is down.");
                }
                Ok(()) | Err(_) => {}
            }
        }
    }
}

async fn ask(address: &str, payload: &[u8], expect: &[u8]) -> io::Result<()> {
    let server = tokio::net::lookup_host(address).await?.next().ok_or_else(|| io::Error::other("no address"))?;
    let own: SocketAddr =
        if server.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(own).await?;
    socket.connect(server).await?;
    socket.send(payload).await?;
    let mut answer = vec![0; LARGEST];
    let length = socket.recv(&mut answer).await?;
    if answer[..length].starts_with(expect) { Ok(()) } else { Err(io::Error::other("the server said something else")) }
}

/// A text as bytes: characters up to U+00FF are one byte each, so that `"\x00\xff"` can be written in YAML.
fn bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for character in text.chars() {
        match u8::try_from(character) {
            Ok(byte) => out.push(byte),
            Err(_) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_can_be_written() {
        assert_eq!(bytes("\u{0}a\u{ff}"), [0, b'a', 0xff]);
        assert_eq!(bytes("€"), "€".as_bytes());
    }

    #[tokio::test]
    async fn servers_that_answer_are_well() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap().to_string();
        let echo = async {
            let mut buffer = [0; 16];
            loop {
                let (length, peer) = server.recv_from(&mut buffer).await.unwrap();
                server.send_to(&buffer[..length], peer).await.unwrap();
            }
        };
        let asked = async {
            ask(&address, b"ping", b"pi").await.unwrap();
            assert!(ask(&address, b"ping", b"pong").await.is_err());
        };
        tokio::select! {
            () = asked => {}
            () = echo => {}
        }
    }
}
