//! `inject`: manifests in, the same manifests with a gate in them out.

mod arguments;
mod inputs;
mod project;
mod results;

use plimsoll_core::{Code, Diagnostic, Place};
use plimsoll_inject::text::{Verbatim, to_yaml};
use plimsoll_inject::{Action, At, Facts, Injected, Outcome, inject, krm, policy, remove};
use serde_json::{Value, json};

pub(crate) use arguments::Inject;
use inputs::{Input, Read};
use results::Change;

use crate::exit::Exit;
use crate::output::{self, Output, Voice};

/// How a run ended well, and a sentence about it.
type Ended = (Exit, String);

/// Does what the arguments ask for; with any error nothing is written.
pub(crate) fn run(arguments: &Inject) -> Exit {
    let mut output = Output::new(Voice::Own, "inject", (&arguments.logging).into());
    match try_run(arguments, &output) {
        Ok((exit, sentence)) => output.finished(exit, sentence),
        Err(troubles) => output.troubled(&troubles),
    }
}

fn try_run(arguments: &Inject, output: &Output) -> Result<Ended, Vec<Diagnostic>> {
    let flags = &arguments.options.0;
    if arguments.emit.is_some() {
        let policies = policy::policies(flags).map_err(|trouble| vec![trouble])?;
        let texts: Vec<String> = policies.iter().map(to_yaml).collect();
        output::data(&texts.join("---\n"));
        return Ok((Exit::Success, format!("{} policies and bindings", texts.len())));
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
    for (path, why) in &left_out {
        let message = format!("left out: {} ({why})", path.display());
        output.tell("left_out", message, json!({"path": path.display().to_string(), "why": why}));
    }
    explain(&injected.outcomes, output);
    let after = all.rewritten(&injected)?;
    let changes: Vec<Change> =
        inputs.into_iter().zip(after).map(|(input, after)| Change { input, after }).collect();
    let exit = results::give(&changes, arguments, output).map_err(|trouble| vec![trouble])?;
    Ok((exit, counted(&injected.outcomes)))
}

/// How many workloads there were, by what happened to them.
fn counted(outcomes: &[Outcome]) -> String {
    let count = |action| outcomes.iter().filter(|outcome| outcome.action == action).count();
    let counts = [Action::Gated, Action::Kept, Action::Removed, Action::Left]
        .map(|action| (count(action), action))
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, action)| format!("{count} {action}"));
    let counts: Vec<String> = counts.collect();
    if counts.is_empty() { "no workload".to_owned() } else { counts.join(", ") }
}

/// The function of a configuration tool: its list goes back to it, with results, even if there was an error.
fn as_function(
    input: &Input,
    list: &Value,
    arguments: &Inject,
    facts: &Facts,
) -> Result<Ended, Vec<Diagnostic>> {
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
    output::data(&rewritten.map_err(|trouble| vec![trouble])?);
    if answer.troubles.is_empty() {
        Ok((Exit::Success, "the list is answered".to_owned()))
    } else {
        Err(answer.troubles)
    }
}

/// Says on standard error what was found and decided.
fn explain(outcomes: &[Outcome], output: &Output) {
    if outcomes.is_empty() {
        output.tell("no_workload", "no workload in the input: it comes out as it is".to_owned(), json!({}));
    }
    for Outcome { name, action, reasons, advice, .. } in outcomes {
        let mut lines = vec![format!("{name}: {action}")];
        lines.extend(reasons.iter().map(|reason| format!("  {reason}")));
        lines.extend(advice.iter().map(|advice| format!("  advice: {advice}")));
        let fields =
            json!({"workload": name, "action": action.to_string(), "reasons": reasons, "advice": advice});
        output.tell("workload", lines.join("\n"), fields);
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
