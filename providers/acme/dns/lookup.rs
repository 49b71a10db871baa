//! [`Lookup`]: asks name servers, the few questions that proving a name takes.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket, lookup_host};

const PATIENCE: Duration = Duration::from_secs(5);
/// Aliases that are followed from a name.
const MOST_ALIASES: usize = 16;
/// Where no resolver is known: Google's, as in lego.
const LAST_RESORT: &str = "8.8.8.8:53";

pub(super) struct Lookup {
    /// Host and port.
    resolvers: Vec<String>,
}

impl Lookup {
    /// The resolvers that were named, else those of this machine.
    pub(super) fn new(named: &[String]) -> Self {
        let mut resolvers: Vec<String> = named.iter().map(|one| with_port(one.trim())).collect();
        if resolvers.is_empty() {
            let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
            let servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
            resolvers.extend(servers.map(|server| with_port(server.trim())));
        }
        if resolvers.is_empty() {
            resolvers.push(LAST_RESORT.to_owned());
        }
        Self { resolvers }
    }

    pub(super) fn resolvers(&self) -> &[String] {
        &self.resolvers
    }

    /// Where a host leads by aliases; itself where there is none, or nobody knows.
    pub(super) async fn alias(&self, host: &str) -> String {
        let mut host = host.to_owned();
        for _ in 0..MOST_ALIASES {
            let Ok(answer) = self.ask(&host, RecordType::CNAME).await else { return host };
            let target = answer.answers.iter().find_map(|record| match &record.data {
                RData::CNAME(target) => Some(target.0.to_utf8()),
                _ => None,
            });
            match target {
                Some(target) if target != host => host = target,
                _ => return host,
            }
        }
        host
    }

    /// The zone of a host: the nearest name above it that has an SOA record.
    pub(super) async fn zone(&self, host: &str) -> Result<String, String> {
        let mut rest = host;
        let mut last = "no name server knows of one".to_owned();
        while rest.trim_end_matches('.').contains('.') {
            match self.ask(rest, RecordType::SOA).await {
                Ok(answer) => {
                    let wanted = name(rest)?;
                    let is_soa = |record: &&hickory_proto::rr::Record| {
                        matches!(record.data, RData::SOA(_)) && record.name.eq_ignore_root(&wanted)
                    };
                    if answer.answers.iter().any(|record| is_soa(&record)) {
                        return Ok(rest.to_owned());
                    }
                }
                Err(error) => last = error,
            }
            rest = rest.split_once('.').map_or("", |(_, above)| above);
        }
        Err(format!("the zone of {host} was not found: {last}"))
    }

    /// The addresses of a zone's own name servers, with port 53.
    pub(super) async fn authorities(&self, zone: &str) -> Result<Vec<String>, String> {
        let answer = self.ask(zone, RecordType::NS).await?;
        let mut servers = Vec::new();
        for record in &answer.answers {
            if let RData::NS(server) = &record.data {
                servers.push(with_port(server.0.to_utf8().trim_end_matches('.')));
            }
        }
        if servers.is_empty() { Err(format!("{zone} has no name servers")) } else { Ok(servers) }
    }

    /// Asks the resolvers in turn until one answers.
    async fn ask(&self, host: &str, kind: RecordType) -> Result<Message, String> {
        let mut last = String::new();
        for resolver in &self.resolvers {
            match ask(resolver, host, kind, true).await {
                Ok(answer) => return Ok(answer),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// The texts of a host, as that server knows them.
pub(super) async fn texts(server: &str, host: &str, recursive: bool) -> Result<Vec<String>, String> {
    let answer = ask(server, host, RecordType::TXT, recursive).await?;
    let text = |record: &hickory_proto::rr::Record| match &record.data {
        RData::TXT(text) => Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
        _ => None,
    };
    Ok(answer.answers.iter().filter_map(text).collect())
}

/// One question to one server; a name that does not exist is an answer without records.
async fn ask(server: &str, host: &str, kind: RecordType, recursive: bool) -> Result<Message, String> {
    let mut question = Message::new(rand::random(), MessageType::Query, OpCode::Query);
    question.metadata.recursion_desired = recursive;
    question.add_query(Query::query(name(host)?, kind));
    let bytes = question.to_vec().map_err(|error| error.to_string())?;
    let asked = async {
        let address = lookup_host(server).await?.next().ok_or_else(|| std::io::Error::other("no address"))?;
        let answer = by_udp(address, &bytes).await?;
        if answer.metadata.truncation { by_tcp(address, &bytes).await } else { Ok(answer) }
    };
    let told = |error: &dyn std::fmt::Display| format!("{server} on {kind} of {host}: {error}");
    let answer = tokio::time::timeout(PATIENCE, asked).await.map_err(|_| told(&"no answer"))?;
    let answer = answer.map_err(|error: std::io::Error| told(&error))?;
    match answer.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => Ok(answer),
        other => Err(told(&other)),
    }
}

async fn by_udp(server: SocketAddr, question: &[u8]) -> std::io::Result<Message> {
    let any: SocketAddr = if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut buffer = vec![0; 4096];
    loop {
        let length = socket.recv(&mut buffer).await?;
        // Something else may have come from the same address.
        if let Ok(answer) = Message::from_vec(&buffer[..length])
            && buffer[..2] == question[..2]
        {
            return Ok(answer);
        }
    }
}

async fn by_tcp(server: SocketAddr, question: &[u8]) -> std::io::Result<Message> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).map_err(std::io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    Message::from_vec(&answer).map_err(std::io::Error::other)
}

fn name(host: &str) -> Result<Name, String> {
    let mut name = Name::from_str(host).map_err(|error| format!("{host}: {error}"))?;
    name.set_fqdn(true);
    Ok(name)
}

fn with_port(server: &str) -> String {
    if let Ok(address) = server.parse::<IpAddr>() {
        return SocketAddr::new(address, 53).to_string();
    }
    match server.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_ok() => server.to_owned(),
        _ => format!("{server}:53"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_added_where_there_is_none() {
        let all = ["1.1.1.1", "1.1.1.1:54", "::1", "[::1]:54", "ns.test", "ns.test:54"].map(with_port);
        assert_eq!(all, ["1.1.1.1:53", "1.1.1.1:54", "[::1]:53", "[::1]:54", "ns.test:53", "ns.test:54"]);
    }
}
