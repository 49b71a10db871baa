//! The two FNV hashes of 64 bits.

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

/// FNV-1a, from the state in which `state` was left.
pub(crate) fn one_a(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

/// The state before the first byte.
pub(crate) const START: u64 = OFFSET;

/// FNV-1.
pub(crate) fn one(bytes: &[u8]) -> u64 {
    bytes.iter().fold(OFFSET, |hash, byte| hash.wrapping_mul(PRIME) ^ u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert_eq!(one(b"a"), 0xaf63_bd4c_8601_b7be);
        assert_eq!(one_a(START, b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(one(b""), OFFSET);
    }
}
