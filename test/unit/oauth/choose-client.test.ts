import { describe, expect, it } from "vitest";
import { type ChosenClient, chooseRedirectUri } from "../../../functions/core/oauth/choose-client.ts";

const registered: ChosenClient = {
  kind: "registered",
  clientId: "id",
  app: {
    id: "app",
    organizationId: "org",
    connector: "dropbox",
    clientId: "id",
    clientSecret: new Uint8Array(),
    callbackUrls: ["https://app.example/callback", "https://app.example/second"],
    createdAt: 0,
  },
};
const own: ChosenClient = { kind: "own", clientId: "id" };
const choose = (client: ChosenClient, asked: string | undefined) =>
  chooseRedirectUri(client, asked, "callbackUrl");

describe("the redirect URI of an authorization", () => {
  it.each([
    "https://app.example/callback/",
    "https://app.example/callback?x=1",
    "https://app.example/callback/../callback",
    "https://APP.example/callback",
    "https://app.example:443/callback",
    "https://app.example/%63allback",
    "https://app.example.evil.example/callback",
    "http://app.example/callback",
  ])("must be one of the registered app's, compared exactly: not %s", (asked) => {
    expect(() => choose(registered, asked)).toThrow(
      expect.objectContaining({ status: 400, code: "redirect_uri_mismatch" }),
    );
  });

  it("is the registered app's first one by default, and may be any other of the app's", () => {
    expect(choose(registered, undefined)).toBe("https://app.example/callback");
    expect(choose(registered, "https://app.example/second")).toBe("https://app.example/second");
  });

  it.each(["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "blob:https://a.example/1"])(
    "must not run or read something in a browser: not %s",
    (asked) => {
      expect(() => choose(own, asked)).toThrow(expect.objectContaining({ status: 400 }));
    },
  );

  it("may have the app's own scheme, which the vendor checks", () => {
    expect(choose(own, "com.example.app:/callback")).toBe("com.example.app:/callback");
  });
});
