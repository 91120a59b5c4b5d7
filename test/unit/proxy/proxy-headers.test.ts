import { describe, expect, it } from "vitest";
import { InvalidRequest } from "../../../functions/core/errors.ts";
import { headersForCaller, headersForVendor } from "../../../functions/proxy/proxy-headers.ts";

const TOKEN = `lsi_abc.${"s".repeat(43)}`;

describe("headers to the vendor", () => {
  it.each([
    "content-type",
    "accept",
    "accept-encoding",
    "content-encoding",
    "range",
    "if-match",
    "if-none-match",
    "user-agent",
    "dropbox-api-arg",
    "dropbox-api-select-user",
    "x-upload-content-type",
    "x-goog-api-client",
    "notion-version",
    "prefer",
    "referer",
    "origin",
    "idempotency-key",
  ])("are passed on: %s", (name) => {
    expect(headersForVendor({ [name]: "value" }, TOKEN)).toEqual([[name, "value"]]);
  });

  it.each([
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "proxy-authorization",
    "proxy-connection",
    "host",
    "content-length",
    "expect",
    "authorization",
    "cookie",
    "elements-rewrite-urls",
    "elements-as-team-member",
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-real-ip",
    "x-amzn-trace-id",
    "x-amzn-apigateway-api-id",
    "x-amz-cf-id",
    "cloudfront-viewer-country",
    "true-client-ip",
    "x-http-method-override",
  ])("are not passed on: %s", (name) => {
    expect(headersForVendor({ [name]: "value", accept: "*/*" }, TOKEN)).toEqual([["accept", "*/*"]]);
  });

  it("do not include those that the Connection header names", () => {
    const headers = { connection: "close, X-Hop", "x-hop": "1", "x-end": "2" };
    expect(headersForVendor(headers, TOKEN)).toEqual([["x-end", "2"]]);
  });

  it("never contain the instance token, wherever else the request has it", () => {
    const headers = { "x-api-key": TOKEN, "x-copy": `a ${TOKEN} b`, accept: "*/*" };
    expect(headersForVendor(headers, TOKEN)).toEqual([["accept", "*/*"]]);
  });

  it.each(["a\r\nX-Evil: 1", "a\nb", "a\0", "日本"])("are refused with the value %j", (value) => {
    expect(() => headersForVendor({ "x-a": value }, TOKEN)).toThrow(InvalidRequest);
  });
});

describe("headers to the caller", () => {
  it.each([
    "Content-Type",
    "Content-Length",
    "Content-Encoding",
    "ETag",
    "Retry-After",
    "X-RateLimit-Reset",
    "Dropbox-API-Result",
    "WWW-Authenticate",
    "Content-Range",
  ])("are passed on: %s", (name) => {
    expect(headersForCaller([[name, "value"]])).toMatchObject({ [name]: "value" });
  });

  it.each([
    "Connection",
    "Keep-Alive",
    "Transfer-Encoding",
    "Set-Cookie",
    "Elements-Error-Source",
    "Elements-Request-Id",
    "x-amzn-RequestId",
    "Access-Control-Allow-Origin",
    "Alt-Svc",
    "Strict-Transport-Security",
    "Clear-Site-Data",
    "Content-Security-Policy-Report-Only",
    "NEL",
    "CDN-Cache-Control",
    "Cloudflare-CDN-Cache-Control",
    "Surrogate-Control",
    "X-Accel-Redirect",
  ])("are not passed on: %s", (name) => {
    expect(Object.keys(headersForCaller([[name, "value"]]))).not.toContain(name);
  });

  it("are joined when they repeat, without those that Connection names", () => {
    const headers = headersForCaller([
      ["Link", "<a>"],
      ["link", "<b>"],
      ["Connection", "x-hop"],
      ["X-Hop", "1"],
    ]);
    expect(headers).toEqual({
      Link: "<a>, <b>",
      "X-Content-Type-Options": "nosniff",
      "Content-Security-Policy": "sandbox",
    });
  });
});
