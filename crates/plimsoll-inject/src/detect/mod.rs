//! What a container does about migrations today.
//!
//! A command is taken over only if every word of it is understood. Anything else that speaks of `prisma migrate deploy`
//! is [`Role::Unclear`], which ends in an error that names the ways on, and never in a guess.

mod prisma;
mod script;
mod shell;

use serde_json::Value;

use crate::value::{list, text, texts};
pub(crate) use prisma::Scripts;
use prisma::{Meaning, meaning};
use script::OnError;

/// What a container does about migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It is a gate: it runs Plimsoll.
    Gate,
    /// It migrates and does nothing else.
    Migrates(Deploy),
    /// It migrates and then starts something.
    Starts(Deploy, Rest),
    /// It speaks of `prisma migrate deploy` in a way that cannot be taken over: why.
    Unclear(String),
    /// It runs a command of Prisma's that changes a database, and is not `migrate deploy`.
    Other(String),
    /// Nothing of the kind.
    Nothing,
}

/// A `prisma migrate deploy` that can be taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Deploy {
    /// The command as it was written.
    pub(crate) was: String,
    /// The arguments that Plimsoll takes too, in which Kubernetes fills in variables as before.
    pub(crate) args: Vec<String>,
    /// Variables that were set for it alone, in the same way.
    pub(crate) env: Vec<(String, String)>,
    /// Where it ran, if it changed the directory.
    pub(crate) directory: Option<String>,
    /// What changes for the better or worse by taking it over.
    pub(crate) notes: Vec<String>,
}

impl Deploy {
    /// As it stands in a script of `package.json`, where Kubernetes fills in nothing.
    fn of_a_package(mut self) -> Self {
        for text in self.args.iter_mut().chain(self.env.iter_mut().map(|(_, value)| value)) {
            *text = text.replace("$(", "$$(");
        }
        self
    }
}

/// What is left of a start command without its migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    /// `command` or `args`.
    pub(crate) list: &'static str,
    /// Which item of it.
    pub(crate) index: usize,
    /// The script without the migration.
    pub(crate) script: String,
}

/// Looks at a container.
pub(crate) fn role(container: &Value, scripts: &Scripts) -> Role {
    let words = words(container);
    let plain: Vec<String> = words.iter().map(|word| word.text.clone()).collect();
    let directory = text(container, "/workingDir");
    let role = match shell_script(&plain) {
        Some(Ok((index, on_error))) => match script::read(&plain[index], directory, on_error, scripts) {
            script::Reading::Role(role) => role,
            script::Reading::Starts(deploy, script) => {
                let Word { list, index, .. } = words[index];
                Role::Starts(deploy, Rest { list, index, script })
            }
        },
        Some(Err(why)) if mentions(&plain.join(" ")) => Role::Unclear(why.to_owned()),
        _ => direct(&plain, directory, scripts),
    };
    match role {
        Role::Nothing if mentions(&plain.join(" ")) => {
            Role::Unclear("it is started in a way that is not known here".to_owned())
        }
        role => role,
    }
}

/// Whether a text speaks of Prisma's migrate deploy.
pub(crate) fn mentions(text: &str) -> bool {
    let normal = text.split_whitespace().collect::<Vec<_>>().join(" ");
    normal.contains("prisma") && normal.contains("migrate deploy")
}

struct Word {
    list: &'static str,
    index: usize,
    text: String,
}

/// Command and arguments, as the container gets them.
fn words(container: &Value) -> Vec<Word> {
    let of = |list: &'static str| {
        let texts = texts(container, &format!("/{list}"));
        texts.into_iter().enumerate().map(move |(index, text)| Word { list, index, text })
    };
    // An item that is no text would shift what follows: such a container is not understood at all.
    let is_text = |pointer| list(container, pointer).iter().all(Value::is_string);
    if is_text("/command") && is_text("/args") {
        of("command").chain(of("args")).collect()
    } else {
        Vec::new()
    }
}

/// The word that is the script of `sh -c SCRIPT`; `None` if this is no shell with a script.
fn shell_script(words: &[String]) -> Option<Result<(usize, OnError), &'static str>> {
    let shell = words.first()?.rsplit('/').next()?;
    if !matches!(shell, "sh" | "bash" | "ash" | "dash") {
        return None;
    }
    let mut index = 1;
    let mut on_error = OnError::GoOn;
    while let Some(flag) = words.get(index).filter(|word| word.starts_with('-')) {
        index += 1;
        if !flag.starts_with("--") && flag.contains('e') {
            on_error = OnError::Stop;
        }
        if !flag.starts_with("--") && flag.contains('c') {
            let rest = words.len().checked_sub(index)?;
            return match rest {
                0 => None,
                1 => Some(Ok((index, on_error))),
                _ => Some(Err("the shell gets arguments behind its script")),
            };
        }
        // `-o pipefail` and `-euo pipefail` take a word of their own.
        index += usize::from(flag.ends_with('o'));
    }
    None
}

fn direct(words: &[String], directory: Option<&str>, scripts: &Scripts) -> Role {
    match meaning(words, scripts) {
        Meaning::Gate => Role::Gate,
        Meaning::Deploy { args, env } => {
            Role::Migrates(Deploy { was: words.join(" "), args, env, ..Deploy::default() })
        }
        Meaning::Script(text) => match script::read(&text, directory, OnError::GoOn, scripts) {
            script::Reading::Role(Role::Migrates(deploy)) => {
                Role::Migrates(Deploy { was: words.join(" "), ..deploy.of_a_package() })
            }
            script::Reading::Role(role) => role,
            script::Reading::Starts(..) => {
                let script = words.join(" ");
                Role::Unclear(format!(
                    "`{script}` is a script of `package.json` that migrates and then does more"
                ))
            }
        },
        Meaning::Other(command) => Role::Other(command),
        Meaning::Unclear(why) => Role::Unclear(why),
        Meaning::Unrelated => Role::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(container: &Value) -> Role {
        let scripts = [
            ("db:deploy", "prisma migrate deploy"),
            ("start:prod", "prisma migrate deploy && node dist/main"),
            ("build", "prisma generate && tsc"),
        ];
        role(container, &scripts.map(|(name, text)| (name.to_owned(), text.to_owned())).into())
    }

    fn script(text: &str) -> Role {
        of(&json!({"command": ["/bin/sh", "-c"], "args": [text]}))
    }

    fn rest(text: &str) -> String {
        match script(text) {
            Role::Starts(_, rest) => rest.script,
            other => panic!("{other:?}"),
        }
    }

    fn why(text: &str) -> String {
        match script(text) {
            Role::Unclear(why) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_ways_to_give_a_shell_a_script_are_known() {
        for command in [
            json!(["sh", "-c"]),
            json!(["/bin/bash", "-lc"]),
            json!(["sh", "-ec"]),
            json!(["bash", "-euo", "pipefail", "-c"]),
        ] {
            let mut words = command.as_array().unwrap().clone();
            let container = json!({"command": words, "args": ["npx prisma migrate deploy"]});
            assert!(matches!(of(&container), Role::Migrates(_)), "{command}");
            words.push(json!("npx prisma migrate deploy"));
            assert!(matches!(of(&json!({"args": words})), Role::Migrates(_)), "{command}");
        }
        assert!(matches!(
            of(&json!({"command": ["npx", "prisma"], "args": ["migrate", "deploy"]})),
            Role::Migrates(_)
        ));
        assert_eq!(of(&json!({"command": ["sh", "./migrate.sh"]})), Role::Nothing);
    }

    #[test]
    fn what_does_no_work_beside_the_migration_goes_with_it() {
        let Role::Migrates(deploy) = script(
            "set -e\necho go && sleep 5\ncd /srv/app && npx prisma migrate deploy --schema=a\necho done\n",
        ) else {
            panic!()
        };
        assert_eq!(
            (deploy.args, deploy.directory.as_deref()),
            (vec!["--schema=a".to_owned()], Some("/srv/app"))
        );
    }

    #[test]
    fn a_start_command_keeps_everything_but_the_migration() {
        assert_eq!(rest("npx prisma migrate deploy && node dist/index.js"), "node dist/index.js");
        assert_eq!(
            rest("npx prisma generate && npx prisma migrate deploy && exec node x | tee l"),
            "npx prisma generate && exec node x | tee l"
        );
        assert_eq!(
            rest("set -e\nnpx prisma migrate deploy\n# start\nexec node \"$MAIN\"\n"),
            "set -e\n# start\nexec node \"$MAIN\"\n"
        );
        assert_eq!(rest("cd /app && prisma migrate deploy && node x"), "cd /app && node x");
    }

    #[test]
    fn where_the_item_of_the_script_stands_is_known() {
        let Role::Starts(_, rest) = of(&json!({"command": ["sh", "-c", "prisma migrate deploy && node x"]}))
        else {
            panic!()
        };
        assert_eq!((rest.list, rest.index), ("command", 2));
        let Role::Starts(_, rest) = of(&json!({"args": ["sh", "-c", "prisma migrate deploy && node x"]}))
        else {
            panic!()
        };
        assert_eq!((rest.list, rest.index), ("args", 2));
    }

    #[test]
    fn a_failure_that_was_passed_over_is_said() {
        let Role::Starts(deploy, _) = script("npx prisma migrate deploy; node x") else { panic!() };
        assert_eq!(deploy.notes.len(), 1);
        let Role::Starts(deploy, _) = script("set -e; npx prisma migrate deploy; node x") else { panic!() };
        assert!(deploy.notes.is_empty());
        let container = json!({"command": ["sh", "-ec", "npx prisma migrate deploy; node x"]});
        let Role::Starts(deploy, _) = of(&container) else { panic!() };
        assert!(deploy.notes.is_empty());
        let container = json!({"command": ["sh", "-ec", "set +e; npx prisma migrate deploy; node x"]});
        let Role::Starts(deploy, _) = of(&container) else { panic!() };
        assert_eq!(deploy.notes.len(), 1);
    }

    #[test]
    fn a_failure_that_an_init_container_passed_over_is_said() {
        for (text, is_said) in [
            ("npx prisma migrate deploy", false),
            ("npx prisma migrate deploy;\n", false),
            ("npx prisma migrate deploy && echo ok", false),
            ("npx prisma migrate deploy; echo ok", true),
            ("set -eu; npx prisma migrate deploy; echo ok", false),
            ("set -uo errexit; npx prisma migrate deploy; echo ok", false),
            ("set -e; set +o errexit; npx prisma migrate deploy; echo ok", true),
            ("set -e; set +e\nnpx prisma migrate deploy\ntrue", true),
            ("set -e; set -x; npx prisma migrate deploy; true", false),
            ("set -e; npx prisma migrate deploy && echo ok; true", true),
        ] {
            let Role::Migrates(deploy) = script(text) else { panic!("{text}") };
            assert_eq!(!deploy.notes.is_empty(), is_said, "{text}");
        }
    }

    #[test]
    fn what_did_not_depend_on_the_statement_before_the_migration_still_does_not() {
        assert_eq!(rest("cd /a && npx prisma migrate deploy; node x"), "cd /a; node x");
        assert_eq!(rest("cd /a && npx prisma migrate deploy\nexec node x\n"), "cd /a\nexec node x\n");
        assert_eq!(
            rest("npx prisma generate; npx prisma migrate deploy && node x"),
            "npx prisma generate; node x"
        );
        assert_eq!(
            why("set -e; cd /a && npx prisma migrate deploy; node x"),
            "it stands behind `&&` where `set -e` is on"
        );
    }

    #[test]
    fn what_a_shell_would_make_of_a_word_is_not_guessed() {
        for word in ["--schema=*.prisma", "--schema=?", "--schema=[ab]", "--schema={a,b}"] {
            assert_eq!(
                why(&format!("npx prisma migrate deploy {word}")),
                "it has a pattern in its command",
                "{word}"
            );
        }
        for word in ["--schema ~/a", "--config ~"] {
            assert_eq!(
                why(&format!("npx prisma migrate deploy {word}")),
                "it has a home directory in its command"
            );
        }
        assert!(matches!(script("npx prisma migrate deploy '--schema=[a]*'"), Role::Migrates(_)));
        assert!(matches!(script("export A=b?c; A=file:x?y=* npx prisma migrate deploy"), Role::Migrates(_)));
        let why = why("npx prisma migrate deploy '--schema=$(DIR)/a' && node x");
        assert_eq!(why, "it has a variable of Kubernetes' in its command");
    }

    #[test]
    fn what_is_not_surely_understood_is_unclear() {
        assert_eq!(why("npx prisma migrate deploy || true"), "it has `||` in its script");
        assert_eq!(
            why("until npx prisma migrate deploy; do sleep 1; done"),
            "it has a loop, a condition or a block in its script"
        );
        assert_eq!(why("npx prisma migrate deploy > /tmp/log"), "it has a redirection in its command");
        assert_eq!(why("npx prisma migrate deploy --schema=$SCHEMA"), "it has a variable in its command");
        assert_eq!(why("node create.js && npx prisma migrate deploy"), "`node create.js` stands before it");
        assert_eq!(
            why("cd app && npx prisma migrate deploy"),
            "`cd app` depends on the image's working directory"
        );
        assert_eq!(why("npx prisma migrate deploy && npx prisma migrate deploy"), "it migrates twice");
        let container = json!({"command": ["npx", "dotenv", "--", "prisma", "migrate", "deploy"]});
        assert!(matches!(of(&container), Role::Unclear(_)));
        assert!(matches!(
            of(&json!({"command": ["sh", "-c", "npx prisma migrate deploy", "x"]})),
            Role::Unclear(_)
        ));
    }

    #[test]
    fn scripts_of_the_package_are_looked_into() {
        assert!(matches!(of(&json!({"command": ["npm", "run", "db:deploy"]})), Role::Migrates(_)));
        assert!(matches!(script("npm run db:deploy && node x"), Role::Starts(..)));
        assert!(matches!(of(&json!({"command": ["npm", "run", "start:prod"]})), Role::Unclear(_)));
        assert_eq!(of(&json!({"command": ["npm", "run", "build"]})), Role::Nothing);
    }

    #[test]
    fn other_commands_of_prismas_are_named() {
        assert_eq!(script("npx prisma db push && node x"), Role::Other("prisma db push".to_owned()));
        assert_eq!(script("npx prisma generate && node x"), Role::Nothing);
        assert_eq!(script("exec plimsoll exec -- node x"), Role::Gate);
    }
}
