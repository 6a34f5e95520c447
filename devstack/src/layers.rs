//! The layers of a crate: which module uses which, and what breaks the rule ("Layers" in docs/ARCHITECTURE.md).
//!
//! A module uses what it names by a path. A method that is called on a value names nobody.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::iter;
use std::path::Path;

use anyhow::Result;

use crate::checkout;
use source::{Module, Modules};

/// A crate as it was found.
#[derive(Debug)]
pub(crate) struct Layers {
    /// Every module that has children, with them in lines: each uses only such as stand on lines below.
    pub(crate) drawing: String,
    /// What breaks the rule, with files and lines.
    pub(crate) faults: Vec<String>,
}

/// A place where one module names another, or something in it.
struct Use<'a> {
    from: &'a Module,
    to: &'a Module,
    path: String,
    line: usize,
}

/// Which child of a module uses which, each with all beneath it, and the first place where it does.
type Uses<'a> = BTreeMap<(&'a str, &'a str), Use<'a>>;

impl fmt::Display for Use<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, to] = [self.from, self.to].map(|module| {
            module.file.strip_prefix(checkout::root()).unwrap_or(&module.file).display()
        });
        write!(formatter, "{from}:{} uses {}, of {to}", self.line, self.path)
    }
}

impl Layers {
    /// Reads a crate, beginning with the file of its root.
    pub(crate) fn read(name: &str, root: &Path) -> Result<Self> {
        let modules = Modules::read(root)?;
        let (mut faults, mut levels) = (Vec::new(), BTreeMap::<&[String], Uses>::new());
        let mentions =
            modules.all().flat_map(|module| module.mentions.iter().map(move |one| (module, one)));
        for (from, mention) in mentions {
            let Some((to, item)) = modules.resolve(from, &mention.path) else { continue };
            let level = from.path.iter().zip(&to.path).take_while(|(a, b)| a == b).count();
            let found = Use { from, to, path: mention.path.join("::"), line: mention.line };
            let [above, below] = [from, to].map(|one| one.path.get(level).map(String::as_str));
            let is_part = item.is_some_and(|item| from.implements.contains(&item));
            match (above, below) {
                (Some(above), Some(below)) => {
                    let uses = levels.entry(&from.path[..level]).or_default();
                    uses.entry((above, below)).or_insert(found);
                }
                // A type may be spread over the modules beneath its own.
                (Some(_), None) if !is_part => {
                    faults.push(format!("{name}: an arrow up\n  {found}"));
                }
                _ => {}
            }
        }
        let mut drawing = String::new();
        for parent in modules.all() {
            let beneath = modules.all().filter(|module| module.path.starts_with(&parent.path));
            let children = beneath.filter_map(|module| module.path.get(parent.path.len()));
            let children: BTreeSet<&str> = children.map(String::as_str).collect();
            let uses = levels.remove(&parent.path[..]).unwrap_or_default();
            if !children.is_empty() {
                let path = parent.path.iter().map(String::as_str);
                let path: Vec<&str> = iter::once(name).chain(path).collect();
                let _ = writeln!(drawing, "{}", path.join("::"));
            }
            let (layers, rest) = peel(children, |a, b| uses.contains_key(&(a, b)));
            for layer in layers.iter().rev() {
                let _ = writeln!(drawing, "    {}", layer.join(" "));
            }
            let (_, circle) = peel(rest, |a, b| uses.contains_key(&(b, a)));
            if !circle.is_empty() {
                let steps =
                    uses.iter().filter(|((a, b), _)| circle.contains(a) && circle.contains(b));
                let steps: Vec<String> = steps.map(|(_, step)| format!("\n  {step}")).collect();
                faults.push(format!("{name}: a circle{}", steps.concat()));
            }
        }
        Ok(Self { drawing, faults })
    }
}

/// Takes away those that are bound to none of the rest, layer by layer. What is left cannot be.
fn peel(
    mut rest: BTreeSet<&str>,
    is_bound: impl Fn(&str, &str) -> bool,
) -> (Vec<Vec<&str>>, BTreeSet<&str>) {
    let mut layers = Vec::new();
    loop {
        let is_free = |one: &&str| !rest.iter().any(|other| is_bound(one, other));
        let layer: Vec<&str> = rest.iter().copied().filter(is_free).collect();
        if layer.is_empty() {
            return (layers, rest);
        }
        rest.retain(|one| !layer.contains(one));
        layers.push(layer);
    }
}

#[cfg(test)]
#[path = "layers_tests.rs"]
mod tests;
