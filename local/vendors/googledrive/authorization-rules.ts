import type {
  AuthorizationRules,
  IssuedTokens,
  RequestProblem,
  TokenProblem,
} from "../authorization/vendor-rules.ts";
import { type Answer, jsonAnswer } from "../http/answer.ts";

const ISSUER = "https://accounts.google.com";
const PREFIX = "https://www.googleapis.com/auth/";

/** https://developers.google.com/workspace/drive/api/guides/api-specific-auth */
const SCOPES: Readonly<Record<string, string>> = {
  [`${PREFIX}drive`]: "see, edit, create and delete all of your Google Drive files",
  [`${PREFIX}drive.file`]: "see, edit, create and delete the Google Drive files that you use with this app",
  [`${PREFIX}drive.readonly`]: "see and download all your Google Drive files",
  [`${PREFIX}drive.metadata`]: "see and change details of your Google Drive files",
  [`${PREFIX}drive.metadata.readonly`]: "see details of your Google Drive files",
  [`${PREFIX}userinfo.email`]: "see your primary Google Account e-mail address",
  [`${PREFIX}userinfo.profile`]: "see your personal info",
  email: "see your primary Google Account e-mail address",
  profile: "see your personal info",
};

/** https://developers.google.com/identity/protocols/oauth2/web-server */
export const googleRules: AuthorizationRules = {
  look: { vendor: "Google Drive", accent: { light: "#146c43", dark: "#7ed6a5" } },
  authorizationHosts: ["accounts.google.com"],
  authorizationPath: "/o/oauth2/v2/auth",
  tokenHosts: ["oauth2.googleapis.com"],
  tokenPath: "/token",
  tokenParametersInQuery: false,
  publicClients: false,
  redirectUriOptional: false,
  // https://developers.google.com/identity/protocols/oauth2/resources/granular-permissions
  untickable: true,
  denialParameters: [],
  // Ends all grants of the user for the app, whichever of their tokens the request has:
  // https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke
  revocation: {
    hosts: ["oauth2.googleapis.com", "accounts.google.com"],
    path: "/revoke",
    ends: "grant",
    needsClient: false,
    deadToken: tokenError(400, "invalid_token", "Token expired or revoked"),
  },

  readRequest(query) {
    const scopes = (query.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
    if (scopes.length === 0) return problem(400, "invalid_request", "Missing required parameter: scope");
    const unknown = scopes.filter((scope) => SCOPES[scope] === undefined);
    if (unknown.length > 0) {
      return problem(400, "invalid_scope", `Some requested scopes were invalid: ${unknown.join(", ")}`);
    }
    const prompts = (query.get("prompt") ?? "").split(" ");
    const isOffline = query.get("access_type") === "offline";
    // A user who has consented before gives a new refresh token only if the app asks for consent again.
    return { scopes, offline: isOffline && (prompts.includes("consent") || "first") };
  },
  clientProblem: (clientId) =>
    clientId === null
      ? problem(400, "invalid_request", "Missing required parameter: client_id")
      : problem(401, "invalid_client", "The OAuth client was not found."),
  redirectProblem: (redirectUri) =>
    redirectUri === null
      ? problem(400, "invalid_request", "Missing required parameter: redirect_uri")
      : problem(
          400,
          "redirect_uri_mismatch",
          `The redirect URI in the request, ${redirectUri}, does not match the ones authorized for the OAuth client.`,
        ),
  responseTypeProblem: (responseType) =>
    responseType === null
      ? problem(400, "invalid_request", "Missing required parameter: response_type")
      : problem(400, "unsupported_response_type", `Invalid response_type: ${responseType}`),
  challengeProblem: () => problem(400, "invalid_request", "Invalid code_challenge or code_challenge_method."),
  describeScope: (scope) => SCOPES[scope] ?? scope,
  redirectParameters: (request) => [
    ["iss", ISSUER],
    ["scope", request.scopes.join(" ")],
    ["authuser", "0"],
    ["prompt", "consent"],
  ],

  tokenAnswer: ({ grant, accessToken, expiresInSeconds, refreshToken }: IssuedTokens) => ({
    access_token: accessToken,
    expires_in: expiresInSeconds,
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    scope: grant.scopes.join(" "),
    token_type: "Bearer",
  }),
  tokenProblem: (name) => TOKEN_PROBLEMS[name],
};

function problem(status: number, error: string, text: string): RequestProblem {
  return { status, title: `Error ${status}: ${error}`, text };
}

function tokenError(status: number, error: string, description: string): Answer {
  return jsonAnswer(status, { error, error_description: description }, { "Cache-Control": "no-store" });
}

// https://github.com/googleapis/google-auth-library-nodejs/issues/1518, https://github.com/porjo/youtubeuploader/issues/181,
// https://github.com/googleapis/google-api-java-client/issues/1479, https://github.com/guruahn/vue-google-oauth2/issues/37
const TOKEN_PROBLEMS: Readonly<Record<TokenProblem, Answer>> = {
  client_unknown: tokenError(401, "invalid_client", "The OAuth client was not found."),
  client_secret_wrong: tokenError(401, "invalid_client", "Unauthorized"),
  grant_type_missing: tokenError(400, "invalid_request", "Required parameter is missing: grant_type"),
  grant_type_unsupported: tokenError(400, "unsupported_grant_type", "Invalid grant_type"),
  code_missing: tokenError(400, "invalid_request", "Missing required parameter: code"),
  code_unknown: tokenError(400, "invalid_grant", "Malformed auth code."),
  code_expired: tokenError(400, "invalid_grant", "Bad Request"),
  code_used: tokenError(400, "invalid_grant", "Bad Request"),
  redirect_uri_mismatch: tokenError(400, "redirect_uri_mismatch", "Bad Request"),
  verifier_missing: tokenError(400, "invalid_grant", "Missing code verifier."),
  verifier_wrong: tokenError(400, "invalid_grant", "Invalid code verifier."),
  // https://github.com/googleapis/google-api-nodejs-client/issues/3680
  verifier_needless: tokenError(400, "invalid_grant", "code_verifier or verifier is not needed."),
  refresh_token_missing: tokenError(400, "invalid_request", "Missing required parameter: refresh_token"),
  refresh_token_dead: tokenError(400, "invalid_grant", "Token has been expired or revoked."),
  parameter_repeated: tokenError(400, "invalid_request", "OAuth 2 parameters can only have a single value"),
};
