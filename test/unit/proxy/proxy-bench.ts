import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { connectorByKey } from "../../../functions/connectors/catalogue.ts";
import type { Connector, VendorApi } from "../../../functions/connectors/define-connector.ts";
import type { GrantDeps } from "../../../functions/core/grant/grant-deps.ts";
import { sealGrant } from "../../../functions/core/grant/store/sealed-grant.ts";
import { timing } from "../../../functions/core/grant/timing.ts";
import type { Instance } from "../../../functions/core/instances/instance.ts";
import { newInstanceId, newInstanceToken } from "../../../functions/core/instances/instance-token.ts";
import { hashSecret } from "../../../functions/core/secret-hash.ts";
import type { TenantStore } from "../../../functions/core/tenants/ports.ts";
import { answerError } from "../../../functions/http/answer-errors.ts";
import type { HttpRequest, HttpResponse } from "../../../functions/http/request.ts";
import { proxyHeaders, proxyRoutes } from "../../../functions/proxy/routes.ts";
import { createVendorHttp } from "../../../functions/vendor-http/vendor-http.ts";
import { testOrganization, testVault } from "../documents/test-vault.ts";
import { perform } from "../http/perform.ts";

/** One request as the vendor received it. */
export interface Seen {
  readonly host: string;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export type Answering = (seen: Seen, answer: ServerResponse) => void;

export interface ProxyBench {
  readonly token: string;
  readonly instance: Instance;
  readonly userSecret: string;
  readonly seen: Seen[];
  /** Sets the vendor's answers from now on. */
  answer(answering: Answering): void;
  /** Changes the instance, as another process would do. */
  change(changes: Partial<Instance>): void;
  /** Stores another grant, as another process would do. */
  replaceGrant(accessToken: string): Promise<void>;
  call(request: Partial<HttpRequest> & { query?: URLSearchParams }): Promise<HttpResponse>;
  close(): void;
}

export const ACCESS_TOKEN = "vendor-access-token";

/** The proxy with a real vault, real HTTP to a server of the test, and a store with one instance. */
export async function proxyBench(connector: string, api: Partial<VendorApi> = {}): Promise<ProxyBench> {
  const found = connectorByKey(connector);
  if (found === undefined) throw new Error(`there is no connector ${connector}`);
  const changed: Connector = { ...found, api: { ...found.api, ...api } };
  const seen: Seen[] = [];
  let answering: Answering = (_, answer) => answer.end();
  const server = createServer(async (incoming, answer) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = "", url = "", headers } = incoming;
    const request = {
      host: headers.host ?? "",
      method,
      url,
      headers,
      body: Buffer.concat(chunks).toString(),
    };
    seen.push(request);
    answering(request, answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  process.env.LINKSPAN_VENDOR_ENDPOINTS = JSON.stringify(
    Object.fromEntries(
      [changed.api.origin, ...Object.values(changed.api.hosts ?? {})].map((origin) => [
        new URL(origin).host,
        `http://127.0.0.1:${port}`,
      ]),
    ),
  );

  const vault = testVault();
  const id = newInstanceId();
  const { token, hash } = newInstanceToken(id);
  const at = Date.now();
  const sealed = (version: number, accessToken: string) =>
    sealGrant(vault, { id, organizationId: "acme" }, version, {
      accessToken,
      tokenType: "bearer",
      refreshToken: "vendor-refresh-token",
      // So recently that a vendor's 401 causes no refresh, but long enough ago that the call is not repeated.
      obtainedAt: at - 30_000,
      obtainedBy: "refresh",
      client: { kind: "own", id: "client", secret: "secret" },
    });
  let instance: Instance = {
    id,
    organizationId: "acme",
    userId: "ada",
    connector,
    name: "Ada's",
    tags: [],
    createdAt: at,
    updatedAt: at,
    configuration: {},
    secretConfigurationKeys: [],
    tokenHashes: [{ hash }],
    fence: 1,
    version: 1,
    epoch: "1",
    grant: await sealed(1, ACCESS_TOKEN),
    enabled: true,
    lastUsedAt: at,
    refreshGroup: "group",
  };
  const instances: Pick<GrantDeps["instances"], "get"> = {
    get: async (wanted) => ({
      value: wanted === id ? instance : undefined,
      reading: { dateMs: at, monotonicMs: performance.now() },
    }),
  };
  const userSecret = "lsu_the-users";
  const tenants: Pick<TenantStore, "organization" | "bySecret"> = {
    organization: async (wanted) => (wanted === "acme" ? testOrganization(wanted) : undefined),
    bySecret: async (secret) =>
      hashSecret(secret) === hashSecret(userSecret) ? { organizationId: "acme", userId: "ada" } : undefined,
  };
  const grants: Pick<GrantDeps, "instances" | "vault" | "http" | "connectors" | "monotonic" | "timing"> = {
    instances: instances as GrantDeps["instances"],
    vault,
    http: createVendorHttp(),
    connectors: (key) => (key === connector ? changed : undefined),
    monotonic: () => performance.now(),
    timing,
  };
  // Dependencies that the proxy does not use are missing, so using one would fail.
  const routes = proxyRoutes(() => ({ tenants: tenants as TenantStore, grants: grants as GrantDeps }));

  return {
    token,
    userSecret,
    seen,
    get instance() {
      return instance;
    },
    answer(next) {
      answering = next;
    },
    change(changes) {
      instance = { ...instance, ...changes };
    },
    async replaceGrant(accessToken) {
      const version = instance.version + 1;
      instance = { ...instance, version, fence: version, grant: await sealed(version, accessToken) };
    },
    async call(given) {
      const request: HttpRequest = {
        method: "GET",
        path: "/proxy/",
        params: {},
        query: new URLSearchParams(),
        headers: {},
        body: Buffer.alloc(0),
        requestId: "request-1",
        sourceIp: "192.0.2.1",
        baseUrl: "https://linkspan.example/elements/api-v2",
        remainingMs: () => 600_000,
        afterAnswer: () => {},
        logContext: {},
        ...given,
      };
      // As http-function.ts does.
      let response: HttpResponse;
      try {
        response = await perform(routes, request);
      } catch (error) {
        response = answerError(error, request);
      }
      return { ...response, headers: { ...proxyHeaders(request), ...response.headers } };
    },
    close() {
      delete process.env.LINKSPAN_VENDOR_ENDPOINTS;
      server.closeAllConnections();
      server.close();
    },
  };
}

export async function bodyOf(response: HttpResponse): Promise<string> {
  if (!(response.body instanceof Readable)) return String(response.body ?? "");
  const chunks: Buffer[] = [];
  for await (const chunk of response.body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
