import { InvalidRequest, MethodNotAllowed, NotFound } from "../core/errors.ts";
import type { Route } from "./contract.ts";
import type { HttpRequest } from "./request.ts";

interface CompiledRoute extends Route {
  readonly segments: readonly string[];
  readonly rest: boolean;
}

export interface Matched {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Compiles a table of routes. The result finds the route of a raw (percent-encoded) path. A literal segment
 * has priority over a parameter, independent of the order of the table.
 */
export function routeTable(routes: readonly Route[]): (method: string, path: string) => Matched {
  const compiled: CompiledRoute[] = routes.map((route) => {
    const segments = route.path.split("/").slice(1);
    return { ...route, segments, rest: segments.at(-1)?.endsWith("+}") ?? false };
  });
  return (method, path) => {
    const segments = path.split("/").slice(1);
    if (
      segments.length > 1 &&
      segments.at(-1) === "" &&
      !compiled.some((route) => route.rest && matches(route, segments))
    )
      segments.pop();
    const candidates = compiled
      .filter((route) => matches(route, segments))
      .sort((a, b) => specificity(b).localeCompare(specificity(a)));
    const best = candidates[0];
    if (best === undefined) throw new NotFound(`there is no ${path} in this API`, "unknown_path");
    const same = candidates.filter((route) => specificity(route) === specificity(best));
    const route = same.find(
      (each) => each.method === method || each.method === "ANY" || (method === "HEAD" && answersHead(each)),
    );
    if (route === undefined) {
      const methods = same.flatMap((each) => (answersHead(each) ? [each.method, "HEAD"] : [each.method]));
      throw new MethodNotAllowed(method, [...new Set(methods)]);
    }
    return { route, params: parameters(route, segments) };
  };
}

/**
 * A GET route answers HEAD, too (RFC 9110 section 9.3.2); middleware/stream-answer.ts leaves the body out.
 */
function answersHead(route: Route): boolean {
  return route.method === "GET" && route.head !== false;
}

function matches(route: CompiledRoute, segments: readonly string[]): boolean {
  if (route.rest ? segments.length < route.segments.length : segments.length !== route.segments.length)
    return false;
  return route.segments.every((segment, index) =>
    segment.startsWith("{") ? segments[index] !== "" || segment.endsWith("+}") : segment === segments[index],
  );
}

/**
 * A text that orders routes: "1" for each literal segment, "0" for each parameter; a rest parameter sorts
 * last.
 */
function specificity(route: CompiledRoute): string {
  return route.segments
    .map((segment) => (segment.endsWith("+}") ? "" : segment.startsWith("{") ? "0" : "1"))
    .join("");
}

function parameters(route: CompiledRoute, segments: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {};
  route.segments.forEach((segment, index) => {
    if (segment.endsWith("+}")) params[segment.slice(1, -2)] = segments.slice(index).join("/");
    else if (segment.startsWith("{")) params[segment.slice(1, -1)] = segments[index] ?? "";
  });
  return params;
}

/** Decodes one percent-encoded path parameter. @throws {InvalidRequest} its percent-encoding is invalid */
export function decodeSegment(request: HttpRequest, name: string): string {
  const raw = request.params[name] ?? "";
  try {
    return decodeURIComponent(raw);
  } catch {
    throw new InvalidRequest(`${name} in the path has invalid percent-encoding`, name);
  }
}
