//! The forms of who is signed in, and what is told above them.

use askama::Template;
use axum::response::Response;
use chrono::{DateTime, Utc};

use super::answers::answer;
use super::member::Member;
use super::page::Page;
use super::page_words::{self, Done};
use super::refusals;
use crate::accounts::http::pages::shown::shown;
use crate::accounts::http::words::{self, Words};
use crate::accounts::signed::{Activity, SignedRefusal};
use crate::flow::FlowToken;
use crate::mail::Language;
use crate::store::{KnownNetwork, Profile};

/// What stands around the form of a page.
#[derive(Template)]
#[template(path = "signed.html")]
struct SignedPage<'a, T: Template> {
    language: &'static str,
    title: &'static str,
    fault: Option<String>,
    frame: page_words::Frame,
    /// To all pages: where, what that is called, and whether it is this one.
    links: [(&'static str, &'static str, bool); 5],
    note: Option<&'static str>,
    body: &'a T,
}

#[derive(Template)]
#[template(path = "signed_profile.html")]
struct ProfileForm<'a> {
    words: page_words::Profile,
    session: &'a str,
    username: Option<&'a str>,
    full_name: &'a str,
    phone: &'a str,
}

#[derive(Template)]
#[template(path = "signed_password.html")]
struct PasswordForm<'a> {
    words: page_words::Password,
    session: &'a str,
    username: &'a str,
    rules: String,
}

#[derive(Template)]
#[template(path = "signed_email.html")]
struct EmailForm<'a> {
    words: page_words::Email,
    session: &'a str,
    current: Option<&'a str>,
    typed: &'a str,
}

#[derive(Template)]
#[template(path = "signed_email_code.html")]
struct EmailCodeForm<'a> {
    words: page_words::EmailCode,
    session: &'a str,
    flow: String,
}

#[derive(Template)]
#[template(path = "signed_close.html")]
struct CloseForm<'a> {
    words: page_words::Close,
    session: &'a str,
    username: &'a str,
}

#[derive(Template)]
#[template(path = "signed_activity.html")]
struct ActivityBody<'a> {
    words: page_words::Activity,
    session: &'a str,
    networks: Vec<Network<'a>>,
    lines: Vec<Line<'a>>,
    /// Where what happened before begins, if there is more.
    next: Option<String>,
}

struct Network<'a> {
    /// As it is shown.
    name: &'a str,
    /// An address of it.
    address: &'a str,
    time: String,
    machine_time: String,
}

struct Line<'a> {
    what: &'static str,
    count: i32,
    from: Option<&'a str>,
    time: String,
    machine_time: String,
}

#[derive(Template)]
#[template(path = "undo.html")]
struct UndoPage {
    language: &'static str,
    title: &'static str,
    fault: Option<String>,
    words: Words,
    code: &'static str,
}

pub(super) fn profile(
    member: &Member,
    profile: &Profile,
    refusal: Option<&SignedRefusal>,
    done: Option<Done>,
) -> Response {
    let language = member.language();
    let form = ProfileForm {
        words: page_words::profile(language),
        session: member.session.of_form(),
        username: profile.username.as_deref(),
        full_name: &profile.full_name,
        phone: profile.phone.as_deref().unwrap_or_default(),
    };
    let note = done.map(|done| page_words::done(language, done).title);
    page(language, Page::Profile, &form, refusal, note)
}

pub(super) fn password(
    member: &Member,
    username: &str,
    refusal: Option<&SignedRefusal>,
) -> Response {
    let language = member.language();
    let form = PasswordForm {
        words: page_words::password(language),
        session: member.session.of_form(),
        username,
        rules: words::rules(language, member.shared().service.least_password()),
    };
    page(language, Page::Password, &form, refusal, None)
}

/// `typed` is what was typed as the new address.
pub(super) fn email(
    member: &Member,
    current: Option<&str>,
    typed: &str,
    refusal: Option<&SignedRefusal>,
) -> Response {
    let language = member.language();
    let words = page_words::email(language);
    let form = EmailForm { words, session: member.session.of_form(), current, typed };
    page(language, Page::Email, &form, refusal, None)
}

pub(super) fn email_code(
    member: &Member,
    token: &FlowToken,
    refusal: Option<&SignedRefusal>,
) -> Response {
    let language = member.language();
    let (words, flow) = (page_words::email_code(language), token.of_form());
    let form = EmailCodeForm { words, session: member.session.of_form(), flow };
    page(language, Page::Email, &form, refusal, None)
}

pub(super) fn close(member: &Member, username: &str, refusal: Option<&SignedRefusal>) -> Response {
    let language = member.language();
    let words = page_words::close(language);
    let form = CloseForm { words, session: member.session.of_form(), username };
    page(language, Page::Close, &form, refusal, None)
}

pub(super) fn activity(
    member: &Member,
    known: &[KnownNetwork],
    activity: &Activity,
    refusal: Option<&SignedRefusal>,
) -> Response {
    let language = member.language();
    let networks = known.iter().map(|known| Network {
        name: known.network.trim_end_matches("/32"),
        address: known.network.split('/').next().unwrap_or_default(),
        time: page_words::time(language, known.last_success_at),
        machine_time: machine_time(known.last_success_at),
    });
    let lines = activity.lines.iter().map(|line| Line {
        what: page_words::event(language, &line.event),
        count: line.count,
        from: line.remote_ip.as_deref(),
        time: page_words::time(language, line.at),
        machine_time: machine_time(line.at),
    });
    let body = ActivityBody {
        words: page_words::activity(language),
        session: member.session.of_form(),
        networks: networks.collect(),
        lines: lines.collect(),
        next: activity.next.map(|next| next.expose()),
    };
    page(language, Page::Activity, &body, refusal, None)
}

/// The page where the code is typed that brings an address back.
pub(super) fn undo(language: Language, refusal: Option<&SignedRefusal>) -> Response {
    let words = page_words::undo(language);
    let page = UndoPage {
        language: language.tag(),
        title: words.title,
        fault: refusal.map(|refusal| refusals::refusal(language, refusal)),
        words,
        code: words::fields(language).code,
    };
    shown(language, &page, refusal.map(answer))
}

fn page(
    language: Language,
    page: Page,
    body: &impl Template,
    refusal: Option<&SignedRefusal>,
    note: Option<&'static str>,
) -> Response {
    let links = Page::ALL.map(|one| (one.path(), page_words::title(language, one), one == page));
    let shown_page = SignedPage {
        language: language.tag(),
        title: page_words::title(language, page),
        fault: refusal.map(|refusal| refusals::refusal(language, refusal)),
        frame: page_words::frame(language),
        links,
        note,
        body,
    };
    shown(language, &shown_page, refusal.map(answer))
}

fn machine_time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
