//! What a client accepts, and which of our encodings it gets.

use super::Encoding;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Encode(Encoding),
    Identity,
    /// The client forbids even the plain answer.
    NotAcceptable,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Offer {
    Known(Encoding),
    Plain,
    Any,
}

/// `supported` is in the order of preference; `default` is what `*` gets.
pub(super) fn choose(accepted: &[&str], supported: &[Encoding], default: Encoding) -> Choice {
    let mut weighted = false;
    let mut offers: Vec<(Offer, f64)> = Vec::new();
    for item in accepted.iter().flat_map(|line| line.split(',')) {
        let (name, weight) = match item.split_once(';') {
            Some((name, parameter)) => {
                weighted = true;
                let weight = parameter.trim().strip_prefix("q=").and_then(|text| text.trim().parse().ok());
                (name.trim(), weight.unwrap_or(0.0))
            }
            None => (item.trim(), 1.0),
        };
        let offer = match name {
            "identity" => Offer::Plain,
            "*" => Offer::Any,
            name => match Encoding::parse(name).filter(|encoding| supported.contains(encoding) && weight > 0.0) {
                Some(encoding) => Offer::Known(encoding),
                None => continue,
            },
        };
        offers.push((offer, weight));
    }
    if weighted {
        offers.sort_by(|left, right| right.1.total_cmp(&left.1));
        return match offers.first() {
            Some((Offer::Plain | Offer::Any, weight)) if *weight <= 0.0 => Choice::NotAcceptable,
            None | Some((Offer::Plain, _)) => Choice::Identity,
            Some((Offer::Any, _)) => Choice::Encode(default),
            Some((Offer::Known(encoding), _)) => Choice::Encode(*encoding),
        };
    }
    let offered = |wanted| offers.iter().any(|(offer, _)| *offer == wanted);
    match supported.iter().find(|encoding| offered(Offer::Known(**encoding))) {
        Some(encoding) => Choice::Encode(*encoding),
        None if offered(Offer::Any) => Choice::Encode(default),
        None => Choice::Identity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accepted: &str, expected: Choice) {
        let supported = [Encoding::Gzip, Encoding::Brotli, Encoding::Zstandard];
        assert_eq!(choose(&[accepted], &supported, Encoding::Gzip), expected, "{accepted}");
    }

    #[test]
    fn our_order_counts_among_equals_and_the_clients_weights_before_it() {
        check("zstd, br, gzip", Choice::Encode(Encoding::Gzip));
        check("br", Choice::Encode(Encoding::Brotli));
        check("br;q=0.5, gzip;q=0.8", Choice::Encode(Encoding::Gzip));
        check("br;q=0.9, gzip;q=0.8", Choice::Encode(Encoding::Brotli));
        check("gzip;q=0", Choice::Identity);
        check("identity", Choice::Identity);
        check("deflate", Choice::Identity);
        check("*", Choice::Encode(Encoding::Gzip));
        check("identity;q=0", Choice::NotAcceptable);
        check("*;q=0", Choice::NotAcceptable);
    }
}
