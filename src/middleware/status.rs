//! Lists of status codes and ranges: `404`, `500-599`.

use trafficcop_exchange::StatusCode;

use crate::BuildError;

/// Ranges, both ends included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StatusRanges(Vec<(u16, u16)>);

impl StatusRanges {
    /// Each item is a code or a range.
    pub(crate) fn parse<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> Result<Self, BuildError> {
        items.into_iter().map(|item| range(item.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn contains(&self, status: StatusCode) -> bool {
        self.0.iter().any(|(low, high)| (*low..=*high).contains(&status.as_u16()))
    }
}

fn range(text: &str) -> Result<(u16, u16), BuildError> {
    let code = |code: &str| {
        let code = code.trim();
        code.parse::<u16>().ok().filter(|code| (100..=599).contains(code)).ok_or_else(|| {
            BuildError::invalid(format!("{text} is not a status code (404) or a range of them (500-599)"))
        })
    };
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    // As in Traefik, a range that ends before it begins is taken, and holds nothing.
    Ok((code(low)?, code(high)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(items: &[&str], status: u16, expected: bool) {
        let ranges = StatusRanges::parse(items).expect("good ranges");
        assert_eq!(ranges.contains(StatusCode::from_u16(status).expect("a status")), expected);
    }

    #[test]
    fn codes_and_ranges() {
        check(&["404", "500-503"], 404, true);
        check(&["404", "500-503"], 503, true);
        check(&["404", "500-503"], 504, false);
        check(&["503-500"], 501, false);
        for bad in ["", "x", "99", "600", "1-2-3"] {
            assert!(StatusRanges::parse([bad]).is_err(), "{bad}");
        }
    }
}
