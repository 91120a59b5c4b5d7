import { describe, expect, it } from "vitest";
import { credentialHeader, withCredential } from "../../../functions/core/endpoint/credential.ts";

const url = "https://api.vendor.example/things?a=1&access%5Ftoken=mine&b=%2F";
const headers = [
  ["authorization", "Bearer mine"],
  ["X-Key", "mine"],
  ["Accept", "*/*"],
] as const;

describe("a vendor's credential", () => {
  it("is put into a header, with or without a scheme, in place of the caller's", () => {
    const bearer = { in: "header", name: "Authorization", scheme: "Bearer" } as const;
    expect(withCredential(bearer, "token", { url, headers })).toEqual({
      url,
      headers: [["Authorization", "Bearer token"], headers[1], headers[2]],
    });
    const bare = { in: "header", name: "X-Key" } as const;
    expect(withCredential(bare, "token", { url, headers }).headers).toEqual([
      ["X-Key", "token"],
      headers[0],
      headers[2],
    ]);
    expect([credentialHeader(bearer), credentialHeader(bare)]).toEqual(["authorization", "x-key"]);
  });

  it("is put into the query, in place of the caller's, and the other pairs keep their bytes", () => {
    const query = { in: "query", name: "access_token" } as const;
    expect(withCredential(query, "a b&c", { url, headers })).toEqual({
      url: "https://api.vendor.example/things?a=1&b=%2F&access_token=a%20b%26c",
      headers,
    });
    const plain = withCredential(query, "t", { url: "https://api.vendor.example/", headers });
    expect(plain.url).toBe("https://api.vendor.example/?access_token=t");
    const twice = withCredential(query, "t", { url: "https://api.vendor.example/?q=a?b", headers });
    expect(twice.url).toBe("https://api.vendor.example/?q=a?b&access_token=t");
    expect(credentialHeader(query)).toBeUndefined();
  });

  it.each([
    ["user", "dG9rZW46"],
    ["password", "OnRva2Vu"],
  ] as const)("is put into Basic as the %s", (token, pair) => {
    const basic = { in: "basic", token } as const;
    expect(withCredential(basic, "token", { url, headers }).headers).toEqual([
      ["Authorization", `Basic ${pair}`],
      headers[1],
      headers[2],
    ]);
    expect(credentialHeader(basic)).toBe("authorization");
  });
});
