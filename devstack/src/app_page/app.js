// A public client of Dex: authorization code with PKCE (RFC 7636). Whatever it is told is shown as text.
const { issuer, accounts, clientId, scope, redirectUri } = await (await fetch("/settings.json")).json();

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const element = (id) => document.getElementById(id);
const tell = (text) => (element("told").textContent = text);

// Goes to Dex, or to the accounts pages, with the same request.
async function begin(address) {
  const [verifier, state, nonce] = [random(), random(), random()];
  const challenge = base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
  sessionStorage.setItem(`request ${state}`, JSON.stringify({ verifier, nonce }));
  const request = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: "code",
    scope,
    state,
    nonce,
    code_challenge: challenge,
    code_challenge_method: "S256",
  });
  location.assign(`${address}?${request}`);
}

function claimsOf(token) {
  const body = atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(body, (sign) => sign.charCodeAt(0))));
}

// What Dex sent here is good in the tab that asked for it, once.
async function finish(answer) {
  const key = `request ${answer.get("state")}`;
  const begun = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  history.replaceState(null, "", "/");
  if (!begun) return tell("This sign-in was not begun in this tab. Please begin again.");
  if (answer.has("error")) return tell(`Nobody is signed in: ${answer.get("error")}`);
  const { verifier, nonce } = JSON.parse(begun);
  const response = await fetch(`${issuer}/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: clientId,
      redirect_uri: redirectUri,
      code: answer.get("code"),
      code_verifier: verifier,
    }),
  });
  if (!response.ok) return tell(`Dex gives no tokens: ${response.status}`);
  const claims = claimsOf((await response.json()).id_token);
  if (claims.iss !== issuer || claims.nonce !== nonce) return tell("These tokens are not for this sign-in.");
  tell("You are signed in.");
  for (const [name, value] of Object.entries(claims)) {
    const [term, told] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    told.textContent = typeof value === "string" ? value : JSON.stringify(value);
    told.id = `claim-${name}`;
    element("claims").append(term, told);
  }
}

element("sign-in").addEventListener("click", () => begin(`${issuer}/auth`));
element("sign-up").addEventListener("click", () => begin(`${accounts}/sign-up`));
element("sign-up").hidden = !accounts;
if (location.pathname === "/auth/callback") await finish(new URLSearchParams(location.search));
