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
    if list.iter().all(|item| timestamp(name(item)).is_some()) && distinct_timestamps(list, &name) {
        list.sort_by(|a, b| timestamp(name(a)).cmp(&timestamp(name(b))));
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

fn timestamp(name: &str) -> Option<&[u8]> {
    let head = name.as_bytes().get(..14)?;
    let followed = name.as_bytes().get(14).is_none_or(|byte| *byte == b'_');
    (followed && head.iter().all(u8::is_ascii_digit)).then_some(head)
}

fn distinct_timestamps<T>(list: &[T], name: &impl Fn(&T) -> &str) -> bool {
    let mut seen = std::collections::HashSet::with_capacity(list.len());
    list.iter().all(|item| seen.insert(timestamp(name(item))))
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
