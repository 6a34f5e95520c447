//! The pages: each form does one step of a flow. They need no script.

mod handed;
pub(super) mod shown;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::answer::FOREIGN;
use super::body::Form;
use super::cookie;
use super::shared::Shared;
use super::visitor::Visitor;
use super::words::{self, Words};
use crate::accounts::hand_over::HandOver;
use crate::accounts::proved::{Proved, SignedUp};
use crate::accounts::refusal::Refusal;
use crate::flow::{FlowPurpose, FlowToken, PROVED_LIFE, REQUEST_LIFE};
use crate::mail::Language;

/// Turns away whose network took too many steps.
pub(super) async fn limited(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
    next: Next,
) -> Response {
    match visitor.admitted(&shared, request.method()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => shown::told(visitor.language, &refusal),
    }
}

/// `GET /accounts/sign-up`.
pub(super) async fn sign_up(State(shared): State<Arc<Shared>>, visitor: Visitor) -> Response {
    match shared.service.offers(FlowPurpose::SignUp) {
        Ok(()) => first_page(&visitor, FlowPurpose::SignUp),
        Err(refusal) => shown::not_begun(visitor.language, &refusal, visitor.hand_back.as_ref()),
    }
}

/// `GET /accounts/invitation`.
pub(super) async fn invitation(State(shared): State<Arc<Shared>>, visitor: Visitor) -> Response {
    match shared.service.offers(FlowPurpose::Invitation) {
        Ok(()) => shown::invitation(visitor.language, visitor.hand_back.as_ref(), None),
        Err(refusal) => shown::told(visitor.language, &refusal),
    }
}

/// `POST /accounts/invitation`.
pub(super) async fn accept_invitation(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    let form = match form(&visitor, request, &["code"]).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let hand_back = visitor.hand_back.clone();
    match shared.service.accept(form.field("code"), hand_back, visitor.network).await {
        Ok((token, proved)) => proved_page(&token, &proved),
        Err(refusal @ Refusal::SignUpClosed) => shown::told(visitor.language, &refusal),
        Err(refusal) => {
            shown::invitation(visitor.language, visitor.hand_back.as_ref(), Some(&refusal))
        }
    }
}

/// `GET /accounts/reset`.
pub(super) async fn reset(visitor: Visitor) -> Response {
    first_page(&visitor, FlowPurpose::Reset)
}

/// `GET /accounts/unlock`.
pub(super) async fn unlock(visitor: Visitor) -> Response {
    first_page(&visitor, FlowPurpose::Unlock)
}

fn first_page(visitor: &Visitor, purpose: FlowPurpose) -> Response {
    shown::begin(visitor.language, (purpose, visitor.hand_back.as_ref()), "", None)
}

/// `POST /accounts/sign-up`.
pub(super) async fn begin_sign_up(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    begin(&shared, &visitor, FlowPurpose::SignUp, request).await
}

/// `POST /accounts/reset`.
pub(super) async fn begin_reset(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    begin(&shared, &visitor, FlowPurpose::Reset, request).await
}

/// `POST /accounts/unlock`.
pub(super) async fn begin_unlock(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    begin(&shared, &visitor, FlowPurpose::Unlock, request).await
}

async fn begin(
    shared: &Shared,
    visitor: &Visitor,
    purpose: FlowPurpose,
    request: Request,
) -> Response {
    let form = match form(visitor, request, &["email"]).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let (typed, hand_back) = (form.field("email"), visitor.hand_back.as_ref());
    let (language, network) = (visitor.language, visitor.network);
    let begun = shared.service.begin((purpose, typed), hand_back.cloned(), language, network);
    match begun.await {
        Ok(token) => with_cookie(see_other(shown::CONFIRM), cookie::keep(&token, REQUEST_LIFE)),
        Err(refusal @ (Refusal::SignUpClosed | Refusal::InvitedOnly)) => {
            shown::not_begun(language, &refusal, hand_back)
        }
        Err(refusal) => shown::begin(language, (purpose, hand_back), typed, Some(&refusal)),
    }
}

/// `GET /accounts/confirm`: where this browser's flow stands.
pub(super) async fn confirm_page(State(shared): State<Arc<Shared>>, visitor: Visitor) -> Response {
    let language = visitor.language;
    let Some(token) = &visitor.flow else { return shown::told(language, &Refusal::NoFlow) };
    match shared.service.proved(token).await {
        Ok(proved) => see_other(shown::last_page(proved.next)),
        // It waits for its code, for all we know.
        Err(Refusal::NoFlow | Refusal::Unavailable(_)) => shown::confirm(language, token, None),
        Err(refusal) => shown::told(language, &refusal),
    }
}

/// `POST /accounts/confirm`.
pub(super) async fn confirm(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    let fields = ["flow", "code"];
    let (form, token) = match step((&shared, &visitor), request, &fields, Refusal::NoFlow).await {
        Ok(step) => step,
        Err(refused) => return refused,
    };
    match shared.service.confirm(&token, form.field("code")).await {
        Ok((token, Ok(proved))) => proved_page(&token, &proved),
        // Its token is another one all the same.
        Ok((token, Err(refusal))) => {
            let told = shown::told(visitor.language, &refusal);
            with_cookie(told, cookie::keep(&token, PROVED_LIFE))
        }
        Err(refusal @ Refusal::Code) => shown::confirm(visitor.language, &token, Some(&refusal)),
        Err(refusal) => shown::told(visitor.language, &refusal),
    }
}

/// `POST /accounts/confirm/resend`.
pub(super) async fn resend(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    let step = step((&shared, &visitor), request, &["flow"], Refusal::NoFlow).await;
    let (_, token) = match step {
        Ok(step) => step,
        Err(refused) => return refused,
    };
    match shared.service.resend(&token, visitor.network).await {
        Ok(()) => with_cookie(see_other(shown::CONFIRM), cookie::keep(&token, REQUEST_LIFE)),
        Err(refusal) => shown::told(visitor.language, &refusal),
    }
}

/// `GET /accounts/sign-up/finish`, `/accounts/reset/finish` and `/accounts/unlock/finish`: all show what the
/// flow is good for.
pub(super) async fn finish_page(State(shared): State<Arc<Shared>>, visitor: Visitor) -> Response {
    let language = visitor.language;
    let Some(token) = &visitor.flow else { return told(&shared, language, &Refusal::Over) };
    match shared.service.proved(token).await {
        Ok(proved) => finish(&shared, language, (token, &proved), "", None),
        Err(refusal) => told(&shared, language, &refusal.at_the_end()),
    }
}

/// `POST /accounts/sign-up/finish`.
pub(super) async fn finish_sign_up(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    let names = ["flow", "full_name", "password"];
    let (mut form, token) = match step((&shared, &visitor), request, &names, Refusal::Over).await {
        Ok(step) => step,
        Err(refused) => return refused,
    };
    let (full_name, password) = (form.take("full_name"), form.take("password"));
    let typed = (&*full_name, password.into());
    match shared.service.sign_up(&token, typed, &visitor.origin()).await {
        Ok(SignedUp { hand_over, .. }) => {
            let words = words::account_made(visitor.language);
            done(&shared, visitor.language, words, hand_over.as_ref())
        }
        Err(refusal) => asked_again(&shared, visitor.language, &token, &full_name, &refusal).await,
    }
}

/// `POST /accounts/reset/finish`.
pub(super) async fn finish_reset(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    let names = ["flow", "password"];
    let (mut form, token) = match step((&shared, &visitor), request, &names, Refusal::Over).await {
        Ok(step) => step,
        Err(refused) => return refused,
    };
    let password = form.take("password").into();
    match shared.service.reset(&token, password, &visitor.origin()).await {
        Ok(hand_over) => {
            let words = words::password_changed(visitor.language);
            done(&shared, visitor.language, words, hand_over.as_ref())
        }
        Err(refusal) => asked_again(&shared, visitor.language, &token, "", &refusal).await,
    }
}

/// `POST /accounts/unlock/finish`.
pub(super) async fn finish_unlock(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    let step = step((&shared, &visitor), request, &["flow"], Refusal::Over).await;
    let (_, token) = match step {
        Ok(step) => step,
        Err(refused) => return refused,
    };
    match shared.service.unlock(&token, &visitor.origin()).await {
        Ok(hand_over) => {
            let words = words::account_opened(visitor.language);
            done(&shared, visitor.language, words, hand_over.as_ref())
        }
        Err(refusal) => told(&shared, visitor.language, &refusal),
    }
}

/// The form of a page of ours, or the answer to what is none.
pub(super) async fn form(
    visitor: &Visitor,
    request: Request,
    names: &[&str],
) -> Result<Form, Response> {
    if !visitor.is_ours {
        return Err(shown::fault(visitor.language, FOREIGN));
    }
    let read = Form::read(request, names).await;
    read.map_err(|bad| shown::fault(visitor.language, bad.into()))
}

/// The form of a page of this browser's flow, and that flow; `without` is told where there is none.
async fn step(
    (shared, visitor): (&Shared, &Visitor),
    request: Request,
    names: &[&str],
    without: Refusal,
) -> Result<(Form, FlowToken), Response> {
    let form = form(visitor, request, names).await?;
    let refused = |refusal| told(shared, visitor.language, &refusal);
    let token = visitor.flow.clone().ok_or_else(|| refused(without))?;
    if form.field("flow") == token.of_form() {
        Ok((form, token))
    } else {
        Err(refused(Refusal::OtherFlow))
    }
}

/// The last page again, if what it asks for can still be done.
async fn asked_again(
    shared: &Shared,
    language: Language,
    token: &FlowToken,
    full_name: &str,
    refusal: &Refusal,
) -> Response {
    let can_go_on = matches!(
        refusal,
        Refusal::Name(_)
            | Refusal::Password(_)
            | Refusal::Throttled(_)
            | Refusal::Busy(_)
            | Refusal::Unavailable(_)
            | Refusal::Taken
    );
    if !can_go_on {
        return told(shared, language, refusal);
    }
    match shared.service.proved(token).await {
        Ok(proved) => finish(shared, language, (token, &proved), full_name, Some(refusal)),
        Err(over) => told(shared, language, &over.at_the_end()),
    }
}

fn finish(
    shared: &Shared,
    language: Language,
    flow: (&FlowToken, &Proved),
    full_name: &str,
    refusal: Option<&Refusal>,
) -> Response {
    shown::finish(language, flow, shared.service.least_password(), full_name, refusal)
}

/// The end of a flow: its browser forgets it, and goes on at Dex or at the app.
fn done(
    shared: &Shared,
    language: Language,
    words: Words,
    hand_over: Option<&HandOver>,
) -> Response {
    let app = shared.app.as_deref();
    let page = match hand_over {
        Some(to) => handed::handed_over(language, words.title, (to, &shared.hand_over), app),
        None => shown::done(language, words, app),
    };
    with_cookie(page, cookie::forget())
}

/// A refusal; of a flow that is over, with the way to the app.
fn told(shared: &Shared, language: Language, refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Over => shown::over(language, refusal, shared.app.as_deref()),
        _ => shown::told(language, refusal),
    }
}

/// Where a flow goes on whose address was proved; it has another token from then on.
fn proved_page(token: &FlowToken, proved: &Proved) -> Response {
    with_cookie(see_other(shown::last_page(proved.next)), cookie::keep(token, PROVED_LIFE))
}

/// Only paths of ours: nobody can say where to.
fn see_other(path: &'static str) -> Response {
    let location = [(header::LOCATION, HeaderValue::from_static(path))];
    (StatusCode::SEE_OTHER, location).into_response()
}

fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}
