import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import dropbox from "../../../functions/connectors/vendors/dropbox.ts";
import googledrive from "../../../functions/connectors/vendors/googledrive.ts";
import {
  authorizationUrl,
  codeChallenge,
  isOwnState,
  newCodeVerifier,
  newState,
} from "../../../functions/core/oauth/authorization-request.ts";
import { checkIssuer } from "../../../functions/core/oauth/authorization-response.ts";

const request = {
  clientId: "id",
  redirectUri: "https://app.example/cb",
  state: "dropbox",
  configuration: {},
};

describe("authorizationUrl", () => {
  it("asks Dropbox for a refresh token, with the default scopes separated by spaces", () => {
    const url = new URL(authorizationUrl(dropbox, request));
    expect(url.origin + url.pathname).toBe("https://www.dropbox.com/oauth2/authorize");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: "code",
      client_id: "id",
      redirect_uri: "https://app.example/cb",
      scope: dropbox.oauth2.scopes.default.join(" "),
      state: "dropbox",
      token_access_type: "offline",
    });
    expect(url.search).not.toContain("+");
  });

  it("asks Google for offline access and consent, with PKCE when a challenge is given", () => {
    const verifier = newCodeVerifier();
    const url = new URL(
      authorizationUrl(googledrive, { ...request, codeChallenge: codeChallenge(verifier) }),
    );
    expect(url.searchParams.get("access_type")).toBe("offline");
    expect(url.searchParams.get("prompt")).toBe("consent");
    expect(url.searchParams.get("code_challenge_method")).toBe("S256");
    expect(url.searchParams.get("code_challenge")).toBe(
      createHash("sha256").update(verifier, "ascii").digest("base64url"),
    );
  });

  it("contains client, redirect URI and state exactly as given, whatever their characters", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1 });
    fc.assert(
      fc.property(text, text, text, (clientId, redirectUri, state) => {
        const { searchParams } = new URL(
          authorizationUrl(dropbox, { ...request, clientId, redirectUri, state }),
        );
        expect([
          searchParams.get("client_id"),
          searchParams.get("redirect_uri"),
          searchParams.get("state"),
        ]).toEqual([clientId, redirectUri, state]);
      }),
    );
  });

  it("joins the requested scopes with the vendor's separator", () => {
    const commas = {
      ...dropbox,
      oauth2: { ...dropbox.oauth2, scopes: { default: [], separator: "," as const } },
    };
    const scopeOf = (scope: string | undefined) =>
      new URL(authorizationUrl(commas, { ...request, scope })).searchParams.get("scope");
    expect(scopeOf("a b,c  d")).toBe("a,b,c,d");
    expect(scopeOf(undefined)).toBeNull();
  });
});

describe("a state of ours", () => {
  it("has 256 random bits and a prefix that distinguishes it from an app's own state", () => {
    const states = new Set(Array.from({ length: 50 }, newState));
    expect(states.size).toBe(50);
    for (const state of states) expect(state).toMatch(/^ls_[\w-]{43}$/);
    expect(isOwnState("dropbox")).toBe(false);
  });
});

describe("the issuer of an answer", () => {
  it("must be the expected one whenever the answer has one", () => {
    expect(() => checkIssuer(googledrive, "https://accounts.google.com")).not.toThrow();
    expect(() => checkIssuer(googledrive, undefined)).not.toThrow();
    expect(() => checkIssuer(googledrive, "https://evil.example")).toThrowError(
      expect.objectContaining({ code: "invalid_issuer" }),
    );
  });

  it("must be in the answer when the connector says that the vendor always sends it", () => {
    const strict = { ...googledrive, oauth2: { ...googledrive.oauth2, issRequired: true } };
    expect(() => checkIssuer(strict, undefined)).toThrowError(
      expect.objectContaining({ code: "invalid_issuer" }),
    );
  });
});
