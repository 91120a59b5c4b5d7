import type { ErrorCode } from "../core/error-codes.ts";
import type { PlatformCaller } from "../http/authorize.ts";
import { type Contract, contracts, discoveryErrors, type Handle } from "../http/contract.ts";
import { paging, pagingHeaders } from "../http/paging.ts";
import { text, texts } from "../http/parameter.ts";
import {
  ConfigurationEntries,
  ConfigurationEntry,
  CountAnswer,
  InstanceAnswer,
  InstancesAnswer,
  Nothing,
  SessionAnswer,
  StatusAnswer,
} from "./answers.ts";
import { ClaimBody, PropertyBody, Rotation, SessionBody } from "./bodies.ts";
import { InstanceBody } from "./instance-body.ts";
import type { ListCaller } from "./list-caller.ts";
import { oauthProxyContracts } from "./oauth-proxy-contracts.ts";
import type { OwnInstance } from "./own-instance.ts";

/** Paths below `/instances`, and the same paths below `/elements/{keyOrId}/instances`. */
const below = (...ends: [string, ...string[]]): Contract["paths"] =>
  ["/instances", "/elements/{keyOrId}/instances"].flatMap((root) =>
    ends.map((end) => `${root}${end}`),
  ) as unknown as Contract["paths"];

/** Paths of a call of one instance: with its id, or with its token and without an id. */
const ofOne = (end: string): Contract["paths"] => below(`/{id}${end}`, end);

const group = "Instances";

const ofInstance = [
  "unauthorized",
  "unknown_instance",
  "unknown_element",
  "not_found",
] as const satisfies readonly ErrorCode[];
const ofBody = ["body_too_large", "too_deep", "too_large"] as const satisfies readonly ErrorCode[];
const ofChange = [...ofInstance, "needs_user", "not_from_browsers", "key_service_unavailable"] as const;
/** Errors of the exchange of a code at the vendor. */
const ofSignIn = [
  "code_used",
  "invalid_code",
  "invalid_client",
  "invalid_state",
  "invalid_issuer",
  "redirect_uri_mismatch",
  "host_not_allowed",
  "unknown_app",
  "vendor_refused",
  "vendor_rate_limited",
  "vendor_unavailable",
  "vendor_unreachable",
  "vendor_address_refused",
  "vendor_endpoint_unknown",
  "vendor_metadata_unusable",
  "vendor_answer_unreadable",
  "vendor_answer_too_large",
  "vendor_timeout",
  "unusable_access_token",
  "grant_not_storable",
  "account_unknown",
  "another_account",
  "sign_in_superseded",
  "token_unavailable",
  "key_service_unavailable",
] as const satisfies readonly ErrorCode[];

const anInstance = {
  id: 427236,
  name: "My Dropbox",
  createdDate: "2026-01-02T03:04:05Z",
  updatedDate: "2026-01-02T03:04:05Z",
  token: "********",
  element: { key: "dropbox" },
  elementId: 22,
  tags: ["My Dropbox"],
  provisionInteractions: [],
  valid: true,
  disabled: false,
  maxCacheSize: 0,
  cacheTimeToLive: 0,
  configuration: { "oauth.callback.url": "https://app.example.com/callback/dropbox" },
  eventsEnabled: false,
  traceLoggingEnabled: false,
  cachingEnabled: false,
  externalAuthentication: "none",
  user: { id: 12345, emailAddress: "ada@example.com", firstName: "Ada", lastName: "Lovelace" },
};
const aNewInstance = { ...anInstance, token: "lsi_98no.4Q0m…" };
const anEntry = {
  id: 2912,
  key: "oauth.callback.url",
  name: "Callback URL",
  description: "The URL to which the vendor sends the user back",
  propertyValue: "https://app.example.com/callback/dropbox",
  required: false,
  active: true,
};
const aStatus = {
  valid: true,
  expiresAt: "2026-01-02T07:04:05Z",
  lastRefreshedAt: "2026-01-02T03:04:05Z",
  lastError: null,
  nextRefreshAt: "2026-01-02T05:04:05Z",
  scopes: ["files.content.read"],
  missingScopes: [],
};

const instance = (description: string, example: unknown = anInstance) =>
  ({ 200: { description, json: InstanceAnswer, example } }) as const;
const page = { 200: { description: "A page", mediaTypes: ["text/html"] } } as const;
const redirect = {
  description: "Redirects to the vendor, or back to the app",
  headers: { Location: "URL of the vendor or of the app" },
} as const;

export const connectionContracts = contracts({
  "instances.create": {
    method: "POST",
    paths: below(""),
    summary: "Makes an instance from an authorization code, or from a grant that was obtained elsewhere",
    description:
      "The tokens are stored, encrypted, before the answer is sent. A second call with the same code answers 400 `code_used`, and makes no second instance.",
    group,
    auth: "user",
    body: {
      json: InstanceBody,
      example: {
        element: { key: "dropbox" },
        providerData: { code: "…", state: "…" },
        name: "My Dropbox",
        tags: ["t1"],
      },
    },
    errors: ["unauthorized", "unknown_element", ...ofBody, ...ofSignIn],
    answers: instance("The instance, with its token", aNewInstance),
    audit: "instance.create",
  },
  "instances.list": {
    method: "GET",
    paths: below(""),
    summary: "Lists the user's instances, newest first",
    description:
      "With an instance token and none of these parameters, answers that instance; below `/elements/{keyOrId}` always a list. If nothing matches the filter, answers 404.",
    group,
    auth: "userOrInstance",
    query: {
      tags: texts("Only instances that have all of these tags.", "tags[]"),
      searchText: text("Only instances whose name, element key or tags contain this text."),
      hydrate: text("`false`: only the fields that the index holds, without reading each instance."),
      ...paging,
    },
    errors: [...ofInstance, "no_match", "key_service_unavailable"],
    answers: {
      200: {
        description: "A page of instances, or one instance",
        json: InstancesAnswer,
        headers: pagingHeaders,
        example: [anInstance],
      },
    },
  },
  "instances.count": {
    method: "GET",
    paths: below("/count"),
    summary: "Counts the user's instances",
    group,
    auth: "user",
    errors: ["unauthorized", "unknown_element"],
    answers: {
      200: {
        description: "The number of instances",
        json: CountAnswer,
        example: {
          totalInstances: 3,
          elementInstances: [{ element: { key: "dropbox", name: "Dropbox" }, count: 3 }],
        },
      },
    },
  },
  "instances.get": {
    method: "GET",
    paths: below("/{id}"),
    summary: "Reads an instance",
    group,
    auth: "instanceOfUser",
    errors: ofInstance,
    answers: instance("The instance"),
  },
  "instances.put": {
    method: "PUT",
    paths: ofOne(""),
    summary: "Replaces an instance's name, tags and configuration; with a code, signs in again",
    description: "A value sent as `********` keeps its stored value. Id and token stay the same.",
    group,
    auth: "userOfInstance",
    body: { json: InstanceBody, example: { name: "Another name", configuration: {} } },
    errors: [...ofChange, ...ofBody, ...ofSignIn],
    answers: instance("The instance as it is now"),
    audit: "instance.change",
  },
  "instances.patch": {
    method: "PATCH",
    paths: ofOne(""),
    summary: "Changes the given fields of an instance; with a code, signs in again",
    group,
    auth: "userOfInstance",
    body: { json: InstanceBody, example: { tags: ["t2"] } },
    errors: [...ofChange, ...ofBody, ...ofSignIn],
    answers: instance("The instance as it is now"),
    audit: "instance.change",
  },
  "instances.delete": {
    method: "DELETE",
    paths: ofOne(""),
    summary: "Deletes an instance, and revokes its grant at the vendor",
    group,
    auth: "userOfInstance",
    errors: ofChange,
    answers: {
      200: {
        description: "The instance's token is invalid now; a worker does the rest",
        json: Nothing,
        example: {},
      },
    },
    audit: "instance.delete",
  },
  "instances.configuration.list": {
    method: "GET",
    paths: ofOne("/configuration"),
    summary: "Lists an instance's configuration",
    group,
    auth: "instanceOfUser",
    errors: ofInstance,
    answers: { 200: { description: "The entries", json: ConfigurationEntries, example: [anEntry] } },
  },
  "instances.configuration.get": {
    method: "GET",
    paths: ofOne("/configuration/{configId}"),
    summary: "Reads one entry, by number or key",
    group,
    auth: "instanceOfUser",
    errors: ofInstance,
    answers: { 200: { description: "The entry", json: ConfigurationEntry, example: anEntry } },
  },
  "instances.configuration.patch": {
    method: "PATCH",
    paths: ofOne("/configuration/{configId}"),
    summary: "Changes one entry",
    group,
    auth: "userOfInstance",
    body: { json: PropertyBody, example: { propertyValue: "https://app.example.com/callback" } },
    errors: [...ofChange, ...ofBody],
    answers: { 200: { description: "The entry as it is now", json: ConfigurationEntry, example: anEntry } },
    audit: "instance.change",
  },
  "instances.enable": {
    method: "PUT",
    paths: ofOne("/enabled"),
    summary: "Enables an instance",
    group,
    auth: "userOfInstance",
    errors: ofChange,
    answers: instance("The instance as it is now"),
    audit: "instance.enable",
  },
  "instances.disable": {
    method: "DELETE",
    paths: ofOne("/enabled"),
    summary: "Disables an instance: its calls to the vendor are refused",
    group,
    auth: "userOfInstance",
    errors: ofChange,
    answers: instance("The instance as it is now"),
    audit: "instance.disable",
  },
  "instances.token": {
    method: "POST",
    paths: ofOne("/token"),
    summary: "Rotates the instance token",
    group,
    auth: "newestTokenOrUser",
    body: { json: Rotation, example: { graceSeconds: 60 } },
    errors: [...ofInstance, ...ofBody, "token_superseded"],
    answers: instance("The instance with its new token", aNewInstance),
    audit: "instance.rotate_token",
  },
  "instances.refresh": {
    method: "POST",
    paths: ofOne("/refresh"),
    summary: "Refreshes the vendor's token now",
    group,
    auth: "instanceOfUser",
    errors: [
      ...ofInstance,
      "instance_disabled",
      "needs_reauthentication",
      "refresh_too_soon",
      "not_renewable_yet",
      "not_supported",
      "token_unavailable",
      "vendor_rate_limited",
      "vendor_address_refused",
      "vendor_endpoint_unknown",
      "invalid_client",
      "unknown_app",
      "key_service_unavailable",
    ],
    answers: { 200: { description: "The state of the grant", json: StatusAnswer, example: aStatus } },
    audit: "instance.refresh",
  },
  "instances.status": {
    method: "GET",
    paths: ofOne("/status"),
    summary: "Reads the state of the grant",
    group,
    auth: "instanceOfUser",
    errors: [...ofInstance, "key_service_unavailable"],
    answers: { 200: { description: "The state of the grant", json: StatusAnswer, example: aStatus } },
  },
  "connect.sessions.create": {
    method: "POST",
    paths: ["/connect/sessions"],
    summary: "Starts the hosted flow for one end user",
    group: "Connecting",
    auth: "user",
    body: {
      json: SessionBody,
      example: {
        elements: [{ key: "dropbox" }],
        returnUrl: "https://app.example.com/connected",
        endUser: "user-17",
      },
    },
    errors: [
      "unauthorized",
      "unknown_element",
      "unknown_instance",
      "unknown_app",
      "return_url_not_allowed",
      "redirect_uri_mismatch",
      "host_not_allowed",
      ...discoveryErrors,
      "key_service_unavailable",
      ...ofBody,
    ],
    answers: {
      200: {
        description: "The session; it is valid for 30 minutes",
        json: SessionAnswer,
        example: {
          id: "cs_Zm9v",
          connectUrl: "https://api.example.com/elements/api-v2/connect/cs_Zm9v",
          expiresAt: "2026-01-02T03:34:05.678Z",
        },
      },
    },
    audit: "session.create",
  },
  "connect.sessions.claim": {
    method: "POST",
    paths: ["/connect/sessions/{id}/claim"],
    summary: "Claims the instance of a sign-in, for the end user who began the session",
    group: "Connecting",
    auth: "user",
    body: { json: ClaimBody, example: { claim: "…", endUser: "user-17" } },
    errors: [
      "unauthorized",
      "unknown_session",
      "unknown_instance",
      "not_connected",
      "invalid_claim",
      "end_user_mismatch",
      "already_claimed",
      "claim_refused",
      "account_unknown",
      "another_account",
      "sign_in_superseded",
      "not_found",
      "key_service_unavailable",
      "grant_not_storable",
      "token_unavailable",
      ...ofBody,
    ],
    answers: instance("The instance; with its token, if it is new", aNewInstance),
    audit: "session.claim",
  },
  "connect.page": {
    method: "GET",
    paths: ["/connect/{session}"],
    summary: "Shows the user which organization asks for which account",
    group: "Pages",
    auth: "browser",
    answers: page,
  },
  "connect.choose": {
    method: "POST",
    paths: ["/connect/{session}"],
    summary: "Takes the user's choice on the connect page",
    group: "Pages",
    auth: "browser",
    body: { mediaTypes: ["application/x-www-form-urlencoded"], description: "The page's own form" },
    answers: { ...page, 303: redirect },
  },
  "oauth.callback": {
    method: "GET",
    paths: ["/oauth/callback/{connector}"],
    summary: "Callback: the vendor sends the user back to this URL",
    group: "Pages",
    auth: "browser",
    answers: { ...page, 303: redirect },
    audit: "session.connect",
    // Consumes the state: not safe for HEAD requests.
    head: false,
  },
  ...oauthProxyContracts,
});

export type ConnectionContracts = typeof connectionContracts;

/** The type of the caller, by the contract's `auth`. */
interface Callers {
  readonly user: PlatformCaller;
  readonly instanceOfUser: OwnInstance;
  readonly newestTokenOrUser: OwnInstance;
  readonly userOfInstance: OwnInstance;
  readonly userOrInstance: ListCaller;
}

type CallerOf<C extends Contract> = C["auth"] extends keyof Callers ? Callers[C["auth"]] : undefined;

/** The handler of a call of this function. */
export type ConnectionHandle<Name extends keyof ConnectionContracts> = Handle<
  ConnectionContracts[Name],
  CallerOf<ConnectionContracts[Name]>
>;
