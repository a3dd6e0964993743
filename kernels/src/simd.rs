//! Which vector instructions this machine has, as a value that proves it.

/// An instruction set that the running processor is known to have.
///
/// A value exists only for a set that was detected, so a function that takes a `Simd` may use those
/// instructions. `Simd::detect()` is the best set; [`Simd::available`] lists all of them, which is how the
/// tests run every kernel on every path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simd(pub(crate) Level);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// 32 bytes a step; with BMI1 and POPCNT.
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    Avx2,
    /// 16 bytes a step; part of every x86-64.
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    Sse2,
    /// 8 bytes a step in ordinary registers, any processor, no `unsafe`.
    Swar,
}

impl Simd {
    /// The best set this processor has. Under Miri and on other processors this is [`Simd::portable`].
    #[inline]
    #[must_use]
    pub fn detect() -> Self {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            if std::arch::is_x86_feature_detected!("avx2")
                && std::arch::is_x86_feature_detected!("bmi1")
                && std::arch::is_x86_feature_detected!("popcnt")
            {
                return Self(Level::Avx2);
            }
            Self(Level::Sse2)
        }
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        Self(Level::Swar)
    }

    /// The path without vector instructions, which every processor has.
    #[inline]
    #[must_use]
    pub const fn portable() -> Self {
        Self(Level::Swar)
    }

    /// Every set this processor has, best first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let best = Self::detect();
        let mut sets = vec![best];
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        if best.0 == Level::Avx2 {
            sets.push(Self(Level::Sse2));
        }
        if best.0 != Level::Swar {
            sets.push(Self::portable());
        }
        sets
    }
}

impl Default for Simd {
    fn default() -> Self {
        Self::detect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_set_comes_first_and_the_portable_one_last() {
        let sets = Simd::available();
        assert_eq!(sets.first(), Some(&Simd::detect()));
        assert_eq!(sets.last(), Some(&Simd::portable()));
    }
}
