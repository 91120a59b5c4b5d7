import type { APIGatewayProxyEvent } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { readRequest } from "../../../functions/http/read-request.ts";

const context = { awsRequestId: "aws", getRemainingTimeInMillis: () => 1000 };

function event(changes: Partial<APIGatewayProxyEvent>): APIGatewayProxyEvent {
  return {
    httpMethod: "GET",
    path: "/api-v2/files",
    body: null,
    isBase64Encoded: false,
    multiValueHeaders: {},
    multiValueQueryStringParameters: null,
    requestContext: {
      stage: "elements",
      requestId: "r-1",
      domainName: "abc.example.com",
      identity: { sourceIp: "192.0.2.1" },
    },
    ...changes,
  } as unknown as APIGatewayProxyEvent;
}

describe("readRequest", () => {
  it("removes the base path, with and without the stage before it", () => {
    expect(readRequest(event({}), context, []).path).toBe("/files");
    expect(readRequest(event({ path: "/elements/api-v2/files" }), context, []).path).toBe("/files");
    expect(readRequest(event({ path: "/api-v2/elements" }), context, []).path).toBe("/elements");
  });

  it("keeps the path percent-encoded", () => {
    expect(readRequest(event({ path: "/api-v2/files/a%2Fb" }), context, []).path).toBe("/files/a%2Fb");
  });

  it("returns an error for a bare percent sign instead of throwing", () => {
    const request = readRequest(event({ path: "/api-v2/files/100%" }), context, []);
    expect(request.invalid).toMatchObject({ status: 400, detail: { field: "path" } });
  });

  it("treats an empty query parameter as absent, and keeps repeated ones", () => {
    const request = readRequest(
      event({ multiValueQueryStringParameters: { scope: [""], "tags[]": ["a", "b"] } }),
      context,
      [],
    );
    expect([...request.query]).toEqual([
      ["tags[]", "a"],
      ["tags[]", "b"],
    ]);
  });

  it("reads a base64 body byte for byte", () => {
    const bytes = Buffer.from([0, 255, 128, 10]);
    const request = readRequest(
      event({ body: bytes.toString("base64"), isBase64Encoded: true }),
      context,
      [],
    );
    expect(request.body.equals(bytes)).toBe(true);
  });

  it("knows the address that the caller used", () => {
    expect(readRequest(event({}), context, []).baseUrl).toBe("https://abc.example.com/elements/api-v2");
    const local = readRequest(event({ multiValueHeaders: { "X-Forwarded-Proto": ["http"] } }), context, []);
    expect(local.baseUrl).toBe("http://abc.example.com/elements/api-v2");
  });
});
