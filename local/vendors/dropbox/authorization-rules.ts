import type {
  AuthorizationRules,
  IssuedTokens,
  RequestProblem,
  TokenProblem,
} from "../authorization/vendor-rules.ts";
import { type Answer, jsonAnswer } from "../http/answer.ts";
import { accountIdOf, TEAM, userIdOf } from "./account-ids.ts";

/** Scopes of a Dropbox app, with the names of its console's Permissions tab and texts for people. */
const SCOPES: Readonly<Record<string, string>> = {
  "account_info.read": "see who you are: name, e-mail address, space used",
  "files.metadata.read": "see names and details of your files and folders",
  "files.metadata.write": "change details of your files and folders",
  "files.content.read": "open and download your files",
  "files.content.write": "upload, change, move and delete your files",
  "sharing.read": "see your shared links and who has access",
  "sharing.write": "make and remove shared links",
  "file_requests.read": "see your file requests",
  "file_requests.write": "make and change file requests",
  "contacts.read": "see your contacts",
  "contacts.write": "change your contacts",
  "team_info.read": "see your team's name and size",
  "team_data.member": "act for the members of your team",
  "members.read": "see the members of your team",
};

/** https://www.dropbox.com/developers/documentation/http/documentation#authorization */
export const dropboxRules: AuthorizationRules = {
  look: { vendor: "Dropbox", accent: { light: "#0a52c4", dark: "#82b1ff" } },
  authorizationHosts: ["www.dropbox.com"],
  authorizationPath: "/oauth2/authorize",
  tokenHosts: ["api.dropboxapi.com"],
  tokenPath: "/oauth2/token",
  // The official JavaScript SDK sends them in the query (dropbox-sdk-js, src/auth.js).
  tokenParametersInQuery: true,
  publicClients: true,
  redirectUriOptional: true,
  denialParameters: [
    ["error_description", "The user chose not to give your app access to their Dropbox account."],
  ],

  readRequest(query) {
    const asked = (query.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
    const unknown = asked.find((scope) => SCOPES[scope] === undefined);
    if (unknown !== undefined) return problem(`Invalid scope: "${unknown}".`);
    const accessType = query.get("token_access_type") ?? "online";
    if (accessType !== "online" && accessType !== "offline") {
      return problem(`Invalid token_access_type: "${accessType}".`);
    }
    return { scopes: asked.length > 0 ? asked : Object.keys(SCOPES), offline: accessType === "offline" };
  },
  // Wording of the pages: https://github.com/dropbox/dbxcli/issues/62, https://github.com/dropbox/dropbox-sdk-python/issues/203
  clientProblem: (clientId) => problem(`Invalid client_id: "${clientId ?? ""}".`),
  redirectProblem: (redirectUri) =>
    problem(
      `Invalid redirect_uri: "${redirectUri ?? ""}". It must exactly match one of the redirect URIs you've pre-configured for your app (including the path).`,
    ),
  responseTypeProblem: (responseType) => problem(`Invalid response_type: "${responseType ?? ""}".`),
  challengeProblem: () => problem("Invalid code_challenge or code_challenge_method."),
  describeScope: (scope) => SCOPES[scope] ?? scope,
  redirectParameters: () => [],

  tokenAnswer({ grant, account, accessToken, expiresInSeconds, refreshToken }: IssuedTokens) {
    if (refreshToken === undefined && grant.refreshTokenHash !== undefined) {
      // The answer to a refresh has only these three; the refresh token does not change and is not sent
      // again.
      return { access_token: accessToken, token_type: "bearer", expires_in: expiresInSeconds };
    }
    return {
      access_token: accessToken,
      token_type: "bearer",
      expires_in: expiresInSeconds,
      ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
      scope: grant.scopes.join(" "),
      uid: userIdOf(account.login),
      account_id: accountIdOf(account.login),
    };
  },
  tokenProblem: (name) => TOKEN_PROBLEMS[name],
};

/**
 * A team's token: "An API v2 identifier only for team-linked" `team_id`, and no account:
 * https://www.dropbox.com/developers/documentation/http/documentation#oauth2-token
 */
export function teamTokenAnswer(ofUser: unknown): unknown {
  const { account_id: account, uid, ...token } = ofUser as Record<string, unknown>;
  return account === undefined ? token : { ...token, uid: "", team_id: TEAM.id };
}

function problem(text: string): RequestProblem {
  return { status: 400, title: "Error (400)", text };
}

function tokenError(error: string, description?: string): Answer {
  return jsonAnswer(400, description === undefined ? { error } : { error_description: description, error });
}

// Texts from bug reports: https://github.com/s-aska/dropbox-api-command/issues/41 (the code, then its text
// after a colon),
// https://github.com/kunalvarma05/dropbox-php-sdk/issues/121, https://github.com/nextcloud/integration_dropbox/issues/34.
const INVALID_CLIENT = tokenError("invalid_client: Invalid client_id or client_secret");
const TOKEN_PROBLEMS: Readonly<Record<TokenProblem, Answer>> = {
  client_unknown: INVALID_CLIENT,
  client_secret_wrong: INVALID_CLIENT,
  grant_type_missing: tokenError("unsupported_grant_type", 'missing required field "grant_type"'),
  grant_type_unsupported: tokenError("unsupported_grant_type", "unsupported grant type"),
  code_missing: tokenError("invalid_request", 'missing required field "code"'),
  code_unknown: tokenError("invalid_grant", "code doesn't exist or has expired"),
  code_expired: tokenError("invalid_grant", "code doesn't exist or has expired"),
  code_used: tokenError("invalid_grant", "code has already been used"),
  redirect_uri_mismatch: tokenError("invalid_grant", "redirect_uri mismatch"),
  verifier_missing: tokenError("invalid_grant", "code verifier required"),
  verifier_wrong: tokenError("invalid_grant", "invalid code verifier"),
  verifier_needless: tokenError("invalid_grant", "code verifier is not needed"),
  refresh_token_missing: tokenError("invalid_request", 'missing required field "refresh_token"'),
  refresh_token_dead: tokenError("invalid_grant", "refresh token is invalid or revoked"),
  parameter_repeated: tokenError("invalid_request", "a parameter was sent more than once"),
};
