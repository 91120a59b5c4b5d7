import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Route } from "../../../functions/http/contract.ts";
import { routeTable } from "../../../functions/http/route-table.ts";

const route = (method: Route["method"], path: string): Route => ({
  method,
  path,
  name: `${method} ${path}`,
  summary: "A route of the tests",
  group: "Tests",
  auth: "none",
  answers: {},
  handle: async () => ({ status: 200 }),
});

const find = routeTable([
  route("GET", "/files"),
  route("POST", "/files"),
  route("GET", "/files/{id}"),
  route("DELETE", "/files/{id}"),
  route("GET", "/files/metadata"),
  route("GET", "/files/{id}/metadata"),
  route("ANY", "/proxy/{vendorPath+}"),
]);

describe("routeTable", () => {
  it("prefers a literal segment to a parameter, whatever the order of the table", () => {
    expect(find("GET", "/files/metadata").route.path).toBe("/files/metadata");
    expect(find("GET", "/files/42").route.path).toBe("/files/{id}");
  });

  it("answers 405 with the allowed methods of a known path", () => {
    expect(() => find("PATCH", "/files")).toThrowError(
      expect.objectContaining({ status: 405, headers: { Allow: "GET, HEAD, POST" } }),
    );
  });

  it("answers HEAD where it answers GET, except where GET changes something", () => {
    expect(find("HEAD", "/files/42").route).toMatchObject({ method: "GET", path: "/files/{id}" });
    expect(find("HEAD", "/proxy/a").route.method).toBe("ANY");
    const acting = routeTable([{ ...route("GET", "/callback"), head: false }, route("POST", "/files")]);
    for (const path of ["/callback", "/files"]) {
      expect(() => acting("HEAD", path)).toThrowError(
        expect.objectContaining({ status: 405, headers: { Allow: path === "/files" ? "POST" : "GET" } }),
      );
    }
  });

  it("answers 404 to a path that is not in the table", () => {
    expect(() => find("GET", "/nothing")).toThrowError(
      expect.objectContaining({ status: 404, code: "unknown_path" }),
    );
    expect(() => find("GET", "/files//metadata")).toThrowError(expect.objectContaining({ status: 404 }));
  });

  it("ignores a slash at the end, but not in a remainder", () => {
    expect(find("GET", "/files/").route.path).toBe("/files");
    expect(find("GET", "/proxy/a/b/").params).toEqual({ vendorPath: "a/b/" });
  });

  it("passes parameters on percent-encoded, as they came", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (name) => {
        const raw = encodeURIComponent(name);
        if (raw === "metadata") return;
        expect(find("GET", `/files/${raw}`).params).toEqual({ id: raw });
      }),
    );
  });
});
