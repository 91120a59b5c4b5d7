import { toJsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";
import { type ErrorCode, errorCodes } from "../../functions/core/error-codes.ts";
import { type Answer, type Auth, type Contract, commonErrors } from "../../functions/http/contract.ts";
import type { Parameters } from "../../functions/http/parameter.ts";
import { allContracts } from "./all-contracts.ts";

type Json = Record<string, unknown>;

const ANY = ["get", "post", "put", "patch", "delete", "head", "options"];

const bearer = { bearer: [] };
const threePart = { threePart: [] };
/** The security schemes that a call takes; an empty scheme means that no credentials are needed. */
const security: Readonly<Record<Auth, readonly Json[]>> = {
  none: [],
  browser: [],
  user: [bearer, threePart],
  userAndOrganization: [threePart],
  optionalUser: [{}, bearer, threePart],
  instance: [bearer, threePart],
  instanceOfUser: [bearer, threePart],
  newestTokenOrUser: [bearer, threePart],
  userOfInstance: [bearer, threePart],
  userOrInstance: [bearer, threePart],
  vendorPlace: [bearer, threePart],
};

/** The credentials of a call in words, for people. */
export const credentials: Readonly<Record<Auth, string>> = {
  none: "none",
  browser: "the cookie of a connect session",
  user: "the user's secrets",
  userAndOrganization: "the user's and the organization's secrets",
  optionalUser: "none, or the user's secrets",
  instance: "the instance token",
  instanceOfUser: "the user's secrets, or the instance token",
  newestTokenOrUser: "the user's secrets, or the newest instance token",
  userOfInstance: "the user's secrets; not from browser pages",
  userOrInstance: "the user's secrets, or an instance token for its own instance",
  vendorPlace: "the instance token, at any place where the vendor takes its own credential",
};

/** The OpenAPI 3.1 document of all calls (https://spec.openapis.org/oas/v3.1.1.html). */
export function openApiDocument(): Json {
  const schemas: Json = { Error: ERROR };
  const responses = new Map<string, Json>();
  const paths: Record<string, Json> = {};
  for (const [name, contract] of allContracts()) {
    const methods = contract.method === "ANY" ? ANY : [contract.method.toLowerCase()];
    for (const [position, path] of contract.paths.entries()) {
      const template = path.replace("+}", "}");
      const operations = Object.fromEntries(
        methods.map((method) => {
          const id = [name, ...(methods.length > 1 ? [method] : []), ...(position > 0 ? [position + 1] : [])];
          return [method, operation(id.join("."), template, contract, schemas, responses)];
        }),
      );
      paths[template] = { ...paths[template], ...operations };
    }
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Linkspan",
      version: "2",
      summary: "Users' accounts at other vendors behind one API",
      description:
        "A call that answers GET also answers HEAD, except the calls for links. Empty query parameters, and null and empty texts in a body, count as absent; unknown parameters and fields are ignored. Double slashes in a path count as one; where another function has the path, the answer is a redirect (308, `double_slashes`).",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/elements/api-v2" }],
    tags: [...new Set(allContracts().map(([, { group }]) => group))].map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).sort(([one], [other]) => (one < other ? -1 : 1))),
      responses: Object.fromEntries([...responses.values()].map((each, at) => [`Errors${at + 1}`, each])),
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "`Bearer <user secret>` or `Bearer <instance token>`",
        },
        threePart: {
          type: "apiKey",
          in: "header",
          name: "Authorization",
          description: "`User <user secret>, Organization <organization secret>[, Element <instance token>]`",
        },
      },
    },
  };
}

const ERROR: Json = {
  title: "Error",
  type: "object",
  properties: {
    requestId: { type: "string" },
    message: { type: "string" },
    code: { type: "string", description: "Stable: clients may rely on it" },
    detail: {
      type: "object",
      properties: {
        field: { type: "string", description: "The invalid field or parameter of the request" },
        vendor: { description: "The vendor's own words, without secrets" },
      },
    },
    providerMessage: { type: "string", description: "Of a vendor's error: its words as one text" },
  },
  required: ["requestId", "message", "code"],
};

function operation(
  operationId: string,
  path: string,
  contract: Contract,
  schemas: Json,
  responses: Map<string, Json>,
): Json {
  const { summary, description, group, auth, query, body, answers, deprecated } = contract;
  const words = [description, `Credentials: ${credentials[auth]}.`].filter((each) => each !== undefined);
  const parameters = [...pathParameters(path), ...queryParameters(query)];
  return {
    operationId,
    summary,
    description: words.join("\n\n"),
    tags: [group],
    security: security[auth],
    ...(deprecated === true ? { deprecated } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: requestBody(body, schemas) }),
    responses: {
      ...Object.fromEntries(
        Object.entries<Answer>(answers).map(([status, answer]) => [status, response(answer, schemas)]),
      ),
      ...(auth === "browser" ? ERROR_PAGES : errorResponses(contract.errors ?? [], responses)),
    },
  };
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function queryParameters(query: Parameters = {}): Json[] {
  return Object.entries(query).map(([name, { description, schema, writtenAs = name }]) => ({
    name: writtenAs,
    in: "query",
    description,
    schema,
    ...(schema.type === "array" ? { style: "form", explode: writtenAs.endsWith("[]") } : {}),
  }));
}

function requestBody(body: NonNullable<Contract["body"]>, schemas: Json): Json {
  if ("mediaTypes" in body) {
    const content = Object.fromEntries(body.mediaTypes.map((type) => [type, {}]));
    return { description: body.description, content };
  }
  const example = body.example === undefined ? {} : { example: body.example };
  return {
    content: { "application/json": { schema: schemaOf(body.json, schemas), ...example } },
  };
}

function response({ description, json, mediaTypes = [], headers, example }: Answer, schemas: Json): Json {
  const content = {
    ...Object.fromEntries(mediaTypes.map((type) => [type, {}])),
    ...(json === undefined
      ? {}
      : {
          "application/json": {
            schema: schemaOf(json, schemas),
            ...(example === undefined ? {} : { example }),
          },
        }),
  };
  return {
    description,
    ...(headers === undefined
      ? {}
      : {
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, words]) => [
              name,
              { description: words, schema: { type: "string" } },
            ]),
          ),
        }),
    ...(Object.keys(content).length === 0 ? {} : { content }),
  };
}

/** Errors of calls for browsers: the function answers an HTML page, API Gateway answers JSON. */
const ERROR_PAGES = Object.fromEntries(
  ["4XX", "5XX"].map((status) => [
    status,
    {
      description: "A page that describes the error",
      content: {
        "text/html": {},
        "application/json": { schema: { $ref: "#/components/schemas/Error" } },
      },
    },
  ]),
);

/** Error codes by status; a set of codes that several calls share is a component. */
function errorResponses(own: readonly ErrorCode[], responses: Map<string, Json>): Json {
  const byStatus = new Map<string, ErrorCode[]>();
  for (const code of new Set([...own, ...commonErrors])) {
    for (const status of errorCodes[code].status) {
      const key = String(status).toUpperCase();
      byStatus.set(key, [...(byStatus.get(key) ?? []), code]);
    }
  }
  return Object.fromEntries(
    [...byStatus].sort().map(([status, codes]) => {
      const names = codes.toSorted();
      const key = `${status} ${names.join(" ")}`;
      if (!responses.has(key)) {
        const known = { type: "object", properties: { code: { enum: names } } };
        const schema = { allOf: [{ $ref: "#/components/schemas/Error" }, known] };
        responses.set(key, {
          description: names.map((code) => `\`${code}\`: ${errorCodes[code].meaning}`).join("\n\n"),
          content: { "application/json": { schema } },
        });
      }
      const at = [...responses.keys()].indexOf(key) + 1;
      return [status, { $ref: `#/components/responses/Errors${at}` }];
    }),
  );
}

/** A schema as JSON Schema; schemas with a title become components. */
function schemaOf(schema: GenericSchema, schemas: Json): Json {
  const { $schema: _, ...converted } = toJsonSchema(schema, {
    // Uses the last schema of a pipe, which has most details: the first schema may only exclude arrays.
    typeMode: "output",
    errorMode: "ignore",
    target: "draft-2020-12",
  });
  return hoisted(converted, schemas) as Json;
}

function hoisted(value: unknown, schemas: Json): unknown {
  if (Array.isArray(value)) return value.map((each) => hoisted(each, schemas));
  if (typeof value !== "object" || value === null) return value;
  const shown = Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, hoisted(each, schemas)]),
  );
  if (typeof shown.title !== "string" || shown.type === undefined) return shown;
  schemas[shown.title] = shown;
  return { $ref: `#/components/schemas/${shown.title}` };
}
