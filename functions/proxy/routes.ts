import { MethodNotAllowed } from "../core/errors.ts";
import { corsHeaders } from "../http/cors.ts";
import type { HttpRequest, HttpResponse } from "../http/request.ts";
import type { Route } from "../http/route-table.ts";
import { forward, type ProxyDeps } from "./forward.ts";

/** Requests whose answer is the vendor's. */
const answeredByVendor = new WeakSet<HttpRequest>();

/** Those that API Gateway's ANY stands for: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html */
const METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** The one call of the proxy. `deps` are made at the first call, once per process. */
export function proxyRoutes(deps: () => ProxyDeps): readonly Route[] {
  const handle = async (request: HttpRequest): Promise<HttpResponse> => {
    if (!METHODS.includes(request.method)) throw new MethodNotAllowed(request.method, METHODS);
    const response = await forward(request, deps());
    answeredByVendor.add(request);
    return response;
  };
  return [{ method: "ANY", path: "/proxy/{vendorPath+}", name: "proxy", handle }];
}

/**
 * Headers of every answer of this function. `Elements-Error-Source: linkspan` tells an answer of our own from the
 * vendor's: both may be a 401 or a 404.
 */
export function proxyHeaders(request: HttpRequest): Record<string, string> {
  return {
    ...corsHeaders(request),
    ...(answeredByVendor.has(request) ? {} : { "Elements-Error-Source": "linkspan" }),
  };
}
