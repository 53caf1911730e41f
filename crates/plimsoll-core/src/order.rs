//! The order in which Prisma applies migrations: JavaScript's `String.localeCompare`, which is ICU's root collation.

use std::cmp::Ordering;

use icu_collator::options::CollatorOptions;
use icu_collator::{Collator, CollatorBorrowed};
use icu_locale_core::locale;

/// Sorts by name as `localeCompare` does; names that it takes for equal are ordered by their bytes, so that the result
/// never depends on the order in which a directory was read.
pub fn sort_by_name<T>(list: &mut [T], name: impl Fn(&T) -> &str) {
    if list.len() < 2 {
        return;
    }
    // Timestamps of fourteen digits, the everyday case, need no collation tables.
    if sort_by_timestamp(list, &name) {
        return;
    }
    let collator = collator();
    list.sort_by(|a, b| compare(collator.as_ref(), name(a), name(b)));
}

fn compare(collator: Option<&CollatorBorrowed<'static>>, a: &str, b: &str) -> Ordering {
    collator.map_or(Ordering::Equal, |collator| collator.compare(a, b)).then_with(|| a.cmp(b))
}

/// The collator of `en-US`, which is what Node uses when no locale is set. Its data is compiled in.
fn collator() -> Option<CollatorBorrowed<'static>> {
    Collator::try_new(locale!("en-US").into(), CollatorOptions::default()).ok()
}

/// Whether each name begins with a timestamp, and none with that of another: then the list is in their order. Each is read once, and
/// not for each comparison.
fn sort_by_timestamp<T>(list: &mut [T], name: &impl Fn(&T) -> &str) -> bool {
    if list.iter().any(|item| timestamp(name(item)).is_none()) {
        return false;
    }
    list.sort_by_cached_key(|item| timestamp(name(item)));
    list.windows(2).all(|pair| timestamp(name(&pair[0])) != timestamp(name(&pair[1])))
}

/// The number of fourteen digits that a name begins with.
fn timestamp(name: &str) -> Option<u64> {
    let head = name.as_bytes().get(..14)?;
    let followed = name.as_bytes().get(14).is_none_or(|byte| *byte == b'_');
    let digit = |number: u64, byte: &u8| byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0'));
    if followed { head.iter().try_fold(0, digit) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted(names: &[&str]) -> Vec<String> {
        let mut list: Vec<String> = names.iter().map(ToString::to_string).collect();
        sort_by_name(&mut list, |name| name);
        list
    }

    #[test]
    fn odd_names_stand_in_the_order_that_prisma_applied_them_in() {
        // The order of transcript 13 of Prisma 6.19.
        let names = [
            "_under", ".hidden", "0001_x", "10_b", "9_a", "a_lower", "B_upper", "nested", "sp ace", "z-dash",
        ];
        let mut shuffled = names;
        shuffled.reverse();
        assert_eq!(sorted(&shuffled), names);
    }

    #[test]
    fn punctuation_counts_and_lower_case_comes_first() {
        assert_eq!(
            sorted(&["A", "a", "b", "~", "=", "-", "_", " ", "0"]),
            [" ", "_", "-", "=", "~", "0", "a", "A", "b"]
        );
    }

    proptest! {
        #[test]
        fn the_fast_way_for_timestamps_is_the_order_of_the_collator(
            names in prop::collection::hash_set("20[0-9]{12}(_[a-z_]{0,6})?", 0..12)
        ) {
            let mut fast: Vec<String> = names.iter().cloned().collect();
            let mut slow = fast.clone();
            sort_by_name(&mut fast, |name| name);
            let collator = collator();
            slow.sort_by(|a, b| compare(collator.as_ref(), a, b));
            prop_assert_eq!(fast, slow);
        }

        #[test]
        fn timestamps_that_are_there_twice_are_in_the_order_of_the_collator(
            names in prop::collection::vec("2024010100000[0-2](_[A-Ca-c_]{0,2})?", 0..12)
        ) {
            let mut fast = names.clone();
            let mut slow = names;
            sort_by_name(&mut fast, |name| name);
            let collator = collator();
            slow.sort_by(|a, b| compare(collator.as_ref(), a, b));
            prop_assert_eq!(fast, slow);
        }

        #[test]
        fn the_order_does_not_depend_on_how_the_directory_was_read(
            names in prop::collection::vec("[ -~äß]{1,8}", 0..10), seed in any::<u64>()
        ) {
            let mut once = names.clone();
            let mut again = names;
            let turn = usize::try_from(seed % (again.len().max(1) as u64)).unwrap();
            again.rotate_left(turn);
            sort_by_name(&mut once, |name| name);
            sort_by_name(&mut again, |name| name);
            prop_assert_eq!(once, again);
        }
    }
}
