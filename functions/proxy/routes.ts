import { MethodNotAllowed } from "../core/errors.ts";
import { implement, type Route } from "../http/contract.ts";
import type { HttpRequest } from "../http/request.ts";
import { proxyContracts } from "./contracts.ts";
import { forward, type ProxyCaller, type ProxyDeps, proxyCaller } from "./forward.ts";

/** Requests whose answer comes from the vendor. */
const answeredByVendor = new WeakSet<HttpRequest>();

/**
 * The methods that ANY means in API Gateway:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
 */
const METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** The one call of the proxy. `deps` are made at the first call, once per process. */
export function proxyRoutes(deps: () => ProxyDeps): readonly Route[] {
  const vendorPlace = async (request: HttpRequest): Promise<ProxyCaller> => {
    if (!METHODS.includes(request.method)) throw new MethodNotAllowed(request.method, METHODS);
    return await proxyCaller(request, deps());
  };
  return implement(
    proxyContracts,
    { vendorPlace },
    {
      proxy: async (request, { caller }) => {
        const response = await forward(request, caller, deps());
        answeredByVendor.add(request);
        return response;
      },
    },
  );
}

/**
 * Headers of every answer of this function. `Elements-Error-Source: linkspan` marks an answer from Linkspan,
 * because both Linkspan and the vendor may answer 401 or 404.
 */
export function proxyHeaders(request: HttpRequest): Record<string, string> {
  return answeredByVendor.has(request) ? {} : { "Elements-Error-Source": "linkspan" };
}
