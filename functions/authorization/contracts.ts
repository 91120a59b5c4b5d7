import * as v from "valibot";
import type { ErrorCode } from "../core/error-codes.ts";
import { contracts, discoveryErrors } from "../http/contract.ts";
import { ElementAnswer } from "../http/element-answers.ts";
import { paging, pagingHeaders } from "../http/paging.ts";
import { flag, text } from "../http/parameter.ts";
import {
  AuthorizationUrl,
  ElementMetadata,
  Elements,
  ElementsMetadata,
  HubAnswer,
  Hubs,
  Keys,
  OldAuthorizationUrl,
} from "./answers.ts";

const aHub = {
  id: 4,
  key: "documents",
  name: "Documents",
  description: "Files and folders, one API for every vendor",
};
const headers = { ...pagingHeaders, "Elements-Total-Count": "Entries of all pages" };

/** Fields of each call that lists entries of the catalogue. */
const listed = { method: "GET", group: "Catalogue", auth: "none", query: paging } as const;
/** Fields of each call that reads one entry of the catalogue. */
const one = { method: "GET", group: "Catalogue", auth: "none" } as const;

const oauthValues = {
  apiKey: v.optional(
    v.pipe(v.string(), v.description("Client id; absent: the app registered for this element")),
  ),
  callbackUrl: v.optional(
    v.pipe(v.string(), v.description("As registered at the vendor; absent: the app's first redirect URI")),
  ),
  scope: v.optional(
    v.pipe(v.string(), v.description("Scopes, separated by blanks, in place of the default scopes")),
  ),
  state: v.optional(v.pipe(v.string(), v.maxLength(2_000, "at most 2000 characters"))),
  siteAddress: v.optional(v.string()),
  subdomain: v.optional(v.string()),
  isOauthProxy: v.optional(
    v.pipe(
      v.union([v.boolean(), v.picklist(["true", "false"])], "it must be true or false"),
      v.transform((value) => value === true || value === "true"),
      v.description("Through an OAuth proxy: `state` is the URL of the app that gets the code"),
    ),
  ),
  oauthProxyName: v.optional(v.string()),
};

/** Errors of both forms of the authorization URL. */
const ofUrl = [
  "unauthorized",
  "unknown_element",
  "unknown_app",
  "redirect_uri_mismatch",
  "host_not_allowed",
  ...discoveryErrors,
  "too_large",
  "unknown_oauth_proxy",
  "application_url_not_allowed",
  "key_service_unavailable",
] as const satisfies readonly ErrorCode[];

export const authorizationContracts = contracts({
  "hubs.list": {
    ...listed,
    paths: ["/hubs"],
    summary: "Lists the hubs",
    answers: { 200: { description: "The hubs", json: Hubs, headers, example: [aHub] } },
  },
  "hubs.keys": {
    ...listed,
    paths: ["/hubs/keys"],
    summary: "Lists the hubs' keys",
    answers: { 200: { description: "Keys", json: Keys, headers, example: ["documents"] } },
  },
  "hubs.get": {
    ...one,
    paths: ["/hubs/{hub}"],
    summary: "Reads a hub",
    errors: ["unknown_hub"],
    answers: { 200: { description: "The hub", json: HubAnswer, example: aHub } },
  },
  "hubs.elements": {
    ...listed,
    paths: ["/hubs/{hub}/elements"],
    summary: "Lists a hub's elements",
    errors: ["unknown_hub"],
    answers: { 200: { description: "Elements", json: Elements, headers } },
  },
  "elements.list": {
    ...listed,
    paths: ["/elements"],
    summary: "Lists the elements: every vendor that can be connected",
    answers: { 200: { description: "Elements", json: Elements, headers } },
  },
  "elements.keys": {
    ...listed,
    paths: ["/elements/keys"],
    summary: "Lists the elements' keys",
    answers: { 200: { description: "Keys", json: Keys, headers, example: ["dropbox", "googledrive"] } },
  },
  "elements.metadata.list": {
    ...listed,
    paths: ["/elements/metadata"],
    summary: "Lists the capabilities of each element",
    answers: { 200: { description: "Capabilities", json: ElementsMetadata, headers } },
  },
  "elements.image": {
    ...one,
    paths: ["/elements/images/{image}"],
    summary: "Draws an element's tile",
    errors: ["not_found"],
    answers: { 200: { description: "A picture", mediaTypes: ["image/svg+xml"] } },
  },
  "elements.get": {
    ...one,
    paths: ["/elements/{keyOrId}"],
    summary: "Reads an element by key or number",
    errors: ["unknown_element"],
    answers: { 200: { description: "The element", json: ElementAnswer } },
  },
  "elements.metadata": {
    ...one,
    paths: ["/elements/{keyOrId}/metadata"],
    summary: "Reads an element's capabilities, without a connection",
    errors: ["unknown_element"],
    answers: { 200: { description: "Capabilities", json: ElementMetadata } },
  },
  "openapi.get": {
    ...one,
    paths: ["/openapi.json"],
    summary: "Reads this description",
    answers: { 200: { description: "OpenAPI 3.1", json: v.looseObject({ openapi: v.string() }) } },
  },
  "oauth.url.get": {
    method: "GET",
    paths: ["/elements/{keyOrId}/oauth/url"],
    summary: "Makes an authorization URL (old form)",
    description:
      "Stores nothing, and uses no PKCE. Send values for the vendor's URLs as `configuration.<key>`. New apps use the POST form.",
    group: "Connecting",
    auth: "optionalUser",
    deprecated: true,
    query: {
      apiKey: text("Client id; absent: the app registered for this element."),
      callbackUrl: text("As registered at the vendor; absent: the app's first redirect URI."),
      scope: text("Scopes, separated by blanks, in place of the default scopes."),
      state: text("Sent to the vendor unchanged; absent: the element's key."),
      siteAddress: text("For vendors whose customers have their own hosts."),
      subdomain: text("For vendors whose customers have their own hosts."),
      isOauthProxy: flag(
        "`true`: through an OAuth proxy; `state` is the URL of the app that gets the code. Takes the user's and the organization's secrets.",
      ),
      oauthProxyName: text("Name of the OAuth proxy."),
    },
    errors: [...ofUrl],
    answers: {
      200: {
        description: "The URL at which the user signs in",
        json: OldAuthorizationUrl,
        example: { element: "dropbox", oauthUrl: "https://www.dropbox.com/oauth2/authorize?client_id=…" },
      },
    },
  },
  "oauth.url.create": {
    method: "POST",
    paths: ["/elements/{keyOrId}/oauth/url"],
    summary: "Makes an authorization URL, with a single-use state and PKCE",
    group: "Connecting",
    auth: "user",
    body: {
      json: v.object({
        ...oauthValues,
        pkce: v.optional(v.boolean()),
        configuration: v.optional(
          v.pipe(
            v.record(v.string(), v.string()),
            v.description("Values for the vendor's URLs, by the keys that the connector declares"),
          ),
        ),
      }),
      example: { callbackUrl: "https://app.example.com/callback/dropbox" },
    },
    errors: [...ofUrl, "too_deep", "body_too_large"],
    answers: {
      200: {
        description: "The URL at which the user signs in",
        json: AuthorizationUrl,
        example: {
          element: "dropbox",
          oauthUrl: "https://www.dropbox.com/oauth2/authorize?client_id=…",
          state: "X1b…",
          expiresAt: "2026-01-02T03:14:05.678Z",
        },
      },
    },
  },
  "oauth.token": {
    ...one,
    paths: ["/elements/{keyOrId}/oauth/token"],
    group: "Connecting",
    summary: "First step of OAuth 1.0a. No element uses it yet: 501",
    errors: ["unknown_element", "not_supported"],
    answers: {},
  },
});
