import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { allContracts } from "../../bin/openapi/all-contracts.ts";
import { apiPage } from "../../bin/openapi/api-page.ts";
import { openApiDocument } from "../../bin/openapi/document.ts";
import { errorCodes } from "../../functions/core/error-codes.ts";
import { problemsOf, undocumented } from "./answer-checker.ts";

const read = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
const document = openApiDocument() as { paths: Record<string, Record<string, Operation>> };
interface Operation {
  readonly operationId: string;
  readonly security: unknown;
  readonly requestBody?: { readonly content: Record<string, { readonly example?: unknown }> };
  readonly responses: Record<string, { readonly content?: Record<string, { readonly example?: unknown }> }>;
}
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

describe("the OpenAPI document", () => {
  it("is valid, by the published schema of OpenAPI 3.1", async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
  });

  it("is the same in docs/ as the contracts generate it, and so is the page of all calls", () => {
    expect(JSON.parse(read("openapi.json"))).toEqual(document);
    expect(read("api.md")).toBe(apiPage());
  });

  it("names each operation once", () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(100);
  });

  it("has examples that match its own schemas", () => {
    let examples = 0;
    for (const { path, method, operation } of operations) {
      const at = ["paths", path, method];
      const bodies = [
        ...Object.entries(operation.requestBody?.content ?? {}).map(
          ([type, { example }]) => [[...at, "requestBody", "content", type, "schema"], example] as const,
        ),
        ...Object.entries(operation.responses).flatMap(([status, { content = {} }]) =>
          Object.entries(content).map(
            ([type, { example }]) =>
              [[...at, "responses", status, "content", type, "schema"], example] as const,
          ),
        ),
      ];
      for (const [pointer, example] of bodies.filter(([, value]) => value !== undefined)) {
        expect([pointer.join("/"), problemsOf(pointer, example)]).toEqual([pointer.join("/"), []]);
        examples += 1;
      }
    }
    expect(examples).toBeGreaterThan(80);
  });

  it("uses every error code, except those of the operator's commands", () => {
    const used = new Set(allContracts().flatMap(([, { errors = [] }]) => errors));
    const elsewhere = Object.keys(errorCodes).filter((code) => !used.has(code as never));
    const OF_OPERATORS = ["being_deleted", "seal_broken", "too_many_versions"];
    const OF_PAGES = ["invalid_response", "session_over"];
    const OF_ALL = [
      "double_slashes",
      "internal_error",
      "invalid_request",
      "method_not_allowed",
      "payload_too_large",
      "refused_by_firewall",
      "tenant_limit_reached",
      "too_many_requests",
      "unavailable",
      "unknown_path",
    ];
    expect(elsewhere.toSorted()).toEqual([...OF_OPERATORS, ...OF_PAGES, ...OF_ALL].toSorted());
  });
});

describe("the check of every answer", () => {
  const answer = (status: number, body: unknown) => ({
    method: "GET",
    url: "/elements/api-v2/instances/1/status",
    status,
    headers: { "content-type": "application/json" },
    body: Buffer.from(JSON.stringify(body)),
  });

  it("accepts what the document describes", () => {
    const error = { requestId: "r", message: "m", code: "unknown_instance" };
    expect(undocumented(answer(404, error))).toEqual([]);
  });

  it.each<[string, number, unknown]>([
    ["a status", 418, { requestId: "r", message: "m", code: "unknown_instance" }],
    ["a code", 404, { requestId: "r", message: "m", code: "no_match" }],
    ["an error without its requestId", 404, { message: "m", code: "unknown_instance" }],
    ["a member of another type", 200, { valid: "yes" }],
  ])("finds %s that the document does not describe", (_, status, body) => {
    expect(undocumented(answer(status, body))).not.toEqual([]);
  });
});
