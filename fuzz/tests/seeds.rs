//! What every change is held against, without a fuzzer.

use plimsoll_fuzz::seeds;

#[test]
fn what_fuzzing_begins_with_is_as_it_has_to_be() {
    for (target, check) in seeds::TARGETS {
        let texts = seeds::of(target).unwrap();
        assert!(texts.len() >= seeds::least(target), "{target} has only {} texts", texts.len());
        for text in &texts {
            check(text);
        }
    }
}
