//! What one command line means: Prisma's migrate, something else of Prisma's, or neither.

use std::collections::BTreeMap;

/// What a command line is to a gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// `prisma migrate deploy`.
    Deploy { args: Vec<String>, env: Vec<(String, String)> },
    /// A script of `package.json`, with its text.
    Script(String),
    /// Another command of Prisma's, by its words.
    Other(String),
    /// Plimsoll itself: a gate.
    Gate,
    /// It is about migrations and cannot be understood: why.
    Unclear(String),
    /// Nothing to do with migrations.
    Unrelated,
}

/// Scripts of `package.json`, by name.
pub(crate) type Scripts = BTreeMap<String, String>;

/// Reads the words of a command.
pub(crate) fn meaning(words: &[String], scripts: &Scripts) -> Meaning {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (env, words) = assignments(&words);
    let words = without_init(words);
    if let Some(first) = words.first()
        && base(first) == "plimsoll"
    {
        return gate(&words[1..]);
    }
    if let Some(rest) = after_prisma(words) {
        return prisma(rest, env);
    }
    match script_name(words).and_then(|name| scripts.get(name)) {
        Some(_) if !env.is_empty() => {
            Meaning::Unclear("a script of `package.json` with variables before it".to_owned())
        }
        Some(text) => Meaning::Script(text.clone()),
        None => Meaning::Unrelated,
    }
}

/// `NAME=value` before a command, also after `env`, and the command without `exec`.
fn assignments<'w>(mut words: &'w [&'w str]) -> (Vec<(String, String)>, &'w [&'w str]) {
    let mut env = Vec::new();
    while let Some((first, rest)) = words.split_first() {
        match first.split_once('=') {
            Some((name, value)) if is_name(name) => env.push((name.to_owned(), value.to_owned())),
            _ if matches!(*first, "exec" | "env" | "cross-env")
                && rest.first().is_some_and(|word| !word.starts_with('-')) => {}
            _ => break,
        }
        words = rest;
    }
    (env, words)
}

fn is_name(text: &str) -> bool {
    let letters = text.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
    letters && text.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
}

/// A command without the small init process before it.
fn without_init<'w>(words: &'w [&'w str]) -> &'w [&'w str] {
    match words.split_first() {
        Some((first, rest)) if matches!(base(first), "tini" | "dumb-init") => {
            let flags = rest.iter().take_while(|word| word.starts_with('-')).count();
            &rest[flags..]
        }
        _ => words,
    }
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What stands behind `prisma`, however it is started.
fn after_prisma<'w>(words: &'w [&'w str]) -> Option<&'w [&'w str]> {
    let (first, rest) = words.split_first()?;
    let rest = match base(first) {
        "npx" | "bunx" | "pnpx" => runner(rest)?,
        "npm" => runner(rest.strip_prefix(&["exec"]).or_else(|| rest.strip_prefix(&["x"]))?)?,
        "pnpm" | "yarn" | "bun" => {
            let verbs = ["exec", "dlx", "run", "x"];
            runner(
                rest.split_first().filter(|(verb, _)| verbs.contains(verb)).map_or(rest, |(_, after)| after),
            )?
        }
        "node" if rest.first().is_some_and(|path| is_build(path)) => &rest[1..],
        _ if is_prisma(first) || is_build(first) => rest,
        _ => return None,
    };
    Some(rest)
}

/// What stands behind `prisma` in the arguments of a package runner.
fn runner<'w>(mut words: &'w [&'w str]) -> Option<&'w [&'w str]> {
    loop {
        let (first, rest) = words.split_first()?;
        words = match *first {
            // The package that the command comes from; the command is still to come.
            "-p" | "--package" if rest.first().is_some_and(|package| is_prisma(package)) => &rest[1..],
            word if word.strip_prefix("--package=").is_some_and(is_prisma) => rest,
            "--" | "-y" | "--yes" | "--no" | "--no-install" | "-q" | "--quiet" | "--silent" | "-s"
            | "--bun" | "--prefer-offline" | "--offline" => rest,
            word if is_prisma(word) => {
                // `npm exec prisma -- migrate deploy`
                return Some(rest.strip_prefix(&["--"]).unwrap_or(rest));
            }
            word if is_build(word) => return Some(rest),
            _ => return None,
        };
    }
}

/// `prisma`, `prisma@6`, `./node_modules/.bin/prisma`.
fn is_prisma(word: &str) -> bool {
    base(word).split('@').next() == Some("prisma")
}

fn is_build(path: &str) -> bool {
    path.ends_with("prisma/build/index.js")
}

/// The script that a package manager is asked to run.
fn script_name<'w>(words: &[&'w str]) -> Option<&'w str> {
    let (first, rest) = words.split_first()?;
    let rest: Vec<&str> =
        rest.iter().copied().filter(|word| !matches!(*word, "-s" | "--silent" | "-q")).collect();
    match (base(first), rest.as_slice()) {
        ("npm" | "pnpm" | "yarn" | "bun", ["run" | "run-script", name])
        | ("pnpm" | "yarn" | "bun", [name]) => Some(name),
        ("npm", ["start"]) => Some("start"),
        _ => None,
    }
}

fn gate(words: &[&str]) -> Meaning {
    match words {
        ["deploy" | "wait" | "exec", ..] | ["migrate", "deploy", ..] => Meaning::Gate,
        _ => Meaning::Unrelated,
    }
}

fn prisma(words: &[&str], env: Vec<(String, String)>) -> Meaning {
    let Some(rest) = words.strip_prefix(&["migrate", "deploy"]) else {
        let words: Vec<_> = words.iter().take_while(|word| !word.starts_with('-')).take(2).copied().collect();
        return match words.as_slice() {
            ["db" | "migrate", ..] => Meaning::Other(format!("prisma {}", words.join(" "))),
            _ => Meaning::Unrelated,
        };
    };
    match arguments(rest) {
        Ok(args) => Meaning::Deploy { args, env },
        Err(word) => Meaning::Unclear(format!("`{word}` behind `prisma migrate deploy`")),
    }
}

/// The arguments that Plimsoll takes under the same name; the word that is none of them.
fn arguments(words: &[&str]) -> Result<Vec<String>, String> {
    let mut args = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--schema" | "--config" => {
                let value = words.next().ok_or_else(|| (*word).to_owned())?;
                args.push(format!("{word}={value}"));
            }
            // What Prisma once wanted to hear before it did anything, and what it says before it does.
            "--preview-feature" => {}
            _ if word.starts_with("--schema=") || word.starts_with("--config=") => {
                args.push((*word).to_owned());
            }
            _ => return Err((*word).to_owned()),
        }
    }
    Ok(args)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Meaning {
        let scripts = [("db:deploy", "prisma migrate deploy"), ("start", "node x")];
        let scripts = scripts.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        meaning(&shlex::split(line).unwrap(), &scripts)
    }

    #[test]
    fn every_way_to_start_it_is_known() {
        for start in [
            "npx prisma",
            "npx -y prisma@6.19.3",
            "npx --yes --package=prisma -- prisma",
            "npx -p prisma@6 prisma",
            "bunx prisma",
            "bunx --bun prisma",
            "bun x prisma",
            "bun run prisma",
            "pnpm dlx prisma",
            "pnpm exec prisma",
            "pnpm prisma",
            "yarn prisma",
            "yarn run prisma",
            "yarn -s prisma",
            "npm exec prisma --",
            "npm exec -- prisma",
            "npm x prisma",
            "./node_modules/.bin/prisma",
            "node_modules/.bin/prisma",
            "prisma",
            "/usr/local/bin/prisma",
            "node node_modules/prisma/build/index.js",
            "node ./node_modules/prisma/build/index.js",
            "exec npx prisma",
            "tini -g -- npx prisma",
            "dumb-init npx prisma",
            "/usr/local/bin/npx prisma",
        ] {
            let expected = Meaning::Deploy { args: Vec::new(), env: Vec::new() };
            assert_eq!(of(&format!("{start} migrate deploy")), expected, "{start}");
        }
    }

    #[test]
    fn schema_and_config_are_carried_over_in_either_form() {
        let Meaning::Deploy { args, env } = of("A=b npx prisma migrate deploy --schema ./a --config=b.ts")
        else {
            panic!()
        };
        assert_eq!(args, ["--schema=./a", "--config=b.ts"]);
        assert_eq!(env, [("A".to_owned(), "b".to_owned())]);
    }

    #[test]
    fn what_is_not_deploy_is_not_taken_for_it() {
        assert_eq!(of("npx prisma db push --accept-data-loss"), Meaning::Other("prisma db push".to_owned()));
        assert_eq!(of("npx prisma migrate dev"), Meaning::Other("prisma migrate dev".to_owned()));
        assert_eq!(of("npx prisma generate"), Meaning::Unrelated);
        assert_eq!(of("npx prismatic migrate deploy"), Meaning::Unrelated);
        assert_eq!(of("node dist/index.js"), Meaning::Unrelated);
        assert!(matches!(of("prisma migrate deploy --force"), Meaning::Unclear(_)));
    }

    #[test]
    fn a_script_is_known_by_its_name() {
        for line in ["npm run db:deploy", "yarn db:deploy", "pnpm run db:deploy", "bun run -s db:deploy"] {
            assert_eq!(of(line), Meaning::Script("prisma migrate deploy".to_owned()), "{line}");
        }
        assert_eq!(of("npm start"), Meaning::Script("node x".to_owned()));
        assert_eq!(of("npm run other"), Meaning::Unrelated);
    }

    #[test]
    fn a_gate_is_known() {
        assert_eq!(of("/plimsoll/plimsoll deploy --schema=x"), Meaning::Gate);
        assert_eq!(of("plimsoll migrate deploy"), Meaning::Gate);
        assert_eq!(of("plimsoll status"), Meaning::Unrelated);
    }
}
