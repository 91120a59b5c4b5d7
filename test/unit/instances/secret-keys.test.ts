import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { connectorByKey } from "../../../functions/connectors/catalogue.ts";
import type { Connector } from "../../../functions/connectors/define-connector.ts";
import { isSecretKey, isSecretName, separateSecrets } from "../../../functions/core/instances/secret-keys.ts";

const dropbox = connectorByKey("dropbox") as Connector;

describe("the name of a configuration value", () => {
  it.each([
    "access_token",
    "apiToken",
    "private_key",
    "passphrase",
    "Passwd",
    "OAUTH.USER.REFRESH_TOKEN",
    "password",
    "myPassword2",
    "db.pass",
    "DBPass",
    "userpass",
    "passcode",
    "ftp-pwd",
    "client_secret",
    "clientsecret",
    "SECRETKEY",
    "aws_secret_access_key",
    "oauth2token",
    "accesstoken",
    "id-tokens",
    "credentials",
    "serviceCredential",
    "request.signature",
    "apikey",
    "APIkey",
    "APIKey",
    "X-Api-Key",
    "API_KEY_2",
    "api.keys",
    "PrivateKey",
    "PRIVATEKEY",
    "rsa private key pem",
    "privateRsaKey",
    "private_ssh_key",
    "api_v2_key",
    "api.client.key",
    "secret_key_id",
    "token_url_token",
    "expired_password",
    "ｔｏｋｅｎ",
  ])("%s belongs to a secret", (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each([
    "public_key",
    "publicKey",
    "api.public.key",
    "key_id",
    "private_key_id",
    "apiKeyId",
    "APIKeyID",
    "token_endpoint",
    "tokenEndpoint",
    "token_url",
    "tokenURL",
    "accessTokenUri",
    "token.type",
    "token_expires_in",
    "passwordExpiry",
    "refresh_token_expires_at",
    "access-token-lifetime",
    "tokenization",
    "my.key",
    "key",
    "keyboard",
    "bypass",
    "compass.heading",
    "site.address",
    "oauth.callback.url",
    "oauth.scope",
    "monkey",
    "",
    "...",
  ])("%s does not belong to a secret", (name) => {
    expect(isSecretName(name)).toBe(false);
  });

  const secretWords = fc.constantFrom(
    ["password"],
    ["passphrase"],
    ["secret"],
    ["token"],
    ["credential"],
    ["signature"],
    ["api", "key"],
    ["private", "key"],
  );
  const plainWords = fc.array(fc.constantFrom("my", "app", "user", "main", "box"), { maxLength: 3 });
  const capitalized = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
  const spelling = fc.constantFrom<((words: readonly string[]) => string)[]>(
    (words) => words.join("."),
    (words) => words.join("_"),
    (words) => words.join("-"),
    (words) => words.join(" "),
    (words) => words.join("_").toUpperCase(),
    (words) => words.map(capitalized).join(""),
    (words) => words.map((word, index) => (index === 0 ? word : capitalized(word))).join(""),
    (words) => words.map(capitalized).join("."),
    (words) => words.join("1"),
    (words) => `${words.join("_")}2`,
  );

  it("belongs to a secret in every spelling, among other words", () => {
    fc.assert(
      fc.property(plainWords, secretWords, plainWords, spelling, (before, secret, after, spell) => {
        expect(isSecretName(spell([...before, ...secret, ...after]))).toBe(true);
      }),
    );
  });

  it("does not belong to a secret when no word says so, in every spelling", () => {
    fc.assert(
      fc.property(plainWords, spelling, (words, spell) => {
        expect(isSecretName(spell([...words, "public", "key", ...words]))).toBe(false);
      }),
    );
  });

  it("is classified at once, however long it is", () => {
    const began = performance.now();
    for (const piece of ["A", "aB", "token", "Aa", "_", "ﬃ"]) isSecretName(piece.repeat(20_000));
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe("a configuration value", () => {
  const declared: Connector = {
    ...dropbox,
    oauth2: { ...dropbox.oauth2, tokenUrl: "https://{token.host}.vendor.example/token" },
    configuration: [
      { key: "tenant.token", name: "Tenant", description: "no secret in spite of its name", required: true },
      { key: "pin", name: "PIN", description: "a secret in spite of its name", required: true, secret: true },
    ],
  };

  it("is secret or not as its connector declares, whatever the words in its name", () => {
    expect(isSecretKey(declared, "tenant.token")).toBe(false);
    expect(isSecretKey(declared, "pin")).toBe(true);
    expect(isSecretKey(declared, "oauth.api.key")).toBe(false);
    expect(isSecretKey(declared, "oauth.api.secret")).toBe(true);
    expect(isSecretKey(declared, "other.token")).toBe(true);
  });

  it("that is part of a vendor's URL is not secret", () => {
    expect(isSecretKey(declared, "token.host")).toBe(false);
    expect(isSecretKey(dropbox, "token.host")).toBe(true);
  });

  it("of an unknown connector is classified by the words in its name", () => {
    expect(separateSecrets(undefined, { pin: "1", access_token: "2" })).toEqual({
      plain: { pin: "1" },
      secret: { access_token: "2" },
    });
  });
});
