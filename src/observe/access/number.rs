//! Whole numbers as text: two digits for each division.

/// `00` to `99`.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + number as u8 / 10, b'0' + number as u8 % 10];
        number += 1;
    }
    pairs
};

pub(super) fn push(out: &mut Vec<u8>, mut number: u64) {
    // Most are statuses, small sizes, or nothing.
    match number {
        0..10 => return out.push(b'0' + number as u8),
        10..100 => return out.extend_from_slice(&PAIRS[number as usize]),
        100..1000 => {
            out.push(b'0' + (number / 100) as u8);
            return out.extend_from_slice(&PAIRS[(number % 100) as usize]);
        }
        _ => {}
    }
    let (mut text, mut start) = ([0; 20], 20);
    while number >= 10 {
        start -= 2;
        text[start..start + 2].copy_from_slice(&PAIRS[(number % 100) as usize]);
        number /= 100;
    }
    if number > 0 {
        start -= 1;
        text[start] = b'0' + number as u8;
    }
    out.extend_from_slice(&text[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_library() {
        let tens = (0..20).map(|power| 10_u64.pow(power));
        for number in tens.flat_map(|ten| [ten - 1, ten, ten + 1, ten.saturating_mul(7)]).chain([0, 42, 503, u64::MAX])
        {
            let mut out = Vec::new();
            push(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }
}
