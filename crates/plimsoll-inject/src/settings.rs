//! What holds for one workload: flags over its annotations and labels over the defaults, read and checked.

use plimsoll_core::{Code, Diagnostic};

use crate::options::Given;
use crate::values::{self, Choices, Wrong, choice, many, one};

/// Options that the gate itself takes, under the same names, and how it reads them.
const PASSED: [(&str, values::Check); 9] = [
    ("schema", values::path),
    ("config", values::path),
    ("migrations", values::path),
    ("wait", values::time),
    ("lock-wait", values::time),
    ("lock-timeout", values::time),
    ("statement-timeout", values::time),
    ("timeout", values::time),
    ("if-ahead", values::if_ahead),
];

/// Whether a workload says yes or no itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    Unsaid,
    Yes,
    No,
}

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
    pub(crate) consent: Consent,
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

const MODES: Choices<Mode> = &[("deploy", Mode::Deploy), ("wait", Mode::Wait)];
const DELIVERIES: Choices<Delivery> =
    &[("image", Delivery::Image), ("volume", Delivery::Volume), ("copy", Delivery::Copy)];
const SECURITIES: Choices<Security> =
    &[("restricted", Security::Restricted), ("container", Security::Container), ("none", Security::None)];
const EXISTING: Choices<Existing> = &[("replace", Existing::Replace), ("keep", Existing::Keep)];
const CONSENTS: Choices<Consent> = &[("true", Consent::Yes), ("false", Consent::No)];

impl Settings {
    /// Reads the options that hold for a workload.
    pub(crate) fn read(given: &Given, default_env: Option<&str>) -> Result<Self, Wrong> {
        let settings = Self::values(given, default_env)?;
        if settings.delivery != Delivery::Image && settings.plimsoll_image.is_none() {
            let message = "the binary is to come from Plimsoll's image, and nothing says which";
            let trouble = Diagnostic::new(Code::InjectOption, message).help("give `--plimsoll-image IMAGE`");
            return Err(Wrong { option: "delivery", trouble });
        }
        Ok(settings)
    }

    /// Reads options each for itself: those of a workload may still complete them.
    pub(crate) fn values(given: &Given, default_env: Option<&str>) -> Result<Self, Wrong> {
        let plimsoll_image = one(given, "plimsoll-image", values::image)?;
        let delivery = match plimsoll_image {
            Some(_) => Delivery::Volume,
            None => Delivery::Image,
        };
        let env = one(given, "env", values::variable)?.or_else(|| default_env.map(str::to_owned));
        Ok(Self {
            consent: choice(given, "inject", CONSENTS)?.unwrap_or(Consent::Unsaid),
            mode: choice(given, "mode", MODES)?.unwrap_or(Mode::Deploy),
            env: env.unwrap_or_else(|| "DATABASE_URL".to_owned()),
            secret: one(given, "secret", values::secret)?,
            copy_env: many(given, "copy-env", values::variable)?,
            container: one(given, "container", values::label)?,
            name: one(given, "name", values::label)?.unwrap_or_else(|| "plimsoll".to_owned()),
            delivery: choice(given, "delivery", DELIVERIES)?.unwrap_or(delivery),
            plimsoll_image,
            binary: one(given, "binary", values::path)?.unwrap_or_else(|| "plimsoll".to_owned()),
            passed: passed(given)?,
            mounts: many(given, "mount", values::label)?,
            position: one(given, "place", values::position)?.unwrap_or(Position::AfterSidecars),
            security: choice(given, "security", SECURITIES)?.unwrap_or(Security::Restricted),
            user: one(given, "run-as-user", values::user)?.unwrap_or(User::Derived),
            existing: choice(given, "existing", EXISTING)?.unwrap_or(Existing::Replace),
            grace: one(given, "grace", values::grace)?,
            progress_deadline: one(given, "progress-deadline", values::deadline)?,
        })
    }
}

/// What is passed on: as it was written, and only if the gate will understand it.
fn passed(given: &Given) -> Result<Vec<(&'static str, String)>, Wrong> {
    let mut passed = Vec::new();
    for (option, check) in PASSED {
        passed.extend(one(given, option, check)?.map(|value| (option, value)));
    }
    Ok(passed)
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
        let mut given = Given::default();
        given.add(name, value).unwrap();
        Settings::read(&given, None).unwrap_err().trouble.message
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
        for (option, value) in [
            ("inject", "yes"),
            ("secret", "a"),
            ("secret", "A B/c d"),
            ("secret", "a/.."),
            ("name", "-a"),
            ("container", "a b"),
            ("mount", "A"),
            ("env", "a=b"),
            ("copy-env", ""),
            ("place", "before"),
            ("place", "after="),
            ("run-as-user", "0"),
            ("grace", "5m"),
            ("progress-deadline", "0"),
            ("progress-deadline", "2147483648"),
            ("plimsoll-image", ""),
            ("plimsoll-image", " "),
            ("plimsoll-image", "a b"),
            ("binary", " "),
        ] {
            let message = trouble(option, value);
            assert!(message.starts_with(&format!("`{option}` cannot be `{value}`: expected ")), "{message}");
        }
    }

    #[test]
    fn what_the_gate_would_refuse_is_not_passed_on() {
        for (option, value) in [
            ("wait", "banana"),
            ("lock-wait", "-1"),
            ("lock-timeout", "soon"),
            ("statement-timeout", "1.5s"),
            ("timeout", ""),
            ("if-ahead", "sometimes"),
            ("schema", ""),
            ("config", " "),
            ("migrations", ""),
        ] {
            let message = trouble(option, value);
            assert!(message.starts_with(&format!("`{option}` cannot be `{value}`: expected ")), "{message}");
        }
        let passed = [("schema", "db"), ("wait", "5m"), ("if-ahead", "refuse")];
        let settings = Settings::read(&given(&passed), None).unwrap();
        assert_eq!(settings.passed, passed.map(|(option, value)| (option, value.to_owned())));
    }

    #[test]
    fn the_variable_is_the_projects_unless_it_is_given() {
        assert_eq!(Settings::read(&given(&[]), Some("DB")).unwrap().env, "DB");
        assert_eq!(Settings::read(&given(&[("env", "URL")]), Some("DB")).unwrap().env, "URL");
    }
}
