import { describe, expect, it } from "vitest";
import dropbox from "../../../functions/connectors/vendors/dropbox.ts";
import googledrive from "../../../functions/connectors/vendors/googledrive.ts";
import { Unauthorized } from "../../../functions/core/errors.ts";
import {
  findInstanceToken,
  isCredentialPlace,
  type TokenPlace,
} from "../../../functions/proxy/credential-place.ts";

const TOKEN = `lsi_1z.${"A".repeat(42)}-`;
const OTHER = `lsi_1z.${"B".repeat(43)}`;
const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

const ownKey = {
  ...dropbox.api,
  credential: { in: "header", name: "X-Shop-Token" },
} as const;

describe("the instance token of a proxy call", () => {
  it.each([
    ["Bearer", { authorization: `Bearer ${TOKEN}` }],
    ["bearer in lower case", { authorization: `bearer ${TOKEN}` }],
    ["the token scheme", { authorization: `token ${TOKEN}` }],
    ["Element alone", { authorization: `Element ${TOKEN}` }],
    ["the password of Basic", { authorization: basic(`anyone:${TOKEN}`) }],
    ["the three-part header", { authorization: `User a+/=, Organization b, Element ${TOKEN}` }],
    ["the three-part header in another order", { authorization: `element ${TOKEN},User a` }],
  ])("is taken from %s", (_, headers) => {
    const found = findInstanceToken({ headers, query: [] });
    expect(found.token).toBe(TOKEN);
    expect(found.places.map((place) => isCredentialPlace(dropbox.api, place))).toEqual([true]);
  });

  it("is taken from the header of the connector's own name, and only for that connector", () => {
    const found = findInstanceToken({
      headers: { "x-shop-token": TOKEN, authorization: "Bearer other" },
      query: [],
    });
    const place = { in: "header", name: "x-shop-token", scheme: undefined } as const;
    expect(found).toEqual({ token: TOKEN, places: [place] });
    expect(isCredentialPlace(ownKey, place)).toBe(true);
    expect(isCredentialPlace(dropbox.api, place)).toBe(false);
  });

  it("is taken from the query parameter that the vendor uses, and only there", () => {
    const placeOf = (name: string) => findInstanceToken({ headers: {}, query: [[name, TOKEN]] }).places[0];
    const place = placeOf("access_token") as TokenPlace;
    expect(isCredentialPlace(googledrive.api, place)).toBe(true);
    expect(isCredentialPlace(dropbox.api, place)).toBe(false);
    expect(isCredentialPlace(googledrive.api, placeOf("key") as TokenPlace)).toBe(false);
  });

  it("is missing when there is no token, or an invalid one", () => {
    for (const authorization of [
      "",
      "Bearer",
      `Bearer ${TOKEN}x`,
      "Bearer ya29.secret",
      basic("a:b"),
      "User a, Organization b",
      `Bearer ${TOKEN.toUpperCase()}`,
    ]) {
      expect(() => findInstanceToken({ headers: { authorization }, query: [] })).toThrow(Unauthorized);
    }
  });

  it("may occur twice, but not as two different tokens", () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const found = findInstanceToken({ headers, query: [["access_token", TOKEN]] });
    expect([found.token, found.places.map((place) => place.in)]).toEqual([TOKEN, ["header", "query"]]);
    expect(() => findInstanceToken({ headers, query: [["access_token", OTHER]] })).toThrow(Unauthorized);
  });
});
