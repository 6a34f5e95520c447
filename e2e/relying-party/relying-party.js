// Signs in at an OpenID provider with openid-client, which checks everything a relying party must:
// discovery and issuer, PKCE, state, nonce, the ID token's signature and claims, that UserInfo is of
// the same subject.
//
// Prints one JSON object per line. The first holds the authorization request; whoever follows it
// answers with one line, the address that the provider sent the browser back to.

import { createInterface } from 'node:readline/promises'
import { setTimeout } from 'node:timers/promises'
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, REDIRECT_URI, SCOPE } = process.env

function say(step, facts) {
  process.stdout.write(`${JSON.stringify({ step, ...facts })}\n`)
}

const provider = await client.discovery(new URL(ISSUER), CLIENT_ID, undefined, client.None(), {
  // The local provider speaks plain HTTP.
  execute: [client.allowInsecureRequests],
})
const metadata = provider.serverMetadata()
if (!metadata.supportsPKCE()) throw new Error('the provider does not announce S256')

const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const nonce = client.randomNonce()
const request = client.buildAuthorizationUrl(provider, {
  redirect_uri: REDIRECT_URI,
  scope: SCOPE,
  state,
  nonce,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
})
say('request', { url: request.href, issuer: metadata.issuer })

const input = createInterface({ input: process.stdin })
const { value: callback } = await input[Symbol.asyncIterator]().next()
input.close()

const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }
const tokens = await client.authorizationCodeGrant(provider, new URL(callback), checks)
const claims = tokens.claims()
say('tokens', { sub: claims.sub, aud: claims.aud, email: claims.email, refreshable: 'refresh_token' in tokens })

const person = await client.fetchUserInfo(provider, tokens.access_token, claims.sub)
say('userinfo', { sub: person.sub, email: person.email, groups: person.groups })

// For some seconds after it was issued the token may be used again, and stays the same. Dex answers
// 500 when its transaction collides with another person's in PostgreSQL: it may be asked again.
const collided = (error) => {
  if (error.cause?.status !== 500) throw error
  return tokens
}
let renewed
do {
  renewed = await client.refreshTokenGrant(provider, tokens.refresh_token).catch(collided)
} while (renewed.refresh_token === tokens.refresh_token && (await setTimeout(100, true)))
const again = renewed.claims()
const still = await client.fetchUserInfo(provider, renewed.access_token, claims.sub)
say('refreshed', { sub: again.sub, email: still.email })
