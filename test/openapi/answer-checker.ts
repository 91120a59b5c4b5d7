import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { LinkspanError } from "../../functions/core/errors.ts";
import type { Method } from "../../functions/http/contract.ts";
import { routeTable } from "../../functions/http/route-table.ts";
import type { SeenAnswer } from "../../local/api-gateway/seen-answers.ts";

type Json = { readonly [name: string]: Json } & { readonly $ref?: string };

const document = JSON.parse(
  readFileSync(new URL("../../docs/openapi.json", import.meta.url), "utf8"),
) as Json;

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addFormat("date-time", (text) => !Number.isNaN(Date.parse(text)));
ajv.addSchema(document, "openapi");

const validators = new Map<string, ValidateFunction>();

/** What is wrong with a value, by the schema at a pointer of the document. */
export function problemsOf(pointer: readonly string[], value: unknown): string[] {
  const path = pointer.map((each) => each.replaceAll("~", "~0").replaceAll("/", "~1")).join("/");
  const ref = `openapi#/${path.split("/").map(encodeURIComponent).join("/")}`;
  const validate = validators.get(ref) ?? ajv.compile({ $ref: ref });
  validators.set(ref, validate);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || "it"} ${message}`);
}

const BASE = "/elements/api-v2";
const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];

const find = routeTable(
  Object.entries(document.paths as Json).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((method) => METHODS.includes(method))
      .map((method) => ({
        method: method.toUpperCase() as Method,
        path: path.replace("{vendorPath}", "{vendorPath+}"),
        name: path,
        summary: "",
        group: "",
        auth: "none" as const,
        answers: {},
        handle: async () => ({ status: 200 }),
      })),
  ),
);

/** What in an answer of the API is not in the API's description. */
export function undocumented({ method, url, status, headers, body }: SeenAnswer): string[] {
  // Only answers of the API are described; an answer to HEAD has no body.
  if (!url.startsWith(BASE) || method === "HEAD" || method === "OPTIONS") return [];
  const [path = ""] = url.slice(BASE.length).split("?");
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (path.startsWith("/proxy/") && headers["elements-error-source"] === undefined) return [];
  let value: unknown;
  try {
    // API Gateway sets the type JSON also for an answer without a body.
    value = body === undefined || body.length === 0 ? undefined : JSON.parse(body.toString("utf8"));
  } catch {
    return ["it is no JSON"];
  }
  const place = status === 307 ? undefined : placeOf(method, path.replace(/\/{2,}/g, "/"));
  if (place === undefined) {
    // An unknown path of the API must be refused, and one with double slashes may be redirected.
    return status >= 400 || status === 307
      ? problemsOf(["components", "schemas", "Error"], value)
      : ["it is not in the document"];
  }
  const responses = place.operation.responses as Json;
  const key = [String(status), `${String(status)[0]}XX`].find((each) => responses[each] !== undefined);
  if (key === undefined) return [`status ${status} is not in the document`];
  const { $ref } = responses[key] as Json;
  const pointer = $ref === undefined ? [...place.pointer, "responses", key] : $ref.slice(2).split("/");
  const content = (pointer.reduce((at, name) => at[name] as Json, document).content ?? {}) as Json;
  if (content[type] === undefined) {
    if (content["*/*"] !== undefined || (type === "" && Object.keys(content).length === 0)) return [];
    if (Object.keys(content).length === 0 && (body === undefined || body.length === 0)) return [];
    return [`${type} under ${status} is not in the document`];
  }
  if (value === undefined || content[type].schema === undefined) return [];
  return problemsOf([...pointer, "content", type, "schema"], value);
}

function placeOf(method: string, path: string): { operation: Json; pointer: string[] } | undefined {
  try {
    const { route } = find(method, path === "" ? "/" : path);
    const pointer = ["paths", route.name, route.method.toLowerCase()];
    return { operation: pointer.reduce((at, name) => at[name] as Json, document), pointer };
  } catch (error) {
    if (error instanceof LinkspanError) return undefined;
    throw error;
  }
}
