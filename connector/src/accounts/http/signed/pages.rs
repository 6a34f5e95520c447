//! The pages of who is signed in. They need no script.

use std::sync::Arc;

use axum::extract::{RawQuery, Request, State};
use axum::response::Response;
use url::form_urlencoded;

use super::member::{Member, refused, see_other, with_cookies};
use super::page::Page;
use super::page_words::Done;
use super::session::COOKIE;
use super::{forms, told};
use crate::account::PhoneChange;
use crate::accounts::http::shared::Shared;
use crate::accounts::http::visitor::Visitor;
use crate::accounts::http::{cookie, pages};
use crate::accounts::refusal::Refusal;
use crate::accounts::signed::{Cursor, SignedRefusal};
use crate::flow::REQUEST_LIFE;

/// Where the code of another address is typed.
const CONFIRM: &str = "/accounts/email/confirm";

/// `GET /accounts`.
pub(super) async fn first() -> Response {
    see_other(Page::Profile.path())
}

/// `GET /accounts/profile`.
pub(super) async fn profile(member: Member) -> Response {
    match member.service().profile(&member.signed).await {
        Ok(profile) => forms::profile(&member, &profile, None, None),
        Err(refusal) => refused(member.language(), &refusal),
    }
}

/// `POST /accounts/profile`.
pub(super) async fn change_profile(member: Member, request: Request) -> Response {
    let form = match member.form(request, &["full_name", "phone"]).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let (full_name, phone) = (form.field("full_name"), form.field("phone").trim());
    let typed = (!phone.is_empty()).then(|| phone.to_owned());
    let phone = typed.clone().map_or(PhoneChange::Goes, PhoneChange::Is);
    let (service, change) = (member.service(), (Some(full_name), phone));
    match service.change_profile(&member.signed, change, &member.origin()).await {
        Ok(profile) => forms::profile(&member, &profile, None, Some(Done::Saved)),
        Err(refusal) if is_over(&refusal) => refused(member.language(), &refusal),
        Err(refusal) => match service.profile(&member.signed).await {
            Ok(mut profile) => {
                full_name.clone_into(&mut profile.full_name);
                profile.phone = typed;
                forms::profile(&member, &profile, Some(&refusal), None)
            }
            Err(refusal) => refused(member.language(), &refusal),
        },
    }
}

/// `GET /accounts/password`.
pub(super) async fn password(member: Member) -> Response {
    shown_with_name(&member, forms::password, None).await
}

/// `POST /accounts/password`.
pub(super) async fn change_password(member: Member, request: Request) -> Response {
    let mut form = match member.form(request, &["current", "password"]).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let passwords = (form.take("current").into(), form.take("password").into());
    let service = member.service();
    match service.change_password(&member.signed, passwords, &member.origin()).await {
        Ok(()) => over(&member, Done::Password),
        Err(refusal) => shown_with_name(&member, forms::password, Some(refusal)).await,
    }
}

/// `GET /accounts/email`.
pub(super) async fn email(member: Member) -> Response {
    match member.service().profile(&member.signed).await {
        Ok(profile) => forms::email(&member, profile.email.as_deref(), "", None),
        Err(refusal) => refused(member.language(), &refusal),
    }
}

/// `POST /accounts/email`: mails a code to the new address.
pub(super) async fn change_email(member: Member, request: Request) -> Response {
    let mut form = match member.form(request, &["email", "password"]).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let (email, password) = (form.take("email"), form.take("password").into());
    let service = member.service();
    let (from, origin) = ((member.language(), member.visitor.network), member.origin());
    let begun = service.begin_address_change(&member.signed, (&email, password), from, &origin);
    match begun.await {
        Ok(token) => with_cookies(see_other(CONFIRM), [cookie::keep(&token, REQUEST_LIFE)]),
        Err(refusal) if is_over(&refusal) => refused(member.language(), &refusal),
        Err(refusal) => match service.profile(&member.signed).await {
            Ok(profile) => forms::email(&member, profile.email.as_deref(), &email, Some(&refusal)),
            Err(refusal) => refused(member.language(), &refusal),
        },
    }
}

/// `GET /accounts/email/confirm`.
pub(super) async fn email_code(member: Member) -> Response {
    match &member.visitor.flow {
        Some(token) => forms::email_code(&member, token, None),
        None => see_other(Page::Email.path()),
    }
}

/// `POST /accounts/email/confirm`.
pub(super) async fn confirm_email(member: Member, request: Request) -> Response {
    let form = match member.form(request, &["flow", "code"]).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let language = member.language();
    let Some(token) = &member.visitor.flow else {
        return told::refused(language, &Refusal::NoFlow.into());
    };
    if form.field("flow") != token.of_form() {
        return told::refused(language, &Refusal::OtherFlow.into());
    }
    let (service, typed) = (member.service(), form.field("code"));
    match service.confirm_address(&member.signed, token, typed, &member.origin()).await {
        Ok(()) => with_cookies(over(&member, Done::Email), [cookie::forget()]),
        Err(refusal @ SignedRefusal::Other(Refusal::Code)) => {
            forms::email_code(&member, token, Some(&refusal))
        }
        Err(refusal) => refused(language, &refusal),
    }
}

/// `GET /accounts/activity`.
pub(super) async fn activity(member: Member, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let before = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "before");
    let before = before.and_then(|(_, cursor)| Cursor::parse(&cursor));
    activity_with(&member, before, None).await
}

/// `POST /accounts/activity/forget`: whoever signs in from there is a stranger.
pub(super) async fn forget_network(member: Member, request: Request) -> Response {
    let form = match member.form(request, &["network"]).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let service = member.service();
    match service.forget_network(&member.signed, form.field("network"), &member.origin()).await {
        // It was forgotten in another tab.
        Ok(()) | Err(SignedRefusal::NoSuchNetwork) => see_other(Page::Activity.path()),
        Err(refusal) if is_over(&refusal) => refused(member.language(), &refusal),
        Err(refusal) => activity_with(&member, None, Some(&refusal)).await,
    }
}

/// `POST /accounts/activity/sign-out`: all sessions of the account end, also this one.
pub(super) async fn sign_out_everywhere(member: Member, request: Request) -> Response {
    if let Err(refused) = member.form(request, &[]).await {
        return refused;
    }
    match member.service().sign_out(&member.signed, &member.origin()).await {
        Ok(()) => over(&member, Done::SignedOutEverywhere),
        Err(refusal) if is_over(&refusal) => refused(member.language(), &refusal),
        Err(refusal) => activity_with(&member, None, Some(&refusal)).await,
    }
}

/// `GET /accounts/close`.
pub(super) async fn close(member: Member) -> Response {
    shown_with_name(&member, forms::close, None).await
}

/// `POST /accounts/close`.
pub(super) async fn close_account(member: Member, request: Request) -> Response {
    let mut form = match member.form(request, &["password"]).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let password = form.take("password").into();
    match member.service().close(&member.signed, password, &member.origin()).await {
        Ok(()) => over(&member, Done::Closed),
        Err(refusal) => shown_with_name(&member, forms::close, Some(refusal)).await,
    }
}

/// `GET /accounts/undo`: where the code is typed that brings an address back. Nobody needs to be signed in.
pub(super) async fn undo(visitor: Visitor) -> Response {
    forms::undo(visitor.language, None)
}

/// `POST /accounts/undo`.
pub(super) async fn undo_email(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    let form = match pages::form(&visitor, request, &["code"]).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let language = visitor.language;
    let Some(signing) = &shared.signing else { return told::signed_out(language) };
    let (typed, origin) = (form.field("code"), visitor.origin());
    match signing.service.undo_address_change(typed, visitor.network, &origin).await {
        Ok(()) => with_cookies(told::restored(language), [COOKIE.forget()]),
        Err(refusal) => forms::undo(language, Some(&refusal)),
    }
}

/// A page for whose form a password manager wants to know the name.
async fn shown_with_name(
    member: &Member,
    page: fn(&Member, &str, Option<&SignedRefusal>) -> Response,
    refusal: Option<SignedRefusal>,
) -> Response {
    if let Some(refusal) = refusal.as_ref().filter(|refusal| is_over(refusal)) {
        return refused(member.language(), refusal);
    }
    match member.service().profile(&member.signed).await {
        Ok(profile) => {
            let name = profile.username.or(profile.email).unwrap_or_default();
            page(member, &name, refusal.as_ref())
        }
        Err(refusal) => refused(member.language(), &refusal),
    }
}

async fn activity_with(
    member: &Member,
    before: Option<Cursor>,
    refusal: Option<&SignedRefusal>,
) -> Response {
    let (service, signed) = (member.service(), &member.signed);
    let known = match service.networks(signed).await {
        Ok(known) => known,
        Err(refusal) => return refused(member.language(), &refusal),
    };
    match service.activity(signed, before).await {
        Ok(activity) => forms::activity(member, &known, &activity, refusal),
        Err(refusal) => refused(member.language(), &refusal),
    }
}

/// Whether the page would not be shown again.
fn is_over(refusal: &SignedRefusal) -> bool {
    matches!(refusal, SignedRefusal::SignedOut)
}

/// Something is done with which the session is over, too.
fn over(member: &Member, done: Done) -> Response {
    let told = told::done(member.language(), done, member.shared().app.as_deref());
    with_cookies(told, [COOKIE.forget()])
}
