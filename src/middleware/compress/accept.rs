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
pub(super) fn choose<'a>(
    accepted: impl Iterator<Item = &'a [u8]>,
    supported: &[Encoding],
    default: Encoding,
) -> Choice {
    let (mut weighted, mut any) = (false, false);
    // The first of our order that was named, and the first offer of the greatest weight.
    let mut named = usize::MAX;
    let mut heaviest: Option<(Offer, f64)> = None;
    for item in accepted.flat_map(|line| line.split(|byte| *byte == b',')) {
        let (name, weight): (&[u8], f64) = match item.iter().position(|byte| *byte == b';') {
            Some(at) => {
                weighted = true;
                let parameter = item[at + 1..].trim_ascii().strip_prefix(b"q=");
                let weight = parameter.and_then(|text| std::str::from_utf8(text.trim_ascii()).ok()?.parse().ok());
                (item[..at].trim_ascii(), weight.unwrap_or(0.0))
            }
            None => (item.trim_ascii(), 1.0),
        };
        let offer = match name {
            b"identity" => Offer::Plain,
            b"*" => Offer::Any,
            name => {
                let known = Encoding::parse(name).filter(|_| weight > 0.0);
                match known.and_then(|encoding| supported.iter().position(|other| *other == encoding)) {
                    Some(position) => {
                        named = named.min(position);
                        Offer::Known(supported[position])
                    }
                    None => continue,
                }
            }
        };
        any |= offer == Offer::Any;
        if heaviest.is_none_or(|(_, greatest)| weight.total_cmp(&greatest).is_gt()) {
            heaviest = Some((offer, weight));
        }
    }
    if weighted {
        return match heaviest {
            Some((Offer::Plain | Offer::Any, weight)) if weight <= 0.0 => Choice::NotAcceptable,
            None | Some((Offer::Plain, _)) => Choice::Identity,
            Some((Offer::Any, _)) => Choice::Encode(default),
            Some((Offer::Known(encoding), _)) => Choice::Encode(encoding),
        };
    }
    match supported.get(named) {
        Some(encoding) => Choice::Encode(*encoding),
        None if any => Choice::Encode(default),
        None => Choice::Identity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accepted: &str, expected: Choice) {
        let supported = [Encoding::Gzip, Encoding::Brotli, Encoding::Zstandard];
        assert_eq!(choose([accepted.as_bytes()].into_iter(), &supported, Encoding::Gzip), expected, "{accepted}");
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
