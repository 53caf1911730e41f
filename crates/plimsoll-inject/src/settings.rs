//! What holds for one workload: flags over its annotations and labels over the defaults, read and checked.

use plimsoll_core::{Code, Diagnostic};
use serde_json::Value;

use crate::options::{Given, PREFIX, Scope, closest, row, unknown};
use crate::record;
use crate::value::join;
use crate::workload::Workload;

/// Options that the gate itself takes, under the same names.
const PASSED: [&str; 6] = ["schema", "config", "migrations", "wait", "lock-wait", "if-ahead"];

/// What the gate does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Deploy,
    Wait,
}

/// How the binary gets into the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Image,
    Volume,
    Copy,
}

/// Where the gate stands among the init containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    AfterSidecars,
    First,
    Last,
    Before(String),
    After(String),
}

/// Whose security context the gate has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    Restricted,
    Container,
    None,
}

/// The user of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    Derived,
    Image,
    Id(u64),
}

/// What happens to a Prisma command that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    Replace,
    Keep,
}

/// A key of a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretKey {
    pub(crate) name: String,
    pub(crate) key: String,
}

/// Everything that is decided for one workload before it is looked at.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) mode: Mode,
    pub(crate) env: String,
    pub(crate) secret: Option<SecretKey>,
    pub(crate) copy_env: Vec<String>,
    pub(crate) container: Option<String>,
    pub(crate) name: String,
    pub(crate) delivery: Delivery,
    pub(crate) plimsoll_image: Option<String>,
    pub(crate) binary: String,
    pub(crate) passed: Vec<(&'static str, String)>,
    pub(crate) mounts: Vec<String>,
    pub(crate) position: Position,
    pub(crate) security: Security,
    pub(crate) user: User,
    pub(crate) existing: Existing,
    pub(crate) grace: Option<u64>,
    pub(crate) progress_deadline: Option<u64>,
}

impl Settings {
    /// Reads the options that hold for a workload.
    pub(crate) fn read(given: &Given, default_env: Option<&str>) -> Result<Self, Diagnostic> {
        let plimsoll_image = given.one("plimsoll-image").map(str::to_owned);
        let delivery = delivery(given, plimsoll_image.as_deref())?;
        let passed = PASSED.iter().filter_map(|name| given.one(name).map(|value| (*name, value.to_owned())));
        Ok(Self {
            mode: choice(given, "mode", &[("deploy", Mode::Deploy), ("wait", Mode::Wait)])?,
            env: given.one("env").or(default_env).unwrap_or("DATABASE_URL").to_owned(),
            secret: given.one("secret").map(secret).transpose()?,
            copy_env: given.many("copy-env").to_vec(),
            container: given.one("container").map(str::to_owned),
            name: given.one("name").map_or_else(|| Ok("plimsoll".to_owned()), label)?,
            delivery,
            plimsoll_image,
            binary: given.one("binary").unwrap_or("plimsoll").to_owned(),
            passed: passed.collect(),
            mounts: given.many("mount").to_vec(),
            position: position(given.one("place"))?,
            security: choice(
                given,
                "security",
                &[
                    ("restricted", Security::Restricted),
                    ("container", Security::Container),
                    ("none", Security::None),
                ],
            )?,
            user: user(given.one("run-as-user"))?,
            existing: choice(given, "existing", &[("replace", Existing::Replace), ("keep", Existing::Keep)])?,
            grace: number(given, "grace")?,
            progress_deadline: number(given, "progress-deadline")?,
        })
    }
}

/// The options that annotations and labels of a workload and of its pod template give.
///
/// An unknown one below our prefix is an error: a gate that is missing because of a typing mistake would be seen too late.
pub(crate) fn annotated(workload: &Workload, object: &Value) -> Result<Given, Diagnostic> {
    let mut given = Given::default();
    let places = ["labels", "annotations"];
    // The workload's own come last and win over its template's.
    for metadata in [format!("{}/metadata", workload.template), "/metadata".to_owned()] {
        for place in places {
            let entries = object.pointer(&format!("{metadata}/{place}")).and_then(Value::as_object);
            for (key, value) in entries.into_iter().flatten() {
                if let Some(name) = key.strip_prefix(PREFIX) {
                    add(&mut given, name, value).map_err(|trouble| about(workload, place, key, &trouble))?;
                }
            }
        }
    }
    Ok(given)
}

fn add(given: &mut Given, name: &str, value: &Value) -> Result<(), Diagnostic> {
    if name == record::NAME {
        return Ok(());
    }
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match row(name) {
        Some(row) if row.scope == Scope::Run => {
            Err(Diagnostic::new(Code::InjectOption, format!("`{name}` is a flag and no annotation"))
                .help(format!("give `--{name}`, or `{PREFIX}inject: \"true\"`")))
        }
        Some(_) => given.add_list(name, &text),
        None => Err(unknown(name)),
    }
}

fn about(workload: &Workload, place: &str, key: &str, trouble: &Diagnostic) -> Diagnostic {
    let message = format!("{} (`{key}` in its {place})", trouble.message);
    trouble.help.iter().fold(workload.trouble(trouble.code, &message), |all, step| all.help(step.clone()))
}

/// Whether a workload says yes or no itself.
pub(crate) fn consent(given: &Given) -> Result<Option<bool>, Diagnostic> {
    match given.one("inject") {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(other) => Err(wrong("inject", other, "`true` or `false`")),
    }
}

fn delivery(given: &Given, image: Option<&str>) -> Result<Delivery, Diagnostic> {
    let choices = [("image", Delivery::Image), ("volume", Delivery::Volume), ("copy", Delivery::Copy)];
    let delivery = match (given.one("delivery"), image) {
        (None, Some(_)) => Delivery::Volume,
        _ => choice(given, "delivery", &choices)?,
    };
    if delivery != Delivery::Image && image.is_none() {
        let message = "the binary is to come from Plimsoll's image, and nothing says which";
        return Err(Diagnostic::new(Code::InjectOption, message).help("give `--plimsoll-image IMAGE`"));
    }
    Ok(delivery)
}

fn choice<T: Copy>(given: &Given, name: &str, choices: &[(&str, T)]) -> Result<T, Diagnostic> {
    // The first choice of each option is its default.
    let Some(value) = given.one(name) else { return Ok(choices[0].1) };
    if let Some((_, chosen)) = choices.iter().find(|(word, _)| *word == value) {
        return Ok(*chosen);
    }
    let expected = join(choices.iter().map(|(word, _)| *word));
    let trouble = wrong(name, value, &format!("one of {expected}"));
    Err(match closest(value, choices.iter().map(|(word, _)| *word)) {
        Some(close) => trouble.help(format!("did you mean `{close}`?")),
        None => trouble,
    })
}

fn wrong(name: &str, value: &str, expected: &str) -> Diagnostic {
    Diagnostic::new(Code::InjectOption, format!("`{name}` cannot be `{value}`: expected {expected}"))
}

fn secret(value: &str) -> Result<SecretKey, Diagnostic> {
    match value.split_once('/') {
        Some((name, key)) if !name.is_empty() && !key.is_empty() && !key.contains('/') => {
            Ok(SecretKey { name: name.to_owned(), key: key.to_owned() })
        }
        _ => Err(wrong("secret", value, "the Secret's name and a key of it, as in `database-owner/url`")),
    }
}

/// A name as Kubernetes allows it for a container (RFC 1123).
fn label(value: &str) -> Result<String, Diagnostic> {
    let letters = value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let ends = value.starts_with('-') || value.ends_with('-');
    if letters && !ends && (1..=63).contains(&value.len()) {
        return Ok(value.to_owned());
    }
    Err(wrong("name", value, "lower case letters, digits and `-`, at most 63"))
}

fn position(value: Option<&str>) -> Result<Position, Diagnostic> {
    match value {
        None => Ok(Position::AfterSidecars),
        Some("first") => Ok(Position::First),
        Some("last") => Ok(Position::Last),
        Some(other) => match other.split_once('=') {
            Some(("before", name)) => Ok(Position::Before(name.to_owned())),
            Some(("after", name)) => Ok(Position::After(name.to_owned())),
            _ => Err(wrong("place", other, "`first`, `last`, `before=NAME` or `after=NAME`")),
        },
    }
}

fn user(value: Option<&str>) -> Result<User, Diagnostic> {
    match value {
        None => Ok(User::Derived),
        Some("image") => Ok(User::Image),
        Some(text) => match text.parse() {
            Ok(id @ 1..=2_147_483_647) => Ok(User::Id(id)),
            _ => Err(wrong("run-as-user", text, "a number above 0, or `image`")),
        },
    }
}

fn number(given: &Given, name: &str) -> Result<Option<u64>, Diagnostic> {
    let read = |text: &str| text.parse().map_err(|_| wrong(name, text, "a number of seconds"));
    given.one(name).map(read).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(pairs: &[(&str, &str)]) -> Given {
        let mut given = Given::default();
        for (name, value) in pairs {
            given.add_list(name, value).unwrap();
        }
        given
    }

    fn trouble(name: &str, value: &str) -> String {
        Settings::read(&given(&[(name, value)]), None).unwrap_err().message
    }

    #[test]
    fn plimsolls_image_alone_means_an_image_volume() {
        let settings = Settings::read(&given(&[("plimsoll-image", "p:1")]), None).unwrap();
        assert_eq!(settings.delivery, Delivery::Volume);
        let settings =
            Settings::read(&given(&[("plimsoll-image", "p:1"), ("delivery", "copy")]), None).unwrap();
        assert_eq!(settings.delivery, Delivery::Copy);
        assert!(trouble("delivery", "volume").contains("nothing says which"));
    }

    #[test]
    fn a_value_that_an_option_cannot_have_is_refused_by_name() {
        assert_eq!(trouble("mode", "wiat"), "`mode` cannot be `wiat`: expected one of `deploy`, `wait`");
        assert!(trouble("secret", "a").starts_with("`secret` cannot be `a`"));
        assert!(trouble("name", "-a").starts_with("`name` cannot be `-a`"));
        assert!(trouble("place", "before").starts_with("`place` cannot be `before`"));
        assert!(trouble("run-as-user", "0").starts_with("`run-as-user` cannot be `0`"));
        assert!(trouble("grace", "5m").starts_with("`grace` cannot be `5m`"));
    }

    #[test]
    fn the_variable_is_the_projects_unless_it_is_given() {
        assert_eq!(Settings::read(&given(&[]), Some("DB")).unwrap().env, "DB");
        assert_eq!(Settings::read(&given(&[("env", "URL")]), Some("DB")).unwrap().env, "URL");
    }
}
