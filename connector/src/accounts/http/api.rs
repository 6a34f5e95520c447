//! The same steps as JSON. A browser's flow is its cookie here, too; only scripts of our own origin are heard.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, FOREIGN};
use super::problem::Problem;
use super::shared::Shared;
use super::signed::api as signed_api;
use super::visitor::Visitor;
use super::{body, cookie, words};
use crate::accounts::hand_over::HandOver;
use crate::accounts::proved::{Next, Proved, SignedUp};
use crate::accounts::refusal::Refusal;
use crate::flow::{FlowPurpose, FlowToken, HandBack, PROVED_LIFE, REQUEST_LIFE};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Accounts",
        version = "1.0.0",
        description = "What people do about their account. A call needs `Origin` of the pages and `X-Session: 1`; its flow is a cookie. What people do who are signed in needs a token of Dex as `Bearer` instead.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/accounts/v1"))
)]
struct Description;

/// The routes, and their description at `/openapi.json`; those of who is signed in, if anybody can be.
pub(super) fn routes(is_signing: bool) -> Router<Arc<Shared>> {
    let described = if is_signing { described().merge(signed_api::routes()) } else { described() };
    let (router, description) = described.split_for_parts();
    let description = Arc::new(description);
    let described = move || std::future::ready(Json(Arc::clone(&description)));
    router.route("/openapi.json", axum::routing::get(described))
}

/// Turns away whose network took too many steps.
pub(super) async fn limited(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
    next: middleware::Next,
) -> Response {
    match visitor.admitted(&shared, request.method()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => problem(&visitor, &refusal).into_response(),
    }
}

fn described() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(begin))
        .routes(routes!(accept))
        .routes(routes!(confirm))
        .routes(routes!(resend))
        .routes(routes!(sign_up))
        .routes(routes!(reset))
        .routes(routes!(unlock))
}

/// What is to be begun.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewFlow {
    purpose: Purpose,
    /// Where a code is mailed.
    #[schema(max_length = 254)]
    email: String,
    /// The login that the flow leads back to, as the query of its page: `state=` and Dex's state, or an app's whole
    /// authorization request. What is neither leads nowhere.
    #[schema(max_length = 2048)]
    hand_back: Option<String>,
}

/// What a flow is for.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Purpose {
    SignUp,
    Reset,
    Unlock,
}

/// The code of an invitation as it was mailed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TypedInvitation {
    /// Case, blanks and hyphens do not count.
    code: String,
    /// As of a flow that begins with an address.
    #[schema(max_length = 2048)]
    hand_back: Option<String>,
}

/// A code as it was mailed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TypedCode {
    /// Case, blanks and hyphens do not count.
    code: String,
}

/// What was proved, and what it is good for.
#[derive(Serialize, ToSchema)]
struct ProvedAddress {
    email: String,
    next: NextStep,
}

/// The call that ends the flow.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum NextStep {
    SignUp,
    Reset,
    Unlock,
}

/// An account to be made for the address that was proved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    #[schema(max_length = 254)]
    full_name: String,
    password: String,
}

/// The account that was made.
#[derive(Serialize, ToSchema)]
struct MadeAccount {
    user_id: String,
    /// How its owner goes on at Dex; null: at the app.
    hand_over: Option<AtDex>,
}

/// Where a flow goes on that ended.
#[derive(Serialize, ToSchema)]
struct EndedFlow {
    /// How its person goes on at Dex; null: at the app.
    hand_over: Option<AtDex>,
}

/// A login that waits at Dex.
#[derive(Serialize, ToSchema)]
struct AtDex {
    /// The address of its form, for a browser: it is sent there with the fields `login` and `password`.
    form: String,
    /// For its field `login`.
    login: String,
    /// For its field `password`: good once, for a minute, from the network of this call. Null: the password is typed.
    ticket: Option<String>,
}

impl From<HandOver> for AtDex {
    fn from(HandOver { form, login, ticket }: HandOver) -> Self {
        let ticket = ticket.map(|ticket| ticket.expose().to_owned());
        Self { form: form.into(), login, ticket }
    }
}

/// Another password for the account with the address that was proved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AnotherPassword {
    password: String,
}

/// Begins a flow. The answer is the same whether or not there is an account.
#[utoipa::path(
    post, path = "/flows", operation_id = "beginFlow",
    request_body(content = inline(NewFlow), content_type = "application/json"),
    responses(
        (status = 202, description = "A code is mailed, if mail may be sent there."),
        (status = 403, description = "Not from a script of ours, or nobody may sign up.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not an address.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many flows begin in the network.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn begin(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    let NewFlow { purpose, email, hand_back } = read(&visitor, request).await?;
    let purpose = match purpose {
        Purpose::SignUp => FlowPurpose::SignUp,
        Purpose::Reset => FlowPurpose::Reset,
        Purpose::Unlock => FlowPurpose::Unlock,
    };
    let hand_back = hand_back.as_deref().and_then(HandBack::parse);
    let (language, network) = (visitor.language, visitor.network);
    let begun = shared.service.begin((purpose, &email), hand_back, language, network);
    let token = begun.await.map_err(|refusal| problem(&visitor, &refusal))?;
    let kept = AppendHeaders([(header::SET_COOKIE, cookie::keep(&token, REQUEST_LIFE))]);
    Ok((StatusCode::ACCEPTED, kept))
}

/// Begins a flow by the code of an invitation, which proves its address.
#[utoipa::path(
    post, path = "/flows/invitation", operation_id = "acceptInvitation",
    request_body(content = inline(TypedInvitation), content_type = "application/json"),
    responses(
        (status = 200, description = "It is the code.", body = inline(ProvedAddress)),
        (status = 403, description = "Not from a script of ours, or nobody may sign up.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not the code, or it is good no longer.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many flows begin in the network.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn accept(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    let TypedInvitation { code, hand_back } = read(&visitor, request).await?;
    let hand_back = hand_back.as_deref().and_then(HandBack::parse);
    let proved = shared.service.accept(&code, hand_back, visitor.network);
    let (token, proved) = proved.await.map_err(|refusal| problem(&visitor, &refusal))?;
    Ok(proved_answer(&token, proved))
}

/// Tries a code.
#[utoipa::path(
    post, path = "/flows/confirm", operation_id = "confirmFlow",
    request_body(content = inline(TypedCode), content_type = "application/json"),
    responses(
        (status = 200, description = "It is the code.", body = inline(ProvedAddress)),
        (status = 403, description = "Not from a script of ours, or the account may not be used.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "There is no flow.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not the code, or it is good no longer.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn confirm(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Result<Response, Problem> {
    let TypedCode { code } = read(&visitor, request).await?;
    let proved = shared.service.confirm(flow(&visitor)?, &code).await;
    let (token, proved) = proved.map_err(|refusal| problem(&visitor, &refusal))?;
    Ok(match proved {
        Ok(proved) => proved_answer(&token, proved).into_response(),
        // Its token is another one all the same.
        Err(refusal) => {
            let kept = AppendHeaders([(header::SET_COOKIE, cookie::keep(&token, PROVED_LIFE))]);
            (kept, problem(&visitor, &refusal)).into_response()
        }
    })
}

fn proved_answer(token: &FlowToken, proved: Proved) -> impl IntoResponse + use<> {
    let next = match proved.next {
        Next::Account => NextStep::SignUp,
        Next::Password(_) => NextStep::Reset,
        Next::Opening(_) => NextStep::Unlock,
    };
    let kept = AppendHeaders([(header::SET_COOKIE, cookie::keep(token, PROVED_LIFE))]);
    (kept, Json(ProvedAddress { email: proved.email, next }))
}

/// Has another code mailed, which voids those before it.
#[utoipa::path(
    post, path = "/flows/resend", operation_id = "resendCode",
    responses(
        (status = 202, description = "A code is mailed, if mail may be sent there."),
        (status = 403, description = "Not from a script of ours.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "There is no flow that waits for a code.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn resend(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
) -> Result<impl IntoResponse, Problem> {
    check(&visitor)?;
    let sent = shared.service.resend(flow(&visitor)?, visitor.network).await;
    sent.map_err(|refusal| problem(&visitor, &refusal))?;
    Ok(StatusCode::ACCEPTED)
}

/// Ends a flow with an account.
#[utoipa::path(
    post, path = "/sign-up", operation_id = "signUp",
    request_body(content = inline(NewAccount), content_type = "application/json"),
    responses(
        (status = 201, description = "The account is made.", body = inline(MadeAccount)),
        (status = 403, description = "Not from a script of ours, or nobody may sign up.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The flow is for something else, or the address has an account by now.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "There is no proved flow.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The name or the password is not taken.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many passwords are tried in the network.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn sign_up(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    let NewAccount { full_name, password } = read(&visitor, request).await?;
    let typed = (&*full_name, password.into());
    let made = shared.service.sign_up(flow(&visitor)?, typed, &visitor.origin()).await;
    let SignedUp { account, hand_over } = made.map_err(|refusal| problem(&visitor, &refusal))?;
    let hand_over = hand_over.map(AtDex::from);
    let made = MadeAccount { user_id: account.to_string(), hand_over };
    Ok((StatusCode::CREATED, AppendHeaders([(header::SET_COOKIE, cookie::forget())]), Json(made)))
}

/// Ends a flow with another password; all sessions of the account end.
#[utoipa::path(
    post, path = "/reset", operation_id = "resetPassword",
    request_body(content = inline(AnotherPassword), content_type = "application/json"),
    responses(
        (status = 200, description = "The password is changed.", body = inline(EndedFlow)),
        (status = 403, description = "Not from a script of ours.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The flow is for something else.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "There is no proved flow.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The password is not taken.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many passwords are tried in the network.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn reset(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    let AnotherPassword { password } = read(&visitor, request).await?;
    let done = shared.service.reset(flow(&visitor)?, password.into(), &visitor.origin()).await;
    ended(&visitor, done)
}

/// Ends a flow with an account that is open again to everybody. Its password stays.
#[utoipa::path(
    post, path = "/unlock", operation_id = "unlockAccount",
    responses(
        (status = 200, description = "The account is open.", body = inline(EndedFlow)),
        (status = 403, description = "Not from a script of ours.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The flow is for something else.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "There is no proved flow.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn unlock(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
) -> Result<impl IntoResponse, Problem> {
    check(&visitor)?;
    let done = shared.service.unlock(flow(&visitor)?, &visitor.origin()).await;
    ended(&visitor, done)
}

fn ended(
    visitor: &Visitor,
    done: Result<Option<HandOver>, Refusal>,
) -> Result<impl IntoResponse + use<>, Problem> {
    let hand_over = done.map_err(|refusal| problem(visitor, &refusal))?.map(AtDex::from);
    let forgotten = AppendHeaders([(header::SET_COOKIE, cookie::forget())]);
    Ok((forgotten, Json(EndedFlow { hand_over })))
}

/// A browser shows the cookie to whoever makes it call, so only our own scripts are heard.
fn check(visitor: &Visitor) -> Result<(), Problem> {
    if visitor.is_our_script { Ok(()) } else { Err(Problem::told(FOREIGN, None)) }
}

async fn read<T: serde::de::DeserializeOwned>(
    visitor: &Visitor,
    request: Request,
) -> Result<T, Problem> {
    check(visitor)?;
    Ok(body::json(request).await?)
}

fn flow(visitor: &Visitor) -> Result<&FlowToken, Problem> {
    visitor.flow.as_ref().ok_or_else(|| problem(visitor, &Refusal::NoFlow))
}

fn problem(visitor: &Visitor, refusal: &Refusal) -> Problem {
    Problem::told(Answer::from(refusal), Some(words::refusal(visitor.language, refusal)))
}
