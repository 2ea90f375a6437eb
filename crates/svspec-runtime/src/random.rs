//! A seed and a name or a counter in, a reproducible 64-bit number out: the same on every machine and device.

/// The finaliser of SplitMix64 (Steele, Lea & Flood 2014): a bijection whose output bits all depend on all input bits.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The number that belongs to `counter` in the stream of `seed`; any counter, in any order.
pub fn at(seed: u64, counter: u64) -> u64 {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    mix(mix(seed.wrapping_add(GOLDEN)).wrapping_add(counter.wrapping_mul(GOLDEN)))
}

/// The seed of what is called `name` under `seed`: FNV-1a of the name, mixed in.
pub fn named(seed: u64, name: &str) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    at(seed, hash)
}

/// A number in `0..bound`; the bias of at most `bound / 2^64` is immaterial here. `bound` is not 0.
pub fn below(random: u64, bound: u64) -> u64 {
    ((u128::from(random) * u128::from(bound)) >> 64) as u64
}

/// A number in `[0, 1)` with 53 random bits.
pub fn unit(random: u64) -> f64 {
    (random >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_seed_name_and_counter() {
        assert_ne!(at(0, 0), at(0, 1));
        assert_ne!(at(0, 0), at(1, 0));
        assert_ne!(named(0, "attn.q.weight"), named(0, "attn.k.weight"));
        assert_eq!(named(7, "embed.weight"), named(7, "embed.weight"));
    }

    #[test]
    fn numbers_below_a_bound_reach_both_ends_and_are_even() {
        let mut counts = [0_u32; 10];
        for counter in 0..10_000 {
            counts[below(at(3, counter), 10) as usize] += 1;
        }
        // Expected 1000 each, standard deviation 30.
        assert!(counts.iter().all(|&count| (850..1150).contains(&count)), "{counts:?}");
    }

    #[test]
    fn unit_numbers_have_mean_one_half() {
        let mean = (0..10_000).map(|counter| unit(at(5, counter))).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
    }
}
