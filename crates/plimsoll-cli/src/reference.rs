//! Documents that are made from the code, so that they cannot say anything else.

mod database_errors;
mod exit_codes;

use std::fmt::Write as _;

use clap::CommandFactory as _;
use plimsoll_core::Code;

use crate::args::{Arguments, Document};
use crate::exit::Exit;

/// The text of a document.
pub(crate) fn document(which: Document) -> String {
    match which {
        Document::DatabaseErrors => database_errors::document(),
        Document::Errors => errors(),
        Document::ExitCodes => exit_codes::document(),
        Document::Reference => reference(),
    }
}

fn errors() -> String {
    let mut text = "# Errors\n\nMade from the code by `cargo xtask docs`: change `crates/plimsoll-core/src/code.rs`.\n\n\
        Every error has a code. Where Prisma has one it is Prisma's. The code decides the exit code.\n"
        .to_owned();
    for code in Code::ALL {
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
