// The certified provider as a peer of our tests: it knows one client, signs in whoever the test names, and can be told
// to change its keys or its people. Listens on 127.0.0.1; the names it speaks of are those of the address book.
import { createServer, request } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URIS, LOGOUT_URI, APP_PORT } = process.env;
const host = new URL(ISSUER).host;
const people = new Map(); // subject → claims, set by the test
let next = "dana"; // who signs in at the next interaction

const key = (kid) => ({
  ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256",
});
const pages = { origin: new URL(REDIRECT_URIS.split(" ")[0]).origin };

// Our application answers on 127.0.0.1 under the host of its address: Node would look *.localhost up in vain.
const fetchApp = (url, options) => new Promise((resolve, reject) => {
  const target = new URL(url);
  const sent = request({ host: "127.0.0.1", port: Number(APP_PORT), path: target.pathname, method: options.method ?? "GET",
    headers: { ...Object.fromEntries(new Headers(options.headers)), host: target.host } }, (answer) => {
    answer.resume().on("end", () => resolve(new Response(null, { status: answer.statusCode })));
  });
  sent.on("error", reject).end(options.body?.toString());
});

const make = (keys) => {
  const provider = new Provider(ISSUER, {
    clients: [{ client_id: CLIENT_ID, client_secret: CLIENT_SECRET, redirect_uris: REDIRECT_URIS.split(" "),
      post_logout_redirect_uris: [`${pages.origin}/sign-in`], backchannel_logout_uri: LOGOUT_URI,
      backchannel_logout_session_required: true }],
    jwks: { keys },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "locale"], groups: ["groups"] },
    scopes: ["openid", "email", "profile", "groups"],
    conformIdTokenClaims: process.env.CLAIMS === "userinfo",
    features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true,
      logoutSource: (ctx, form) => { ctx.body = form; }, postLogoutSuccessSource: (ctx) => { ctx.body = "signed out"; } } },
    pkce: { required: () => true },
    cookies: { keys: ["of a test"] },
    fetch: fetchApp,
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub, ...people.get(sub) }) }),
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope("openid email profile groups");
      await grant.save();
      return grant;
    },
    renderError: (ctx, out) => { ctx.body = JSON.stringify(out); },
  });
  provider.proxy = true;
  return provider;
};

let provider = make([key("first")]);
const read = async (asked) => { let text = ""; for await (const part of asked) text += part; return JSON.parse(text || "{}"); };
const commands = {
  rotate: async ({ kid }) => { provider = make([key(kid)]); },
  people: async (said) => { for (const [sub, claims] of Object.entries(said)) people.set(sub, claims); },
  signs_in: async ({ sub }) => { next = sub; },
};

createServer(async (asked, answer) => {
  Object.assign(asked.headers, { host, "x-forwarded-proto": "https", "x-forwarded-host": host });
  const [, room, word] = asked.url.split("/");
  if (room === "test") {
    await commands[word](await read(asked));
    answer.end();
  } else if (room === "interaction") {
    await provider.interactionFinished(asked, answer, { login: { accountId: next } }, { mergeWithLastSubmission: false });
  } else {
    provider.callback()(asked, answer);
  }
}).listen(0, "127.0.0.1", function () { console.log(`listening ${this.address().port}`); });
