//! What the sources of a crate say of its modules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Item, Type};

/// The modules of a crate by their paths, but for those that are for tests only.
#[derive(Default)]
pub(super) struct Modules(BTreeMap<Vec<String>, Module>);

/// A module.
pub(super) struct Module {
    /// Its path; that of the crate's root is empty.
    pub(super) path: Vec<String>,
    pub(super) file: PathBuf,
    /// What it names from the root or from above: paths that begin with `crate` or `super`.
    pub(super) mentions: Vec<Mention>,
    /// Types that it has an `impl` block of.
    pub(super) implements: BTreeSet<String>,
    /// Paths that it imports, by the names they have there.
    imports: BTreeMap<String, Vec<String>>,
}

/// A path as it is written.
pub(super) struct Mention {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
    /// Its last name, or what `as` makes of it.
    name: String,
}

impl Modules {
    /// Reads a crate, beginning with the file of its root.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let folder = root.parent().context("a file lies in a folder")?;
        let mut modules = Self::default();
        modules.add(&[], root, folder, None)?;
        Ok(modules)
    }

    /// All of them, each after the one that it is in.
    pub(super) fn all(&self) -> impl Iterator<Item = &Module> {
        self.0.values()
    }

    /// Adds a module, and those in it, whose files lie in a folder. Without `items` it is what the file has.
    fn add(
        &mut self,
        path: &[String],
        file: &Path,
        folder: &Path,
        items: Option<Vec<Item>>,
    ) -> Result<()> {
        let items = match items {
            Some(items) => items,
            None => items_of(file).with_context(|| file.display().to_string())?,
        };
        let (mut mentions, mut imports, mut implements) = (Vec::new(), Vec::new(), BTreeSet::new());
        for item in items {
            let tokens = item.to_token_stream();
            if is_for_tests(tokens.clone()) {
                continue;
            }
            match item {
                Item::Mod(child) => {
                    let name = child.ident.to_string();
                    let own = folder.join(format!("{name}.rs"));
                    let items = child.content.map(|(_, items)| items);
                    let file: &Path = if items.is_some() { file } else { &own };
                    self.add(&child_of(path, &name), file, &folder.join(&name), items)?;
                    continue;
                }
                Item::Use(item) => {
                    let tree: Vec<_> = item.tree.into_token_stream().into_iter().collect();
                    note_path(&tree, 0, &[], &mut imports);
                }
                Item::Impl(block) => {
                    if let Type::Path(of) = &*block.self_ty {
                        let name = of.path.segments.last();
                        implements.extend(name.map(|name| name.ident.to_string()));
                    }
                }
                _ => {}
            }
            note_mentions(tokens, &mut mentions);
        }
        let imports = imports.into_iter().map(|import| (import.name, import.path)).collect();
        let (path, file) = (path.to_vec(), file.to_owned());
        let module = Module { path: path.clone(), file, mentions, implements, imports };
        self.0.insert(path, module);
        Ok(())
    }

    /// The module to which a path leads that stands in `from`, and the name in it with which it goes on.
    /// `None` if it leads out of the crate.
    pub(super) fn resolve(
        &self,
        from: &Module,
        path: &[String],
    ) -> Option<(&Module, Option<String>)> {
        let (mut to, mut rest) = (from.path.clone(), path);
        if rest.first()? == "crate" {
            (to, rest) = (Vec::new(), &rest[1..]);
        }
        while rest.first().is_some_and(|name| name == "super") {
            to.pop()?;
            rest = &rest[1..];
        }
        let is_relative = rest.len() == path.len();
        while let Some(child) = rest.first().map(|name| child_of(&to, name))
            && self.0.contains_key(&child)
        {
            (to, rest) = (child, &rest[1..]);
        }
        let (module, name) = (self.0.get(&to)?, rest.first());
        // What an ancestor has only imported counts for where it comes from.
        let import = name.and_then(|name| module.imports.get(name));
        let import = import.filter(|_| from.path.starts_with(&module.path));
        match import {
            Some(import) if import.first() != name => {
                let path: Vec<String> = import.iter().chain(&rest[1..]).cloned().collect();
                self.resolve(module, &path)
            }
            // It begins with another crate.
            _ if is_relative && rest.len() == path.len() => None,
            _ => Some((module, name.cloned())),
        }
    }
}

fn items_of(file: &Path) -> Result<Vec<Item>> {
    Ok(syn::parse_file(&fs::read_to_string(file)?)?.items)
}

fn child_of(path: &[String], name: &str) -> Vec<String> {
    path.iter().cloned().chain([name.to_owned()]).collect()
}

/// Whether one of the attributes in front is `cfg(test)`.
fn is_for_tests(item: TokenStream) -> bool {
    let mut tokens = item.into_iter();
    while tokens.next().is_some_and(|token| is_punct(&token, '#')) {
        let attribute = tokens.next().map(|token| token.to_string().replace(' ', ""));
        if attribute.is_some_and(|attribute| attribute == "[cfg(test)]") {
            return true;
        }
    }
    false
}

/// Notes every path that begins with `crate` or `super`: in types and expressions, in what macros and
/// attributes are given.
fn note_mentions(tokens: TokenStream, mentions: &mut Vec<Mention>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    // `pub(in …)` says who may use something, and uses nothing.
    if matches!(tokens.first(), Some(TokenTree::Ident(first)) if first == "in") {
        return;
    }
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at = match token {
            TokenTree::Ident(name)
                if (name == "crate" || name == "super") && is_path_sep(&tokens, at + 1) =>
            {
                note_path(&tokens, at, &[], mentions)
            }
            TokenTree::Group(group) => {
                note_mentions(group.stream(), mentions);
                at + 1
            }
            _ => at + 1,
        };
    }
}

/// Notes the path that begins at a token and goes on from `before`, or all of them if it has braces. Gives the
/// place behind it.
fn note_path(
    tokens: &[TokenTree],
    mut at: usize,
    before: &[String],
    paths: &mut Vec<Mention>,
) -> usize {
    let (mut path, mut line) = (before.to_vec(), 0);
    while let Some(token) = tokens.get(at) {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                for tree in inner.split(|token| is_punct(token, ',')) {
                    note_path(tree, 0, &path, paths);
                }
                return at + 1;
            }
            TokenTree::Ident(name) => path.push(name.to_string()),
            star if is_punct(star, '*') => path.push("*".to_owned()),
            _ => break,
        }
        line = token.span().start().line;
        at += 1;
        if !is_path_sep(tokens, at) {
            break;
        }
        at += 2;
    }
    if path.len() > before.len() {
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let alias = match tokens.get(at..at + 2) {
            Some([TokenTree::Ident(word), alias]) if word == "as" => Some(alias.to_string()),
            _ => path.last().cloned(),
        };
        paths.extend(alias.map(|name| Mention { path, line, name }));
    }
    at
}

/// Whether `::` stands there.
fn is_path_sep(tokens: &[TokenTree], at: usize) -> bool {
    let colons = tokens.get(at..at + 2);
    colons.is_some_and(|colons| colons.iter().all(|token| is_punct(token, ':')))
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(found) if found.as_char() == wanted)
}
