import * as v from "valibot";
import type { PlatformCaller } from "../http/authorize.ts";
import { contracts, type Handle, ok } from "../http/contract.ts";
import { text } from "../http/parameter.ts";

export const OAuthProxyAnswer = v.pipe(
  v.object({
    id: v.number(),
    name: v.string(),
    applicationUrls: v.pipe(
      v.array(v.string()),
      v.readonly(),
      v.description("Where the vendor's answer may be forwarded to"),
    ),
    createdDate: v.pipe(v.string(), v.isoTimestamp()),
  }),
  v.title("OAuthProxy"),
);
export type OAuthProxyAnswer = v.InferOutput<typeof OAuthProxyAnswer>;

const NewOAuthProxy = v.object({
  name: v.pipe(
    v.string(),
    v.trim(),
    v.nonEmpty("it must not be empty"),
    v.maxLength(200, "at most 200 characters"),
  ),
});

const aProxy = {
  id: 141_526_530_712_345,
  name: "apps",
  applicationUrls: ["https://app.example.com/connected", "https://*.tenants.example.com/connected"],
  createdDate: "2026-01-02T03:04:05Z",
};

const shared = { group: "OAuth proxies", auth: "userAndOrganization" } as const;
const ofProxy = ["unauthorized", "unknown_oauth_proxy"] as const;
const query = {
  applicationUrl: text(
    "An absolute https URL (http on localhost). Its host may begin with `*.`, its path may end in `*`.",
  ),
};

/** One callback URL of ours for many apps. */
export const oauthProxyContracts = contracts({
  "oauth.proxies.list": {
    ...shared,
    method: "GET",
    paths: ["/elements/oauthProxies"],
    summary: "Lists the organization's OAuth proxies",
    errors: ["unauthorized"],
    answers: ok("The proxies", v.pipe(v.array(OAuthProxyAnswer), v.readonly()), [aProxy]),
  },
  "oauth.proxies.create": {
    ...shared,
    method: "POST",
    paths: ["/elements/oauthProxies"],
    summary: "Makes an OAuth proxy",
    description:
      "With `isOauthProxy=true&oauthProxyName=<name>&state=<URL of the app>` an authorization URL leads back to `/oauth/callback/{connector}`, which forwards the code to that URL of the app.",
    body: { json: NewOAuthProxy, example: { name: "apps" } },
    errors: ["unauthorized", "conflict", "body_too_large", "too_deep"],
    answers: ok("The proxy; its list of URLs is empty", OAuthProxyAnswer, { ...aProxy, applicationUrls: [] }),
    audit: "oauth_proxy.create",
  },
  "oauth.proxies.delete": {
    ...shared,
    method: "DELETE",
    paths: ["/elements/oauthProxies/{id}"],
    summary: "Deletes an OAuth proxy; sign-ins under way through it end with an error page",
    errors: ofProxy,
    answers: ok("It is deleted", v.object({}), {}),
    audit: "oauth_proxy.delete",
  },
  "oauth.proxies.urls.add": {
    ...shared,
    method: "POST",
    paths: ["/elements/oauthProxies/{id}/applicationUrl"],
    summary: "Allows one more URL of an app",
    query,
    errors: [...ofProxy, "changed"],
    answers: ok("The proxy", OAuthProxyAnswer, aProxy),
    audit: "oauth_proxy.add_url",
  },
  "oauth.proxies.urls.remove": {
    ...shared,
    method: "DELETE",
    paths: ["/elements/oauthProxies/{id}/applicationUrl"],
    summary: "Takes a URL from the list",
    query,
    errors: [...ofProxy, "changed"],
    answers: ok("The proxy", OAuthProxyAnswer, aProxy),
    audit: "oauth_proxy.remove_url",
  },
});

type Contracts = typeof oauthProxyContracts;

export type OAuthProxyHandle<Name extends keyof Contracts> = Handle<Contracts[Name], PlatformCaller>;
