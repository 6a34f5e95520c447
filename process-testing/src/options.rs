//! Every documented option of a program, with each value by which a template says "nothing" or "no".
//!
//! A service has an example that is only [`show`], so that nothing is started when a command line is
//! tried; its tests run that example through [`EveryOption`].

use std::fmt::Debug;
use std::process::{Command, ExitCode};

use clap::{CommandFactory, FromArgMatches};
use service_process::cli::parse_or_exit;

use crate::reference::{Documented, options};

/// What says no, in some of its spellings.
const NO: [&str; 6] = ["false", "0", "no", "off", "FALSE", "No"];
const YES: [&str; 4] = ["true", "1", "yes", "on"];

/// Prints what a program makes of its command line and its environment, and returns the code that the
/// program would refuse them with.
#[must_use]
#[expect(clippy::print_stdout, reason = "the answer of a command, not a log line")]
pub fn show<C: CommandFactory + FromArgMatches + Debug>() -> ExitCode {
    match parse_or_exit::<C>() {
        Ok(parsed) => {
            println!("{parsed:?}");
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}

/// Every documented option of a program.
pub struct EveryOption<'a> {
    /// The program's definition.
    pub program: clap::Command,
    /// The name of its example that is [`show`].
    pub example: &'a str,
    /// Usable values, so that nothing is missing: variable and value.
    pub variables: &'a [(&'a str, &'a str)],
    /// Commands for which `somebody` in the place of each argument would not do, each with the
    /// arguments that it gets instead.
    pub arguments: &'a [(&'a str, &'a str)],
}

/// How a run ended, and what it said.
type Answer = (Option<i32>, String);

impl EveryOption<'_> {
    /// Runs a command with its variables and one of them changed; `None`: it is not set.
    fn run(&self, command: &str, variable: &str, value: Option<&str>) -> Answer {
        let tests = std::env::current_exe().expect("the path of this test");
        let examples = tests.ancestors().nth(2).expect("target/debug").join("examples");
        let mut run = Command::new(examples.join(self.example));
        run.env_clear().envs(self.variables.iter().copied()).env_remove(variable);
        run.args(command.split(' '));
        match self.arguments.iter().find(|(name, _)| *name == command) {
            Some((_, arguments)) => run.args(arguments.split(' ')),
            None => run.args(self.positional(command)),
        };
        run.envs(value.map(|value| (variable, value)));
        let output = run.output().expect("the example is built: `cargo test` without --test does");
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).expect("text"))
    }

    fn positional(&self, command: &str) -> Vec<&'static str> {
        let find = |above: &clap::Command, name| above.find_subcommand(name).cloned();
        let found =
            command.split(' ').try_fold(self.program.clone(), |above, name| find(&above, name));
        let command = found.expect("it was listed");
        command.get_positionals().map(|_| "somebody").collect()
    }

    /// Each option that has a variable, with each of its commands.
    fn each(&self) -> Vec<(Documented, String, String)> {
        let mut each = Vec::new();
        for option in options(&self.program) {
            let Some(variable) = option.variable.clone() else { continue };
            for command in option.commands.clone() {
                each.push((option.clone(), variable.clone(), command));
            }
        }
        assert!(each.len() > 20, "{}", each.len());
        each
    }

    /// An empty variable is as one that is not set.
    pub fn takes_an_empty_variable_for_none(&self) {
        for (option, variable, command) in self.each() {
            let [unset, empty] = [None, Some("")].map(|it| self.run(&command, &variable, it));
            // Whatever else ended it would be the same with any value.
            let needed = unset.0 == Some(64) && unset.1.contains(&option.option);
            assert!(needed || unset.0 == Some(0), "{command} without {variable}: {}", unset.1);
            assert_eq!(empty, unset, "{command} with {variable}=");
        }
    }

    /// A switch is off by everything that says no, also beside what conflicts with it, and on by what
    /// says yes; by anything else it is neither.
    pub fn switches_off_by_what_says_no(&self) {
        for (option, variable, command) in self.each() {
            if !option.is_switch {
                continue;
            }
            let unset = self.run(&command, &variable, None);
            assert_eq!(unset.0, Some(0), "{command}: {}", unset.1);
            for no in NO {
                let off = self.run(&command, &variable, Some(no));
                assert_eq!(off, unset, "{command} with {variable}={no}");
            }
            let on = YES.map(|yes| self.run(&command, &variable, Some(yes)));
            assert!(
                on.iter().all(|it| *it == on[0] && *it != unset),
                "{command} {variable}: {on:?}"
            );
            let (code, text) = self.run(&command, &variable, Some("perhaps"));
            assert_eq!(code, Some(64), "{command} with {variable}=perhaps: {text}");
            assert!(text.contains(&option.option), "{command} with {variable}=perhaps: {text}");
        }
    }

    /// What cannot be a value is refused with the name of the option; nothing else happens. An option
    /// is the same in all its commands, so one of them tells.
    pub fn names_the_option_of_what_it_refuses(&self) {
        for (option, variable, command) in self.each() {
            if command != option.commands[0] {
                continue;
            }
            for value in NO.iter().chain(&YES).chain(&[" ", ",", "-1", "99999999999999999999999"]) {
                let (code, text) = self.run(&command, &variable, Some(value));
                let refused = code == Some(64) && text.contains(&option.option);
                assert!(refused || code == Some(0), "{command} with {variable}={value}: {text}");
            }
        }
    }
}
