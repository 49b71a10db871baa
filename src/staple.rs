//! Keeps answers of authorities (OCSP) beside the certificates in force, so that clients need not ask for themselves.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use trafficcop_config::settings::certificates::Ocsp;
use trafficcop_snapshot::Live;
use trafficcop_tls::ocsp::{Question, Validity};
use trafficcop_tls::{ClientTls, StoredCertificate, client_config};

/// How often it is looked for certificates that are new or due.
const LOOK: Duration = Duration::from_secs(2);
/// How long a responder may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Responders that are asked at the same time.
const AT_ONCE: usize = 8;
/// After a failure: at first, and at most. Without an answer of its own a client asks, or does without.
const RETRY: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(1));
/// An answer is asked for again at half of its time, but within this.
const LONGEST: Duration = Duration::from_hours(24);
/// Answers are small.
const LARGEST: usize = 64 << 10;

struct Kept {
    ask_at: Instant,
    failures: u32,
    until: Option<SystemTime>,
    /// None: nobody can be asked.
    question: Option<Arc<Question>>,
    is_asking: bool,
}

type Asked = ([u8; 32], Result<(Vec<u8>, Validity), String>);

/// Runs until the runtime ends.
pub(crate) async fn run(settings: Ocsp, live: Arc<Live>) {
    let client = match client() {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "OCSP answers cannot be asked for.");
            return;
        }
    };
    let mut kept: HashMap<[u8; 32], Kept> = HashMap::new();
    let mut asking: JoinSet<Asked> = JoinSet::new();
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            Some(done) = asking.join_next() => {
                if let Ok((digest, answer)) = done {
                    answered(&live, &mut kept, digest, answer);
                }
                continue;
            }
        }
        let certificates = in_force(&live);
        kept.retain(|digest, _| certificates.contains_key(digest));
        for (digest, certificate) in &certificates {
            let kept = kept.entry(*digest).or_insert_with(|| Kept {
                ask_at: Instant::now(),
                failures: 0,
                until: None,
                question: Question::of(&certificate.key.cert).map(Arc::new),
                is_asking: false,
            });
            if kept.until.is_some_and(|until| until <= SystemTime::now()) {
                certificate.staple(None);
                kept.until = None;
            }
            let Some(question) = kept.question.as_ref().filter(|_| !kept.is_asking) else { continue };
            if kept.ask_at <= Instant::now() && asking.len() < AT_ONCE {
                kept.is_asking = true;
                let (question, client, digest) = (Arc::clone(question), client.clone(), *digest);
                let responder = responder(&settings.responder_overrides, &question.responder);
                asking.spawn(async move { (digest, ask(&client, &responder, &question).await) });
            }
        }
    }
}

fn client() -> Result<reqwest::Client, String> {
    let tls = client_config(&ClientTls::default()).map_err(|error| error.to_string())?;
    let builder = reqwest::Client::builder().tls_backend_preconfigured(rustls::ClientConfig::clone(&tls));
    builder.timeout(PATIENCE).build().map_err(|error| error.to_string())
}

/// By digest: one that is loaded twice is asked about once.
fn in_force(live: &Live) -> BTreeMap<[u8; 32], StoredCertificate> {
    let snapshot = live.current(0);
    let store = snapshot.tls.store();
    let all = store.certificates().iter().chain(store.given_default());
    all.map(|certificate| (certificate.digest(), certificate.clone())).collect()
}

/// Whom to ask, by whom the certificate names.
fn responder(overrides: &BTreeMap<String, String>, named: &str) -> String {
    overrides.get(named).cloned().unwrap_or_else(|| named.to_owned())
}

fn answered(
    live: &Live,
    kept: &mut HashMap<[u8; 32], Kept>,
    digest: [u8; 32],
    answer: Result<(Vec<u8>, Validity), String>,
) {
    let (Some(kept), Some(certificate)) = (kept.get_mut(&digest), in_force(live).remove(&digest)) else { return };
    kept.is_asking = false;
    match answer {
        Ok((bytes, validity)) => {
            tracing::debug!(names = certificate.names.join(", "), "An OCSP answer is shown with the certificate.");
            certificate.staple(Some(bytes));
            let half = validity.until.duration_since(SystemTime::now()).unwrap_or_default() / 2;
            (kept.failures, kept.until) = (0, Some(validity.until));
            kept.ask_at = Instant::now() + half.clamp(LOOK, LONGEST);
        }
        Err(why) => {
            tracing::warn!(names = certificate.names.join(", "), "No OCSP answer for the certificate: {why}");
            kept.ask_at = Instant::now() + (RETRY.0 * 2u32.saturating_pow(kept.failures.min(8))).min(RETRY.1);
            kept.failures += 1;
        }
    }
}

async fn ask(client: &reqwest::Client, responder: &str, question: &Question) -> Result<(Vec<u8>, Validity), String> {
    let told = |error: reqwest::Error| format!("{responder}: {error}");
    let request = client
        .post(responder)
        .header("Content-Type", "application/ocsp-request")
        .header("Accept", "application/ocsp-response")
        .body(question.request.clone());
    let mut answer = request.send().await.and_then(reqwest::Response::error_for_status).map_err(told)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(told)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LARGEST {
            return Err(format!("{responder}: the answer is larger than {LARGEST} bytes"));
        }
    }
    let algorithms = trafficcop_tls::provider().signature_verification_algorithms;
    let validity =
        question.check(&bytes, SystemTime::now(), &algorithms).map_err(|why| format!("{responder}: {why}"))?;
    Ok((bytes, validity))
}
