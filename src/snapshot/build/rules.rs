//! Rules by their text: each is parsed once, and kept while somebody uses it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use trafficcop_router::rule::{HttpRule, TcpRule, parse_http, parse_tcp};
use trafficcop_router::{RuleError, Syntax};

/// By text; one map for each syntax.
type Map<V> = BTreeMap<Syntax, HashMap<Box<str>, Kept<V>, foldhash::fast::RandomState>>;

struct Kept<V> {
    rule: Result<V, RuleError>,
    round: u64,
}

/// An HTTP rule and the hosts that it names.
#[derive(Clone)]
pub(super) struct Parsed {
    pub(super) rule: Arc<HttpRule>,
    pub(super) hosts: Arc<[String]>,
}

#[derive(Default)]
pub(super) struct Rules {
    round: u64,
    http: Map<Parsed>,
    tcp: Map<Arc<TcpRule>>,
}

impl Rules {
    pub(super) fn http(&mut self, text: &str, syntax: &str) -> Result<Parsed, RuleError> {
        let syntax = Syntax::named(syntax);
        let parse = || {
            let rule = parse_http(text, syntax)?;
            Ok(Parsed { hosts: Arc::clone(rule.domains()), rule: Arc::new(rule) })
        };
        look_up(&mut self.http, self.round, text, syntax, parse)
    }

    pub(super) fn tcp(&mut self, text: &str, syntax: &str) -> Result<Arc<TcpRule>, RuleError> {
        let syntax = Syntax::named(syntax);
        look_up(&mut self.tcp, self.round, text, syntax, || parse_tcp(text, syntax).map(Arc::new))
    }

    /// The hosts that a rule names; None when it does not parse.
    pub(super) fn hosts(&mut self, text: &str, syntax: &str) -> Option<Arc<[String]>> {
        self.http(text, syntax).ok().map(|parsed| parsed.hosts)
    }

    /// Forgets what was not asked for since the last time.
    pub(super) fn forget_the_rest(&mut self) {
        let round = self.round;
        self.http.values_mut().for_each(|rules| rules.retain(|_, kept| kept.round == round));
        self.tcp.values_mut().for_each(|rules| rules.retain(|_, kept| kept.round == round));
        self.round += 1;
    }
}

fn look_up<V: Clone>(
    map: &mut Map<V>,
    round: u64,
    text: &str,
    syntax: Syntax,
    parse: impl FnOnce() -> Result<V, RuleError>,
) -> Result<V, RuleError> {
    let rules = map.entry(syntax).or_default();
    if let Some(kept) = rules.get_mut(text) {
        kept.round = round;
        return kept.rule.clone();
    }
    let rule = parse();
    rules.insert(text.into(), Kept { rule: rule.clone(), round });
    rule
}
