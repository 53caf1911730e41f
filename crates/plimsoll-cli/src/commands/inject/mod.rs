//! `inject`: manifests in, the same manifests with a gate in them out.

mod arguments;
mod inputs;
mod project;
mod results;

use plimsoll_core::{Code, Diagnostic, Place};
use plimsoll_inject::text::{Verbatim, to_yaml};
use plimsoll_inject::{At, Facts, Injected, Outcome, inject, krm, policy, remove};
use serde_json::Value;

pub(crate) use arguments::Inject;
use inputs::{Input, Read};
use results::Change;

use crate::exit::Exit;
use crate::output;

/// Does what the arguments ask for; with any error nothing is written.
pub(crate) fn run(arguments: &Inject) -> Exit {
    match try_run(arguments) {
        Ok(exit) => exit,
        Err(troubles) => fail(&troubles),
    }
}

/// Tells every trouble; the first one decides how the process ends.
fn fail(troubles: &[Diagnostic]) -> Exit {
    let exits: Vec<Exit> = troubles.iter().map(output::fail).collect();
    exits.first().copied().unwrap_or(Exit::Success)
}

fn try_run(arguments: &Inject) -> Result<Exit, Vec<Diagnostic>> {
    let flags = &arguments.options.0;
    if arguments.emit.is_some() {
        let policies = policy::policies(flags).map_err(|trouble| vec![trouble])?;
        let texts: Vec<String> = policies.iter().map(to_yaml).collect();
        output::answer(&texts.join("---\n"));
        return Ok(Exit::Success);
    }
    let Read { inputs, left_out } = inputs::read(arguments)?;
    let facts = project::facts(arguments.project.as_deref()).map_err(|trouble| vec![trouble])?;
    if let [Input { stream, .. }] = inputs.as_slice()
        && let [list] = stream.documents()
        && krm::is_resource_list(list)
    {
        return as_function(&inputs[0], list, arguments, &facts);
    }
    let all = All::of(&inputs);
    let injected = if arguments.remove {
        remove(&all.documents, flags)
    } else {
        inject(&all.documents, flags, &facts, &|document, pointer| all.text_of(document, pointer))
    };
    let injected = injected.map_err(|troubles| {
        troubles
            .into_iter()
            .map(|trouble| all.placed(trouble.at.as_ref(), trouble.diagnostic))
            .collect::<Vec<_>>()
    })?;
    if !arguments.quiet {
        for (path, why) in &left_out {
            output::say(&format!("left out: {} ({why})", path.display()));
        }
        explain(&injected.outcomes);
    }
    let after = all.rewritten(&injected)?;
    let changes: Vec<Change> =
        inputs.into_iter().zip(after).map(|(input, after)| Change { input, after }).collect();
    Ok(results::give(&changes, arguments))
}

/// The function of a configuration tool: its list goes back to it, with results, even if there was an error.
fn as_function(
    input: &Input,
    list: &Value,
    arguments: &Inject,
    facts: &Facts,
) -> Result<Exit, Vec<Diagnostic>> {
    let ways = [("check", arguments.check), ("diff", arguments.diff), ("in-place", arguments.in_place)];
    if let Some((flag, _)) = ways.into_iter().find(|(_, given)| *given) {
        let message = format!("`--{flag}` has no meaning for a `ResourceList`");
        let trouble = Diagnostic::new(Code::Usage, message).help(format!(
            "leave `--{flag}` out: the list is answered with a list, for the tool that sent it"
        ));
        return Err(vec![trouble]);
    }
    let flags = &arguments.options.0;
    let answer = if arguments.remove { krm::remove(list, flags) } else { krm::inject(list, flags, facts) };
    let rewritten = input.stream.rewrite(std::slice::from_ref(&answer.list), &Verbatim::new());
    output::answer(&rewritten.map_err(|trouble| vec![trouble])?);
    if answer.troubles.is_empty() { Ok(Exit::Success) } else { Err(answer.troubles) }
}

/// Says on standard error what was found and decided.
fn explain(outcomes: &[Outcome]) {
    if outcomes.is_empty() {
        output::say("no workload in the input: it comes out as it is");
    }
    for outcome in outcomes {
        output::say(&format!("{}: {}", outcome.name, outcome.action));
        outcome.reasons.iter().for_each(|reason| output::say(&format!("  {reason}")));
        outcome.advice.iter().for_each(|advice| output::say(&format!("  advice: {advice}")));
    }
}

/// The documents of all inputs, decided about together.
struct All<'i> {
    inputs: &'i [Input],
    documents: Vec<Value>,
    /// For each document its input, and its number there.
    places: Vec<(usize, usize)>,
}

impl<'i> All<'i> {
    fn of(inputs: &'i [Input]) -> Self {
        let mut all = Self { inputs, documents: Vec::new(), places: Vec::new() };
        for (index, input) in inputs.iter().enumerate() {
            for (number, document) in input.stream.documents().iter().enumerate() {
                all.documents.push(document.clone());
                all.places.push((index, number));
            }
        }
        all
    }

    fn text_of(&self, document: usize, pointer: &str) -> Option<String> {
        let (input, number) = *self.places.get(document)?;
        self.inputs[input].stream.text_of(number, pointer).map(str::to_owned)
    }

    /// A diagnostic with the place of the workload that it is about.
    fn placed(&self, at: Option<&At>, diagnostic: Diagnostic) -> Diagnostic {
        match at.and_then(|at| self.place(at)) {
            Some(place) => diagnostic.at(place),
            None => diagnostic,
        }
    }

    fn place(&self, at: &At) -> Option<Place> {
        let (input, number) = *self.places.get(at.document)?;
        self.inputs[input].stream.place(number, &format!("{}/metadata/name", at.pointer))
    }

    /// The new text of each input. What has not changed is not even looked at.
    fn rewritten(&self, injected: &Injected) -> Result<Vec<String>, Vec<Diagnostic>> {
        let texts = self.inputs.iter().enumerate().map(|(index, input)| self.rewrite(index, input, injected));
        texts.collect::<Result<_, _>>().map_err(|trouble| vec![trouble])
    }

    fn rewrite(&self, index: usize, input: &Input, injected: &Injected) -> Result<String, Diagnostic> {
        let own = self.places.iter().enumerate().filter(|(_, (of, _))| *of == index);
        let documents: Vec<Value> = own.map(|(document, _)| injected.documents[document].clone()).collect();
        if documents == input.stream.documents() {
            return Ok(input.stream.text().to_owned());
        }
        let mut verbatim = Verbatim::new();
        for restored in &injected.restored {
            let (of, number) = self.places[restored.document];
            if of == index {
                verbatim.insert(number, &restored.pointer, &restored.text);
            }
        }
        input.stream.rewrite(&documents, &verbatim)
    }
}
