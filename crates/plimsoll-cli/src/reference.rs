//! Documents that are made from the code, so that they cannot say anything else. No release knows them: their words would be
//! carried into every image. Its tests do.

mod classes;
mod database_errors;
mod exit_codes;

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::CommandFactory as _;
use plimsoll_core::Code;

use crate::args::Arguments;
use crate::exit::Exit;

/// The document that the arguments ask for, if they are `docs` and its name.
pub(crate) fn asked_for(arguments: impl Iterator<Item = OsString>) -> Option<String> {
    let mut words = arguments.skip(1);
    if words.next()? != "docs" {
        return None;
    }
    document(words.next()?.to_str()?)
}

fn document(name: &str) -> Option<String> {
    match name {
        "database-errors" => Some(database_errors::document()),
        "errors" => Some(errors()),
        "exit-codes" => Some(exit_codes::document()),
        "reference" => Some(reference()),
        _ => None,
    }
}

fn errors() -> String {
    let mut text = "# Errors\n\nMade from the code by `cargo xtask docs`: change `crates/plimsoll-core/src/code.rs`.\n\n\
        Every error has a code. Where Prisma has one it is Prisma's. The code decides the exit code.\n"
        .to_owned();
    for code in codes() {
        let explanation = code.explanation().lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
        let explanation: Vec<&str> = explanation.collect();
        let exit = Exit::Class(code.class()).code();
        let exit = if code.class() == plimsoll_core::Class::Interrupted {
            "128 + the signal".to_owned()
        } else {
            exit.to_string()
        };
        let _infallible = write!(
            text,
            "\n## {code}: {}\n\nExit code {exit}.\n\n{}\n",
            code.title(),
            explanation.join("\n").trim()
        );
    }
    text
}

/// Every code by its number: whoever has one in front of him looks it up. Prisma's come first.
fn codes() -> Vec<Code> {
    let mut codes = Code::ALL.to_vec();
    codes.sort_by_key(|code| code.as_str());
    codes
}

fn reference() -> String {
    let mut text = "# Command line\n\nMade from the code by `cargo xtask docs`: change `crates/plimsoll-cli/src/args.rs`.\n".to_owned();
    // As wide on every machine.
    let root = Arguments::command().term_width(100).disable_colored_help(true);
    commands(&mut text, root, "plimsoll");
    text
}

fn commands(text: &mut String, mut command: clap::Command, path: &str) {
    // The environment of whoever makes the document is not part of it.
    command = command
        .bin_name(path)
        .disable_help_subcommand(true)
        .mut_args(|argument| argument.hide_env_values(true));
    command.build();
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _infallible = write!(text, "\n## `{path}`\n\n```text\n{}\n```\n", help.join("\n").trim());
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        commands(text, sub.clone(), &format!("{path} {}", sub.get_name()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_in_the_order_of_their_numbers() {
        let text = document("errors").unwrap();
        let heads: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(heads.len(), Code::ALL.len());
        assert!(heads.is_sorted(), "{heads:#?}");
    }

    #[test]
    fn the_codes_of_an_exit_code_are_in_the_order_of_their_numbers() {
        let text = document("exit-codes").unwrap();
        let rows = text.lines().filter(|line| line.starts_with("| ")).skip(1);
        let listed: Vec<Vec<_>> = rows
            .map(|line| line.trim_end_matches(" |").rsplit(" | ").next().unwrap().split(", ").collect())
            .collect();
        assert!(listed.iter().any(|codes| codes.contains(&Code::ALL[0].as_str())), "the lists are found");
        for codes in listed {
            assert!(codes.is_sorted(), "{codes:?}");
        }
    }
}
