//! The accounts pages with who sends their mail, and browsers at them.

use std::net::SocketAddr;
use std::sync::Mutex;

use auth_connector::app::App;
use auth_connector::cli::{Cli, Command};
use auth_proto::connector::v1::password_connector_client::PasswordConnectorClient;
use auth_proto::connector::v1::{LoginRequest, Origin};
use clap::Parser as _;
use devstack::mail::{Mail, Speech};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, StatusCode, redirect};
use service_process::lifecycle::{Lifecycle, Tasks};

use crate::setup::postman::{Inbox, Postman};
use crate::setup::{Database, answered, attempt, eventually, keys, origin, told, utf8};

/// Where browsers believe to be.
pub(crate) const ORIGIN: &str = "http://localhost:5559";

/// One process with the roles `login` and `accounts`, and a worker. Dropped = asked to stop.
pub(crate) struct Pages {
    pub(crate) database: Database,
    address: SocketAddr,
    grpc: SocketAddr,
    mail: Option<(Inbox, Postman)>,
    tasks: Tasks,
}

impl Pages {
    pub(crate) async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// With these options.
    pub(crate) async fn open_with(options: &[&str]) -> Self {
        let mut pages = Self::without_mail(options).await;
        let inbox = Inbox::open(Speech::Plain).await;
        let postman = Postman::start(&pages.database, &inbox.settings()).await;
        pages.mail = Some((inbox, postman));
        pages
    }

    /// With these options, and nobody who sends mail.
    pub(crate) async fn without_mail(options: &[&str]) -> Self {
        Self::at(Database::with_people().await, options).await
    }

    /// Another process like this one with these options, on the same database.
    pub(crate) async fn beside(&self, options: &[&str]) -> Self {
        Self::at(self.database.again().await, options).await
    }

    async fn at(database: Database, options: &[&str]) -> Self {
        let arguments = [
            &["auth-connector", "serve", "--roles", "login,accounts", "--insecure"][..],
            &["--postgres-dsn", &database.dsn, "--bcrypt-cost", "10"],
            &["--pepper-file", utf8(&keys().peppers), "--guard-key-file", utf8(&keys().guard_key)],
            &["--code-key-file", utf8(&keys().code_key)],
            &["--accounts-public-url", "http://localhost:5559/accounts"],
            &["--accounts-app-url", "http://localhost:5173/?from=accounts&page=last"],
            &["--connector-grpc-listen", "127.0.0.1:0", "--accounts-listen", "127.0.0.1:0"],
            &["--admin-listen", "127.0.0.1:0"],
            options,
        ]
        .concat();
        let cli = Cli::try_parse_from(arguments).unwrap_or_else(|error| panic!("{error}"));
        let Command::Serve(args) = cli.command else { unreachable!("it says serve") };
        let app = App::build(&args).expect("it binds");
        let address = app.accounts_addr().expect("the role accounts has a port");
        let grpc = app.grpc_addr().expect("the role login has a port");
        let lifecycle = Lifecycle::new(std::time::Duration::from_secs(10));
        let tasks = lifecycle.tasks();
        app.run(&lifecycle).await.expect("it runs");
        tokio::spawn(lifecycle.run_until_stopped());
        Self { database, address, grpc, mail: None, tasks }
    }

    /// Where they are served.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::at(self.address)
    }

    /// All mails that came.
    pub(crate) async fn mails(&self) -> Vec<Mail> {
        let (inbox, _) = self.mail.as_ref().expect("mail is sent");
        inbox.mails().await
    }

    /// Waits until there are so many mails of a kind; the last of them in the order of their coming. Mail of other
    /// kinds comes in between, in any order.
    async fn nth(&self, what: &str, count: usize, is_meant: impl Fn(&Mail) -> bool) -> Mail {
        let meant = eventually(what, async || {
            let meant: Vec<Mail> = self.mails().await.into_iter().filter(&is_meant).collect();
            (meant.len() >= count).then_some(meant)
        });
        meant.await.pop().expect("at least one")
    }

    /// Waits until so many mails have a code; the last of them.
    pub(crate) async fn mail_with_code(&self, count: usize) -> Mail {
        self.nth("a code", count, |mail| shown_code(mail).is_some()).await
    }

    /// Waits until so many mails have a code; that of the last one.
    pub(crate) async fn code(&self, count: usize) -> String {
        code(&self.mail_with_code(count).await)
    }

    /// Waits until a mail says this.
    pub(crate) async fn mail_that_says(&self, text: &str) -> Mail {
        self.nth_that_says(text, 1).await
    }

    /// Waits until so many mails say this; the last of them.
    pub(crate) async fn nth_that_says(&self, text: &str, count: usize) -> Mail {
        self.nth(text, count, |mail| mail.text.contains(text)).await
    }

    /// Waits until a mail with this in its subject has come.
    pub(crate) async fn mail_about(&self, subject: &str) -> Mail {
        self.nth(subject, 1, |mail| mail.subject.contains(subject)).await
    }

    /// Waits until so many mails are for this address; the last of them.
    pub(crate) async fn mail_to(&self, address: &str, count: usize) -> Mail {
        self.nth(address, count, |mail| mail.envelope.to[0].address == address).await
    }

    /// Whether Dex would let somebody in.
    pub(crate) async fn lets_in(&self, name: &str, password: &str) -> bool {
        let connector = PasswordConnectorClient::connect(format!("http://{}", self.grpc)).await;
        answered(&connector.expect("it listens"), name, password).await.valid_password
    }

    /// Whether Dex would let somebody in who calls from this address.
    pub(crate) async fn lets_in_from(&self, address: &str, name: &str, password: &str) -> bool {
        let connector = PasswordConnectorClient::connect(format!("http://{}", self.grpc)).await;
        let origin = Some(Origin { remote_ip: address.to_owned(), ..origin() });
        let attempt = LoginRequest { origin, ..attempt(name, password) };
        told(&connector.expect("it listens"), &attempt).await.valid_password
    }

    /// Whether another connector of Dex's, which leads here as well, would let somebody in.
    pub(crate) async fn lets_in_by(&self, connector: &str, name: &str, password: &str) -> bool {
        let client = PasswordConnectorClient::connect(format!("http://{}", self.grpc)).await;
        let (connector_id, remote_ip) = (connector.to_owned(), "127.0.0.1".to_owned());
        let origin = Some(Origin { connector_id, remote_ip, ..origin() });
        let attempt = LoginRequest { origin, ..attempt(name, password) };
        told(&client.expect("it listens"), &attempt).await.valid_password
    }

    /// Strangers have closed Alice's account.
    pub(crate) async fn close_alice(&self) {
        sqlx::query(
            "insert into login_guard (guard_key, network, failures, last_failure_at, last_charge_at)
             select guard_key, '::/0', 60, now(), now() from users where username_key = 'alice'",
        )
        .execute(&self.database.pool)
        .await
        .expect("the guard is written");
    }

    /// A day has passed for those who ask for mail.
    pub(crate) async fn budgets_anew(&self) {
        let all = sqlx::query("delete from mail_budgets").execute(&self.database.pool);
        all.await.expect("they are forgotten");
    }

    /// Nobody is in a flow, and no mail with a code waits.
    pub(crate) async fn forget_flows(&self) {
        let all = "lock table account_flows; delete from account_flows;
                   delete from due_work where kind = 'mail.code' and finished_at is null";
        sqlx::raw_sql(all).execute(&self.database.pool).await.expect("they are forgotten");
    }

    /// One number that the database answers.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.database.pool).await.expect("a number")
    }

    /// Whether sessions of Alice that begin now are told from those that were ended: another second has begun.
    pub(crate) async fn sessions_are_told_apart(&self) -> bool {
        let next = "select (date_trunc('second', sessions_ended_at) + interval '1 second' <= clock_timestamp())::int::int8
                    from users where username_key = 'alice'";
        self.number(next).await == 1
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

/// The code that a mail shows.
pub(crate) fn code(mail: &Mail) -> String {
    shown_code(mail).unwrap_or_else(|| panic!("there is no code in {}", mail.text))
}

fn shown_code(mail: &Mail) -> Option<String> {
    let mut lines = mail.text.lines();
    lines.find(|line| line.len() == 9 && line.as_bytes()[4] == b'-').map(str::to_owned)
}

/// A browser with its cookie. It follows nothing by itself.
pub(crate) struct Browser {
    client: Client,
    pub(crate) headers: HeaderMap,
    address: SocketAddr,
    cookie: Mutex<Option<String>>,
}

/// What it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Browser {
    /// One that calls pages at this address.
    pub(crate) fn at(address: SocketAddr) -> Self {
        let client = Client::builder().redirect(redirect::Policy::none()).build();
        let headers = HeaderMap::from_iter([
            (reqwest::header::ORIGIN, HeaderValue::from_static(ORIGIN)),
            (reqwest::header::ACCEPT_LANGUAGE, HeaderValue::from_static("en")),
        ]);
        Self { client: client.expect("a client"), headers, address, cookie: Mutex::default() }
    }

    /// Another one, for which a proxy tells this address.
    pub(crate) fn elsewhere(&self, address: &str) -> Self {
        let mut headers = self.headers.clone();
        headers.insert("x-real-ip", HeaderValue::try_from(address).expect("an address"));
        Self {
            client: self.client.clone(),
            headers,
            address: self.address,
            cookie: Mutex::default(),
        }
    }

    pub(crate) fn cookie(&self) -> Option<String> {
        self.cookie.lock().expect("nobody panicked with it").clone()
    }

    pub(crate) fn set_cookie(&self, cookie: Option<String>) {
        *self.cookie.lock().expect("nobody panicked with it") = cookie;
    }

    pub(crate) async fn get(&self, path: &str) -> Shown {
        self.send(self.client.get(self.url(path))).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Shown {
        self.send(self.client.post(self.url(path)).form(fields)).await
    }

    /// The form's fields, and the flow that the page shows now.
    pub(crate) async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let page = self.get(path).await;
        let flow = page.flow();
        self.post(path, &[&[("flow", flow.as_str())], fields].concat()).await
    }

    pub(crate) async fn json(&self, path: &str, body: serde_json::Value) -> Shown {
        self.send(self.client.post(self.url(path)).header("x-session", "1").json(&body)).await
    }

    /// A body of any kind.
    pub(crate) async fn raw(&self, path: &str, media_type: &str, body: Vec<u8>) -> Shown {
        let request = self.client.post(self.url(path)).header("content-type", media_type);
        self.send(request.body(body)).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Shown {
        let mut request = request.headers(self.headers.clone());
        if let Some(cookie) = self.cookie() {
            request = request.header("cookie", cookie);
        }
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        if let Some(set) = headers.get("set-cookie") {
            let set = set.to_str().expect("text");
            let (pair, attributes) = set.split_once("; ").expect("attributes");
            assert!(pair.starts_with("__Host-Http-accounts-flow="), "{set}");
            assert!(attributes.ends_with("Path=/; Secure; HttpOnly; SameSite=Lax"), "{set}");
            let is_gone = attributes.starts_with("Max-Age=0;");
            self.set_cookie((!is_gone).then(|| pair.to_owned()));
        }
        Shown { status, headers, body: answer.text().await.expect("text") }
    }
}

impl Shown {
    /// The flow that its forms are of.
    pub(crate) fn flow(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"flow\" value=\"").expect("a form of a flow");
        rest.split('"').next().expect("a value").to_owned()
    }

    /// Where it leads.
    pub(crate) fn leads_to(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.headers["location"].to_str().expect("text")
    }

    /// As it is for whoever compares: without what is another each time.
    pub(crate) fn alike(mut self) -> Self {
        self.headers.remove("date");
        let cookie = self.headers.remove("set-cookie");
        if let Some(cookie) = cookie {
            let length = cookie.len();
            self.headers.insert("set-cookie", HeaderValue::from(length));
        }
        self
    }
}
