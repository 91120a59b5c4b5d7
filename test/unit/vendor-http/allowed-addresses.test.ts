import type { lookup } from "node:dns";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressRefused } from "../../../functions/core/vendor-http.ts";
import {
  checkHostname,
  isAllowedAddress,
  publicLookup,
} from "../../../functions/vendor-http/allowed-addresses.ts";
import { splitUrl, vendorEndpoint } from "../../../functions/vendor-http/vendor-endpoints.ts";

describe("addresses of vendors", () => {
  it.each([
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.100.1",
    "192.0.0.170",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:8.8.8.8",
    "::ffff:169.254.169.254",
    "::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "100::1",
    "not an address",
    "",
  ])("may not be %s", (address) => {
    expect(isAllowedAddress(address)).toBe(false);
  });

  it.each([
    "8.8.8.8",
    "172.15.255.255",
    "172.32.0.1",
    "100.63.255.255",
    "162.125.1.1",
    "2607:f8b0::1",
    "2620:100::1",
  ])("may be %s", (address) => {
    expect(isAllowedAddress(address)).toBe(true);
  });

  it.each([
    "127.0.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "1.2.3.4.5",
    "a.123",
  ])("are not accepted in the form of the host name %s", (hostname) => {
    expect(() => checkHostname(hostname)).toThrow(AddressRefused);
  });

  it.each(["api.dropboxapi.com", "8.8.8.8", "[2607:f8b0::1]", "1and1.example", "x1.com"])(
    "are not checked in %s, which is a name or a public address",
    (hostname) => {
      expect(() => checkHostname(hostname)).not.toThrow();
    },
  );

  it("reach the socket only when they are public; a name without public addresses is refused", async () => {
    const resolvesTo = (...addresses: string[]): typeof lookup =>
      ((_name: string, _options: unknown, callback: (error: null, found: unknown) => void) =>
        callback(
          null,
          addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
        )) as never;
    const ask = (resolve: typeof lookup, all: boolean): Promise<unknown> =>
      new Promise((done, fail) =>
        publicLookup(resolve)("vendor.example", { all }, (error, found) =>
          error ? fail(error) : done(found),
        ),
      );
    expect(await ask(resolvesTo("10.0.0.1", "8.8.8.8"), true)).toEqual([{ address: "8.8.8.8", family: 4 }]);
    expect(await ask(resolvesTo("::1", "8.8.4.4"), false)).toBe("8.8.4.4");
    await expect(ask(resolvesTo("169.254.169.254"), true)).rejects.toThrow(AddressRefused);
    await expect(ask(resolvesTo(), false)).rejects.toThrow(AddressRefused);
  });
});

describe("a vendor URL", () => {
  it("keeps path and query byte for byte", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-"$-~]*$/), (rest) => {
        expect(splitUrl(`https://api.example.com/${rest}`).target).toBe(`/${rest}`);
      }),
    );
  });

  it.each([
    "https://user@api.example.com/",
    "https://api.example.com\\@evil.example/",
    "https://api.example.com/a#b",
    "https://api.example.com/a b",
    "https://api.example.com/ä",
    "https://api.example.com/a\r\nX: y",
    "ftp://api.example.com/",
    "//api.example.com/",
    "https:///a",
    "https://-a.example/",
    "https://a.example:123456/",
    "",
  ])("is refused when it is %j", (url) => {
    expect(() => splitUrl(url)).toThrow(AddressRefused);
  });

  it("goes to the stand-in of exactly its host, with path and Host kept", () => {
    process.env.LINKSPAN_VENDOR_ENDPOINTS = '{"api.vendor.example":"http://127.0.0.1:9000/"}';
    try {
      expect(vendorEndpoint("https://API.vendor.example/2/../a%2Fb?x=%20")).toEqual({
        url: "http://127.0.0.1:9000/2/../a%2Fb?x=%20",
        hostHeader: "api.vendor.example",
        overridden: true,
      });
      for (const host of [
        "xapi.vendor.example",
        "vendor.example",
        "api.vendor.example.evil",
        "api.vendor.example:8443",
      ]) {
        expect(vendorEndpoint(`https://${host}/a`)).toEqual({
          url: `https://${host}/a`,
          hostHeader: host,
          overridden: false,
        });
      }
    } finally {
      delete process.env.LINKSPAN_VENDOR_ENDPOINTS;
    }
  });

  it.each(["[]", "nonsense", '{"a":"ftp://x"}', '{"a":"http://x/path"}', '{"a":1}'])(
    "is refused while the stand-in table is %s",
    (table) => {
      process.env.LINKSPAN_VENDOR_ENDPOINTS = table;
      try {
        expect(() => vendorEndpoint("https://a/")).toThrow(/LINKSPAN_VENDOR_ENDPOINTS/);
      } finally {
        delete process.env.LINKSPAN_VENDOR_ENDPOINTS;
      }
    },
  );
});
