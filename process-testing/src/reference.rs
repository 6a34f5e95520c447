//! The commands and options of a program as Markdown, and whether a document shows them as they are.
//!
//! What a program accepts is written once, as its clap definition. A service's tests compare
//! `docs/CONFIGURATION.md` with it through [`compare`].

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, ArgAction, Command};

/// Set to anything, it has [`compare`] write the section instead of complaining about it.
pub const UPDATE: &str = "UPDATE_DOCS";

/// The commands of a program and every option, once, with the commands that take it.
#[must_use]
pub fn markdown(program: &Command) -> String {
    let (mut commands, mut options) = (Vec::new(), Vec::new());
    collect(program, "", &mut commands, &mut options);

    let mut text = String::from("| command | does |\n|---|---|\n");
    for (name, about) in &commands {
        let _ = writeln!(text, "| `{name}` | {about} |");
    }
    text += "\n| variable | option | default | meaning | commands |\n|---|---|---|---|---|\n";
    for (argument, users) in &options {
        let users = if users.len() == commands.len() { "all".to_owned() } else { users.join(", ") };
        let _ = writeln!(text, "{} {users} |", row(argument));
    }
    text
}

/// An option as the documents show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documented {
    /// Its name on the command line, with the dashes.
    pub option: String,
    /// The variable it is taken from, if it has one.
    pub variable: Option<String>,
    /// Whether it is on or off and has no value of its own.
    pub is_switch: bool,
    /// The commands that take it, such as `users list`.
    pub commands: Vec<String>,
}

/// The options of a program as [`markdown`] lists them.
#[must_use]
pub fn options(program: &Command) -> Vec<Documented> {
    let (mut commands, mut options) = (Vec::new(), Vec::new());
    collect(program, "", &mut commands, &mut options);
    let documented = |(argument, users): (&Arg, Vec<String>)| Documented {
        option: format!("--{}", argument.get_long().unwrap_or_default()),
        variable: argument.get_env().map(|name| name.to_string_lossy().into_owned()),
        is_switch: is_switch(argument),
        commands: users.iter().map(|user| user.trim_matches('`').to_owned()).collect(),
    };
    options.into_iter().map(documented).collect()
}

/// Compares the section of a document that stands between `<!-- NAME: begin -->` and
/// `<!-- NAME: end -->`, NAME being the program's, with what the program accepts.
///
/// The error says what to do. With the variable [`UPDATE`] the section is written anew instead.
pub fn compare(document: &Path, program: &Command) -> Result<(), String> {
    let shown = document.display();
    let text = std::fs::read_to_string(document).map_err(|error| format!("{shown}: {error}"))?;
    let name = program.get_name();
    let marks = [format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->")];
    let between = || {
        let (before, rest) = text.split_once(&marks[0])?;
        let (section, after) = rest.split_once(&marks[1])?;
        Some((before, section, after))
    };
    let (before, section, after) =
        between().ok_or_else(|| format!("{shown} has no section {:?}", marks[0].trim()))?;
    let fresh = markdown(program);
    if section == fresh {
        return Ok(());
    }
    if std::env::var_os(UPDATE).is_none() {
        return Err(format!(
            "{shown} does not show the options of {name} as they are: run this test with \
             {UPDATE}=1, look at the difference and commit it"
        ));
    }
    std::fs::write(document, [before, &marks[0], &fresh, &marks[1], after].concat())
        .map_err(|error| format!("{shown}: {error}"))
}

fn collect<'a>(
    command: &'a Command,
    name: &str,
    commands: &mut Vec<(String, String)>,
    options: &mut Vec<(&'a Arg, Vec<String>)>,
) {
    let own = command.get_arguments();
    for argument in own.filter(|argument| argument.get_long().is_some()) {
        let user = format!("`{name}`");
        match options.iter_mut().find(|(known, _)| row(known) == row(argument)) {
            Some((_, users)) => users.push(user),
            None => options.push((argument, vec![user])),
        }
    }
    if !command.has_subcommands() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        commands.push((name.to_owned(), sentence(&about)));
    }
    for command in command.get_subcommands() {
        collect(command, format!("{name} {}", command.get_name()).trim(), commands, options);
    }
}

/// All cells of an option but the last.
fn row(argument: &Arg) -> String {
    let variable = argument.get_env().map(|name| format!("`{}`", name.to_string_lossy()));
    let secret = argument.is_hide_env_values_set();
    let option = argument.get_long().filter(|_| !secret).map(|name| format!("`--{name}`"));
    let help = argument.get_long_help().or(argument.get_help());
    let mut meaning = sentence(&help.map(ToString::to_string).unwrap_or_default());
    let values = argument.get_possible_values();
    if !values.is_empty() && !is_switch(argument) {
        let values: Vec<String> =
            values.iter().map(|value| format!("`{}`", value.get_name())).collect();
        let _ = write!(meaning, " One of {}.", values.join(", "));
    }
    if secret {
        meaning += " Secret: taken from the variable only.";
    }
    let cell = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    format!("| {} | {} | {} | {meaning} |", cell(variable), cell(option), default(argument))
}

fn is_switch(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::SetTrue)
}

fn default(argument: &Arg) -> String {
    let values: Vec<String> = argument
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    match values.join(",").as_str() {
        _ if is_switch(argument) => "off".to_owned(),
        _ if argument.is_required_set() => "required".to_owned(),
        "" => "none".to_owned(),
        value => format!("`{value}`"),
    }
}

/// One line of a table, closed by a full stop.
fn sentence(help: &str) -> String {
    let line = help.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
    if line.ends_with('.') || line.is_empty() { line } else { line + "." }
}
