//! The one `prisma migrate deploy` in a shell script, and what stands around it.

use std::ops::Range;

use super::prisma::{Meaning, Scripts, meaning};
use super::shell::{End, Statement, statements};
use super::{Deploy, Role, mentions};

/// What a script is.
pub(super) enum Reading {
    Role(Role),
    /// It migrates and goes on: the migration, and the script without it.
    Starts(Deploy, String),
}

/// What a statement is to the one that migrates.
enum Part {
    Deploy(Deploy),
    /// It can be left out: it prints, waits, sets an option, or makes files that nobody else sees.
    Idle,
    Directory(String),
    Variable(String, String),
    Gate,
    OtherOfPrisma(String),
    Odd(&'static str),
    Unclear(String),
    Work,
}

/// What a shell does when a statement fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnError {
    Stop,
    GoOn,
}

/// Reads a script that starts in this directory, if that is known.
pub(super) fn read(script: &str, directory: Option<&str>, on_error: OnError, scripts: &Scripts) -> Reading {
    let statements = match statements(script) {
        Ok(statements) => statements,
        Err(why) => return Reading::Role(unreadable(script, why)),
    };
    let parts: Vec<Part> = statements.iter().map(|statement| part(statement, script, scripts)).collect();
    let deploys: Vec<usize> = parts
        .iter()
        .enumerate()
        .filter(|(_, part)| matches!(part, Part::Deploy(_)))
        .map(|(index, _)| index)
        .collect();
    match deploys.as_slice() {
        [] => Reading::Role(without(&statements, &parts, script)),
        [index] => around(*index, &statements, &parts, script, (directory, on_error)),
        _ => Reading::Role(Role::Unclear("it migrates twice".to_owned())),
    }
}

fn unreadable(script: &str, why: &str) -> Role {
    if mentions(script) { Role::Unclear(format!("it has {why} in its script")) } else { Role::Nothing }
}

fn part(statement: &Statement, script: &str, scripts: &Scripts) -> Part {
    let words = match &statement.words {
        Ok(words) => words,
        Err(odd) => return Part::Odd(odd),
    };
    match meaning(words, scripts) {
        Meaning::Deploy { args, env } => {
            let was = script[statement.span.clone()].to_owned();
            Part::Deploy(Deploy { was, args, env, ..Deploy::default() })
        }
        Meaning::Script(text) => match read(&text, None, OnError::GoOn, &Scripts::new()) {
            Reading::Role(Role::Migrates(deploy)) => Part::Deploy(Deploy {
                was: script[statement.span.clone()].to_owned(),
                ..deploy.of_a_package()
            }),
            Reading::Role(Role::Unclear(why)) => Part::Unclear(why),
            Reading::Starts(..) => {
                Part::Unclear("a script of `package.json` that migrates and then does more".to_owned())
            }
            Reading::Role(_) => Part::Work,
        },
        Meaning::Gate => Part::Gate,
        Meaning::Other(command) => Part::OtherOfPrisma(command),
        Meaning::Unclear(why) => Part::Unclear(why),
        Meaning::Unrelated => plain(words),
    }
}

fn plain(words: &[String]) -> Part {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["echo" | "printf" | "sleep" | "set" | "true" | ":" | "date", ..] | [.., "prisma", "generate"] => {
            Part::Idle
        }
        // Kubernetes fills in variables of a command, and none of a working directory.
        ["cd", directory] if !directory.contains("$(") => Part::Directory((*directory).to_owned()),
        ["export", pair] => match pair.split_once('=') {
            Some((name, value)) => Part::Variable(name.to_owned(), value.to_owned()),
            None => Part::Work,
        },
        _ => Part::Work,
    }
}

/// A script in which nothing migrates that can be taken over.
fn without(statements: &[Statement], parts: &[Part], script: &str) -> Role {
    for (statement, part) in statements.iter().zip(parts) {
        match part {
            Part::Gate => return Role::Gate,
            Part::OtherOfPrisma(command) => return Role::Other(command.clone()),
            Part::Unclear(why) => return Role::Unclear(why.clone()),
            Part::Odd(odd) if mentions(&script[statement.span.clone()]) => {
                return Role::Unclear(format!("it has {odd} in its command"));
            }
            _ => {}
        }
    }
    Role::Nothing
}

fn around(
    index: usize,
    statements: &[Statement],
    parts: &[Part],
    script: &str,
    (directory, on_error): (Option<&str>, OnError),
) -> Reading {
    let Part::Deploy(deploy) = &parts[index] else { return Reading::Role(Role::Nothing) };
    let mut deploy = deploy.clone();
    let mut directory = directory.map(str::to_owned);
    for (statement, part) in statements[..index].iter().zip(parts) {
        let text = &script[statement.span.clone()];
        match part {
            Part::Idle => {}
            Part::Variable(name, value) => deploy.env.insert(0, (name.clone(), value.clone())),
            Part::Directory(to) => {
                let Some(to) = join(directory.as_deref(), to) else {
                    let why = format!("`{text}` depends on the image's working directory");
                    return Reading::Role(Role::Unclear(why));
                };
                deploy.directory = Some(to.clone());
                directory = Some(to);
            }
            _ => return Reading::Role(Role::Unclear(format!("`{text}` stands before it"))),
        }
    }
    let is_idle = |part: &Part| matches!(part, Part::Idle | Part::Directory(_) | Part::Variable(..));
    let starts = !parts[index + 1..].iter().all(is_idle);
    let stops = on_error_behind(&statements[..index], on_error);
    if is_passed_over(&statements[index..], stops) {
        let note = if starts {
            "the application used to start even if the migration failed; now it does not"
        } else {
            "a migration that failed used to be passed over; now it is not"
        };
        deploy.notes.push(note.to_owned());
    }
    if !starts {
        return Reading::Role(Role::Migrates(deploy));
    }
    rest(deploy, index, statements, script, stops)
}

/// What is left of a script that goes on behind its migration.
fn rest(deploy: Deploy, index: usize, statements: &[Statement], script: &str, on_error: OnError) -> Reading {
    let unclear = |why: &str| Reading::Role(Role::Unclear(why.to_owned()));
    // Kubernetes puts a variable of this container in there, which the gate need not have.
    if deploy.args.iter().chain(deploy.env.iter().map(|(_, value)| value)).any(|text| text.contains("$(")) {
        return unclear("it has a variable of Kubernetes' in its command");
    }
    let (own, next) = (&statements[index], &statements[index + 1]);
    let before = index.checked_sub(1).map(|index| &statements[index]);
    match before.filter(|before| (before.end, own.end) == (End::And, End::Then)) {
        None => Reading::Starts(deploy, without_it(script, &own.span, next.span.start)),
        // Without the migration `set -e` would look at what stands before its `&&`.
        Some(_) if on_error == OnError::Stop => unclear("it stands behind `&&` where `set -e` is on"),
        // What comes next never depended on what stands before the `&&`.
        Some(before) => {
            let script = format!("{}{}", &script[..before.span.end], &script[own.span.end..]);
            Reading::Starts(deploy, script)
        }
    }
}

/// Whether a script goes on if the first one of these statements fails.
fn is_passed_over(statements: &[Statement], on_error: OnError) -> bool {
    let skipped = statements.iter().take_while(|statement| statement.end == End::And).count();
    let goes_on = statements.len() > skipped + 1;
    // `set -e` looks only at the last one of those with `&&` between them.
    goes_on && (skipped > 0 || on_error == OnError::GoOn)
}

/// The script without one statement, which has the next one behind it; comments on lines of their own stay.
fn without_it(script: &str, statement: &Range<usize>, next: usize) -> String {
    let line_end = script[statement.end..next].find('\n').map(|length| statement.end + length + 1);
    let line_start = script[..statement.start].rfind('\n').map_or(0, |at| at + 1);
    let is_alone = script[line_start..statement.start].trim().is_empty();
    let (from, to) = match line_end {
        Some(end) if is_alone => (line_start, end),
        _ => (statement.start, next),
    };
    format!("{}{}", &script[..from], &script[to..])
}

/// What a shell does at errors behind these statements: the last `set -e` or `set +e` counts.
fn on_error_behind(statements: &[Statement], mut on_error: OnError) -> OnError {
    let words = statements.iter().filter_map(|statement| statement.words.as_ref().ok());
    for words in words.filter(|words| words.first().is_some_and(|word| word == "set")) {
        let mut named = "";
        for word in words[1..].iter().take_while(|word| *word != "--") {
            let is_switch = word.starts_with(['-', '+']);
            let (sign, has_e) = match word.strip_prefix(['-', '+']) {
                Some(letters) => (&word[..1], letters.contains('e')),
                None => (named, word == "errexit"),
            };
            match sign {
                "-" if has_e => on_error = OnError::Stop,
                "+" if has_e => on_error = OnError::GoOn,
                _ => {}
            }
            // `-o` and `+o` take a word of their own.
            named = if is_switch && word.ends_with('o') { sign } else { "" };
        }
    }
    on_error
}

/// A directory seen from another one.
fn join(from: Option<&str>, to: &str) -> Option<String> {
    if to.starts_with('/') {
        return Some(to.to_owned());
    }
    let to = to.trim_start_matches("./");
    from.map(|from| format!("{}/{to}", from.trim_end_matches('/')))
}
