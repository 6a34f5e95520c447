//! What a person does on Dex's pages: follow a link, fill in a form, end at the app's callback.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, bail};
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, header};
use scraper::{ElementRef, Html, Selector};
use url::Url;

use crate::wait::HANG;

/// Dex's pages redirect twice at most; more is a loop.
const REDIRECTS: usize = 8;

/// A browser with cookies of its own, on its way back to one app.
#[derive(Clone, Debug)]
pub struct Browser {
    http: Client,
    callback: Url,
}

/// Where the browser ended up.
#[derive(Debug)]
pub enum Seen {
    /// A page.
    Page(Page),
    /// The app's callback with what Dex sent there; nobody serves it here.
    Callback(Url),
}

/// A page and its address.
#[derive(Debug)]
pub struct Page {
    /// The HTTP status.
    pub status: StatusCode,
    url: Url,
    html: String,
}

impl Browser {
    /// A browser without cookies that ends at this callback.
    pub fn new(callback: &str) -> Result<Self> {
        Self::with_headers(callback, HeaderMap::new())
    }

    /// The same, in a network of its own: Dex believes what a proxy on this machine says of it.
    pub fn at_home(callback: &str, home: Ipv4Addr) -> Result<Self> {
        let home = HeaderValue::try_from(home.to_string()).context("an address is plain text")?;
        Self::with_headers(
            callback,
            [(HeaderName::from_static("x-real-ip"), home)].into_iter().collect(),
        )
    }

    fn with_headers(callback: &str, headers: HeaderMap) -> Result<Self> {
        // Redirects are followed by hand, so that the callback is seen and not asked for.
        let http = Client::builder()
            .default_headers(headers)
            .no_proxy()
            .cookie_store(true)
            .redirect(Policy::none())
            .timeout(HANG)
            .build()
            .context("no HTTP client")?;
        Ok(Self { http, callback: callback.parse().context("the callback is no URL")? })
    }

    /// Goes to an address.
    pub async fn open(&self, url: &Url) -> Result<Seen> {
        let response = self.http.get(url.clone()).send().await?;
        self.follow(response).await
    }

    /// Follows a link by what it says.
    pub async fn click(&self, page: &Page, text: &str) -> Result<Seen> {
        self.open(&page.link(text)?).await
    }

    /// Fills in the page's form and sends it.
    pub async fn submit(&self, page: &Page, typed: &[(&str, &str)]) -> Result<Seen> {
        let (action, mut fields) = page.form()?;
        fields.retain(|(name, _)| !typed.iter().any(|(known, _)| known == name));
        fields.extend(typed.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        let response = self.http.post(action).form(&fields).send().await?;
        self.follow(response).await
    }

    /// From an authorization request to the login form behind one of the choices.
    pub async fn login_form(&self, request: &Url, choice: &str) -> Result<Page> {
        let chooser = self.open(request).await?.page()?;
        self.click(&chooser, choice).await?.page()
    }

    /// From an authorization request through the login form to wherever that leads.
    pub async fn sign_in(
        &self,
        request: &Url,
        choice: &str,
        login: &str,
        password: &str,
    ) -> Result<Seen> {
        let form = self.login_form(request, choice).await?;
        self.submit(&form, &[("login", login), ("password", password)]).await
    }

    async fn follow(&self, mut response: Response) -> Result<Seen> {
        for _ in 0..REDIRECTS {
            let url = response.url().clone();
            if !response.status().is_redirection() {
                let (status, html) = (response.status(), response.text().await?);
                return Ok(Seen::Page(Page { status, url, html }));
            }
            let target = response.headers().get(header::LOCATION).context("a redirect nowhere")?;
            let target = url.join(target.to_str()?).context("a redirect to no URL")?;
            if target.as_str().split('?').next() == Some(self.callback.as_str()) {
                return Ok(Seen::Callback(target));
            }
            response = self.http.get(target).send().await?;
        }
        bail!("still redirected after {REDIRECTS} redirects")
    }
}

impl Seen {
    /// The page that was meant to be seen.
    pub fn page(self) -> Result<Page> {
        match self {
            Self::Page(page) => Ok(page),
            Self::Callback(url) => bail!("sent to the app with {:?}", url.query_pairs().next()),
        }
    }

    /// The callback that was meant to be reached; else what the page says.
    pub fn callback(self) -> Result<Url> {
        match self {
            Self::Callback(url) => Ok(url),
            Self::Page(page) => bail!("Dex shows a page ({}): {}", page.status, page.text()),
        }
    }
}

impl Page {
    /// What the links say, in the order of the page.
    #[must_use]
    pub fn links(&self) -> Vec<String> {
        self.select("a[href]", |link| words(link.text()))
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> &Url {
        &self.url
    }

    /// What stands in a field of a form.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<String> {
        let fields =
            self.select("input[name]", |input| (target(input, "name"), target(input, "value")));
        fields.into_iter().find(|(name, _)| name == field).map(|(_, value)| value)
    }

    /// What the page says, in one line.
    #[must_use]
    pub fn text(&self) -> String {
        let mut texts = self.select("h1, h2, p, label, .dex-error-box", |part| words(part.text()));
        texts.retain(|text| !text.is_empty());
        texts.join(" | ")
    }

    fn link(&self, text: &str) -> Result<Url> {
        let links = self.select("a[href]", |link| (words(link.text()), target(link, "href")));
        let seen: Vec<String> = links.iter().map(|(words, _)| words.clone()).collect();
        let (_, href) =
            links.into_iter().find(|(words, _)| words.ends_with(text)).with_context(|| {
                format!(
                    "no link {text:?} among {seen:?} on a page ({}): {}",
                    self.status,
                    self.text()
                )
            })?;
        self.url.join(&href).context("a link to no URL")
    }

    /// The form's action, and the fields that are filled in already.
    fn form(&self) -> Result<(Url, Vec<(String, String)>)> {
        let action = self.select("form[method=post]", |form| target(form, "action"));
        let [action] = action.as_slice() else {
            bail!("no form on a page ({}): {}", self.status, self.text());
        };
        let fields = self.select("form[method=post] input[name]", |input| {
            (target(input, "name"), target(input, "value"))
        });
        Ok((self.url.join(action).context("a form to no URL")?, fields))
    }

    fn select<T>(&self, selector: &str, read: impl Fn(ElementRef<'_>) -> T) -> Vec<T> {
        let selector = Selector::parse(selector).expect("a selector written in this file");
        Html::parse_document(&self.html).select(&selector).map(read).collect()
    }
}

fn words<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let text: Vec<&str> = texts.flat_map(str::split_whitespace).collect();
    text.join(" ")
}

fn target(element: ElementRef<'_>, attribute: &str) -> String {
    element.attr(attribute).unwrap_or_default().to_owned()
}
