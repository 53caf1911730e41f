//! Which items of a sequence are meant to be the same, before and after.

use serde_json::{Map, Value};

/// What happens to an item, in the order of the wanted sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The first item, by index, becomes the second.
    Keep(usize, usize),
    Remove(usize),
    Insert(usize),
}

/// Above so many comparisons the whole middle is taken for new: two lists of a thousand items each are allowed.
const MOST_COMPARISONS: usize = 1_000_000;

/// What speaks for two items that are equal, and for two of the same name. Keys in common count less.
const EQUAL: u32 = 1000;
const SAME_NAME: u32 = 500;

/// Pairs the items: those that are equal, or have the same name, or are alike, in an order that both sequences have.
/// Any item may become one that is pinned.
pub(super) fn align(current: &[Value], wanted: &[Value], pinned: impl Fn(usize) -> Pinned) -> Vec<Step> {
    let same = |(left, right): &(&Value, &Value)| left == right;
    let head = current.iter().zip(wanted).take_while(same).count();
    let (left, right) = (&current[head..], &wanted[head..]);
    let tail = left.iter().rev().zip(right.iter().rev()).take_while(same).count();
    let (left, right) = (&left[..left.len() - tail], &right[..right.len() - tail]);
    let middle = middle(left, right, |index| pinned(head + index));
    let mut steps: Vec<Step> = (0..head).map(|index| Step::Keep(index, index)).collect();
    steps.extend(middle.into_iter().map(|step| match step {
        Step::Keep(one, other) => Step::Keep(one + head, other + head),
        Step::Remove(one) => Step::Remove(one + head),
        Step::Insert(other) => Step::Insert(other + head),
    }));
    let (one, other) = (current.len() - tail, wanted.len() - tail);
    steps.extend((0..tail).map(|index| Step::Keep(one + index, other + index)));
    steps
}

/// Whether there is a text for a wanted item, which can be put in the place of any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pinned {
    Yes,
    No,
}

fn middle(left: &[Value], right: &[Value], pinned: impl Fn(usize) -> Pinned) -> Vec<Step> {
    let is_pinned = |index: usize| pinned(index) == Pinned::Yes;
    let in_place = left.len() == right.len()
        && left
            .iter()
            .zip(right)
            .enumerate()
            .all(|(index, (one, other))| is_pinned(index) || are_alike(one, other));
    // The only change is one thing for another, or another name for one.
    if in_place || matches!((left, right), ([_], [_])) {
        return (0..left.len()).map(|index| Step::Keep(index, index)).collect();
    }
    if left.len().saturating_mul(right.len()) > MOST_COMPARISONS {
        let removed = (0..left.len()).map(Step::Remove);
        return removed.chain((0..right.len()).map(Step::Insert)).collect();
    }
    let weight = |one: usize, other: usize| match (&left[one], &right[other]) {
        (one, other) if one == other => EQUAL,
        (one, changed) => likeness(one, changed).max(u32::from(is_pinned(other))),
    };
    heaviest(left.len(), right.len(), weight)
}

/// The pairs with the greatest sum of weights that cross nowhere.
fn heaviest(left: usize, right: usize, weight: impl Fn(usize, usize) -> u32) -> Vec<Step> {
    let width = right + 1;
    let mut best = vec![0u32; (left + 1) * width];
    for one in (0..left).rev() {
        for other in (0..right).rev() {
            let pair = match weight(one, other) {
                0 => 0,
                weight => weight + best[(one + 1) * width + other + 1],
            };
            best[one * width + other] =
                pair.max(best[(one + 1) * width + other]).max(best[one * width + other + 1]);
        }
    }
    let (mut one, mut other, mut steps) = (0, 0, Vec::new());
    while one < left && other < right {
        let here = best[one * width + other];
        let pair = weight(one, other);
        if pair > 0 && here == pair + best[(one + 1) * width + other + 1] {
            steps.push(Step::Keep(one, other));
            (one, other) = (one + 1, other + 1);
        } else if here == best[(one + 1) * width + other] {
            steps.push(Step::Remove(one));
            one += 1;
        } else {
            steps.push(Step::Insert(other));
            other += 1;
        }
    }
    steps.extend((one..left).map(Step::Remove));
    steps.extend((other..right).map(Step::Insert));
    steps
}

/// Whether one may be the other after a change of something inside of it.
fn are_alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(_), Value::Object(_)) => name(one) == name(other),
        (Value::Array(_), Value::Array(_)) => true,
        (one, other) => one == other,
    }
}

/// How much speaks for one being the other after a change of something inside of it.
fn likeness(one: &Value, other: &Value) -> u32 {
    match (one, other) {
        (Value::Object(one_map), Value::Object(other_map)) => match (name(one), name(other)) {
            (None, None) => common(one_map, other_map),
            (one, other) => {
                if one == other {
                    SAME_NAME
                } else {
                    0
                }
            }
        },
        (Value::Array(_), Value::Array(_)) => 1,
        _ => 0,
    }
}

/// The keys that two objects have in common; those with equal values count twice. It counts too if one of them has
/// everything that the other has.
fn common(one: &Map<String, Value>, other: &Map<String, Value>) -> u32 {
    let both = one.iter().filter_map(|(key, value)| Some((value, other.get(key)?)));
    let points = both.clone().map(|(one, other)| 1 + u32::from(one == other)).sum::<u32>();
    let is_part = both.count() == one.len().min(other.len());
    (points + u32::from(is_part)).min(SAME_NAME - 1)
}

/// What identifies an item: the name of a container or a variable, or kind and name of an object in a list.
fn name(value: &Value) -> Option<(Option<&str>, &str)> {
    let own = value.get("name").and_then(Value::as_str).map(|name| (None, name));
    own.or_else(|| {
        let name = value.get("metadata")?.get("name")?.as_str()?;
        Some((value.get("kind").and_then(Value::as_str), name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn steps(current: &Value, wanted: &Value) -> Vec<Step> {
        align(current.as_array().unwrap(), wanted.as_array().unwrap(), |_| Pinned::No)
    }

    #[test]
    fn containers_are_the_same_by_name() {
        let current = json!([{"name": "a", "x": 1}, {"name": "b"}]);
        let wanted = json!([{"name": "gate"}, {"name": "a", "x": 2}, {"name": "b"}]);
        assert_eq!(steps(&current, &wanted), [Step::Insert(0), Step::Keep(0, 1), Step::Keep(1, 2)]);
    }

    #[test]
    fn words_are_the_same_if_they_are_equal() {
        let wanted = [Step::Keep(0, 0), Step::Remove(1), Step::Keep(2, 1), Step::Insert(2), Step::Insert(3)];
        assert_eq!(steps(&json!(["a", "b", "c"]), &json!(["a", "c", "x", "y"])), wanted);
    }

    #[test]
    fn an_object_without_a_name_that_changes_stays_in_its_place() {
        let (current, wanted) =
            (json!([{"host": "a"}, {"host": "b"}]), json!([{"host": "a"}, {"host": "c"}]));
        assert_eq!(steps(&current, &wanted), [Step::Keep(0, 0), Step::Keep(1, 1)]);
    }

    #[test]
    fn an_object_without_a_name_is_known_by_its_keys() {
        let (current, wanted) =
            (json!([{"port": 1, "to": {"a": 1}}]), json!([{"x": 1}, {"port": 1, "to": {"a": 2}}]));
        assert_eq!(steps(&current, &wanted), [Step::Insert(0), Step::Keep(0, 1)]);
    }

    #[test]
    fn of_two_with_one_name_the_equal_one_stays() {
        let (current, wanted) =
            (json!([{"name": "a", "x": 1}]), json!([{"name": "a"}, {"name": "a", "x": 1}]));
        assert_eq!(steps(&current, &wanted), [Step::Insert(0), Step::Keep(0, 1)]);
    }

    #[test]
    fn any_item_may_become_one_that_is_pinned() {
        let (current, wanted) = ([json!("x"), json!("y")], [json!({"name": "a"}), json!({"name": "b"})]);
        assert_eq!(align(&current, &wanted, |_| Pinned::Yes), [Step::Keep(0, 0), Step::Keep(1, 1)]);
        let none = align(&current, &wanted, |_| Pinned::No);
        assert!(none.iter().all(|step| !matches!(step, Step::Keep(..))), "{none:?}");
    }

    #[test]
    fn one_word_is_exchanged_in_its_place() {
        let expected = [Step::Keep(0, 0), Step::Keep(1, 1)];
        assert_eq!(steps(&json!(["a", "b"]), &json!(["a", "c"])), expected);
    }
}
