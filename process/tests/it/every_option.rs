//! Every documented option of a program, with each value by which a template says "nothing" or "no".
//! For tests of both services.

use std::process::Command;

use service_process::reference::{Documented, options};

/// What says no, in some of its spellings.
const NO: [&str; 6] = ["false", "0", "no", "off", "FALSE", "No"];
const YES: [&str; 4] = ["true", "1", "yes", "on"];

/// A program that shows what it makes of its command line and its variables.
pub(crate) struct Shown<'a> {
    /// Its definition.
    pub(crate) program: clap::Command,
    /// The example that shows it.
    pub(crate) example: &'a str,
    /// Usable values, so that nothing is missing.
    pub(crate) variables: &'a [(&'a str, &'a str)],
    /// The arguments of commands for which `somebody` in each place would not do.
    pub(crate) arguments: &'a [(&'a str, &'a str)],
}

/// How a run ended, and what it said.
type Answer = (Option<i32>, String);

impl Shown<'_> {
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
    pub(crate) fn takes_an_empty_variable_for_none(&self) {
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
    pub(crate) fn switches_off_by_what_says_no(&self) {
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
    pub(crate) fn names_the_option_of_what_it_refuses(&self) {
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
