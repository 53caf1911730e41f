//! The values of options. What the API server or the gate itself would refuse is refused here, where somebody sees it.

use std::fmt;

use plimsoll_core::plan::IfAhead;
use plimsoll_core::{Code, Diagnostic, duration};

use crate::options::{Given, closest};
use crate::settings::{Position, SecretKey, User};
use crate::value::join;

/// A value that its option cannot have.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// The option, as the table calls it.
    pub(crate) option: &'static str,
    /// What is wrong, and what could be meant.
    pub(crate) trouble: Diagnostic,
}

impl From<Wrong> for Diagnostic {
    fn from(wrong: Wrong) -> Self {
        wrong.trouble
    }
}

/// Gives a value back as it was, if it can be one.
pub(crate) type Check = fn(&str) -> Result<String, String>;

/// The words that an option can have, each with what it stands for.
pub(crate) type Choices<T> = &'static [(&'static str, T)];

/// Reads an option that can be given once.
pub(crate) fn one<T>(
    given: &Given,
    option: &'static str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, Wrong> {
    given.one(option).map(|value| read(value).map_err(|why| wrong(option, value, why))).transpose()
}

/// Reads every value of an option.
pub(crate) fn many<T>(
    given: &Given,
    option: &'static str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, Wrong> {
    let values = given.many(option).iter();
    values.map(|value| read(value).map_err(|why| wrong(option, value, why))).collect()
}

/// Reads an option that is one of a few words.
pub(crate) fn choice<T: Copy>(
    given: &Given,
    option: &'static str,
    choices: Choices<T>,
) -> Result<Option<T>, Wrong> {
    let Some(value) = given.one(option) else { return Ok(None) };
    let words = || choices.iter().map(|(word, _)| *word);
    if let Some((_, chosen)) = choices.iter().find(|(word, _)| *word == value) {
        return Ok(Some(*chosen));
    }
    let mut wrong = wrong(option, value, one_of(words()));
    if let Some(close) = closest(value, words()) {
        wrong.trouble = wrong.trouble.help(format!("did you mean `{close}`?"));
    }
    Err(wrong)
}

fn one_of<'w>(words: impl Iterator<Item = &'w str>) -> String {
    format!("expected one of {}", join(words))
}

fn wrong(option: &'static str, value: &str, why: impl fmt::Display) -> Wrong {
    let message = format!("`{option}` cannot be `{value}`: {why}");
    Wrong { option, trouble: Diagnostic::new(Code::InjectOption, message) }
}

fn checked(value: &str, is_right: bool, expected: &str) -> Result<String, String> {
    is_right.then(|| value.to_owned()).ok_or_else(|| format!("expected {expected}"))
}

/// A path or a program: no more is known about it than that it is something.
pub(crate) fn path(value: &str) -> Result<String, String> {
    checked(value, !value.trim().is_empty(), "a path")
}

/// A time, as the gate itself reads it.
pub(crate) fn time(value: &str) -> Result<String, String> {
    duration::parse(value).map(|_| value.to_owned()).map_err(|error| error.to_string())
}

/// A policy, as the gate itself knows it.
pub(crate) fn if_ahead(value: &str) -> Result<String, String> {
    let words = || IfAhead::ALL.into_iter().map(IfAhead::word);
    words().find(|word| *word == value).map(str::to_owned).ok_or_else(|| one_of(words()))
}

/// The reference of an image. Which registries and tags there are, nobody knows here.
pub(crate) fn image(value: &str) -> Result<String, String> {
    let is_one = !value.is_empty() && value.chars().all(|c| c.is_ascii_graphic());
    checked(value, is_one, "the reference of an image, without spaces")
}

/// The name of a variable: what Kubernetes takes since 1.34, except for spaces.
pub(crate) fn variable(value: &str) -> Result<String, String> {
    let is_one = !value.is_empty() && value.chars().all(|c| c.is_ascii_graphic() && c != '=');
    checked(value, is_one, "the name of a variable")
}

/// The name of a container or a volume (a label of RFC 1123).
pub(crate) fn label(value: &str) -> Result<String, String> {
    let expected = "lower case letters, digits and `-`, at most 63";
    checked(value, is_label(value) && value.len() <= 63, expected)
}

fn is_label(value: &str) -> bool {
    let letters = value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    letters && !value.is_empty() && !value.starts_with('-') && !value.ends_with('-')
}

/// The name of a Secret (a subdomain of RFC 1123), and a key as its data can have it.
pub(crate) fn secret(value: &str) -> Result<SecretKey, String> {
    let is_name = |name: &str| name.len() <= 253 && name.split('.').all(is_label);
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_key = |key: &str| {
        (1..=253).contains(&key.len()) && key.chars().all(is_letter) && key != "." && !key.starts_with("..")
    };
    match value.split_once('/') {
        Some((name, key)) if is_name(name) && is_key(key) => {
            Ok(SecretKey { name: name.to_owned(), key: key.to_owned() })
        }
        _ => Err("expected the Secret's name and a key of it, as in `database-owner/url`".to_owned()),
    }
}

/// A place among the init containers.
pub(crate) fn position(value: &str) -> Result<Position, String> {
    match (value, value.split_once('=')) {
        ("first", _) => Ok(Position::First),
        ("last", _) => Ok(Position::Last),
        (_, Some(("before", name))) => label(name).map(Position::Before),
        (_, Some(("after", name))) => label(name).map(Position::After),
        _ => Err("expected `first`, `last`, `before=NAME` or `after=NAME`".to_owned()),
    }
}

/// A user, or `image`.
pub(crate) fn user(value: &str) -> Result<User, String> {
    match (value, value.parse()) {
        ("image", _) => Ok(User::Image),
        (_, Ok(id @ 1..=2_147_483_647)) => Ok(User::Id(id)),
        _ => Err("expected a number above 0, or `image`".to_owned()),
    }
}

/// Seconds that a pod has to end, from 0 on. Kubernetes keeps them as a signed number of 64 bits.
pub(crate) fn grace(value: &str) -> Result<u64, String> {
    let seconds = value.parse().ok().filter(|seconds| i64::try_from(*seconds).is_ok());
    seconds.ok_or_else(|| "expected a number of seconds".to_owned())
}

/// Seconds that a rollout may take, from 1 on. Kubernetes keeps them as a signed number of 32 bits.
pub(crate) fn deadline(value: &str) -> Result<u64, String> {
    let seconds = value.parse().ok().filter(|seconds| (1..=2_147_483_647).contains(seconds));
    seconds.ok_or_else(|| "expected a number of seconds above 0".to_owned())
}
